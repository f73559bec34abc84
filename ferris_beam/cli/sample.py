"""The first rows of any source, and what its splits say of all: bounded reading by the contract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from ferris_beam.connector import Chunk, Reader, Reject, Residual, Split

SAMPLE_ROWS = 10
_MOST_CHUNKS = 16
_MOST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Extent:
    """All that there is to read. ``size`` is in bytes; None where a split doesn't say."""

    splits: Sequence[Split]

    @property
    def units(self) -> list[str]:
        return list(dict.fromkeys(split.interval.unit for split in self.splits))

    @property
    def divisible(self) -> int:
        return sum(split.divisible and not split.ordered for split in self.splits)

    @property
    def endless(self) -> bool:
        return any(split.interval.end is None for split in self.splits)

    @property
    def size(self) -> int | None:
        sizes = [split.size for split in self.splits if split.size is not None]
        return sum(sizes) if len(sizes) == len(self.splits) else None

    @property
    def formats(self) -> dict[str, int]:
        """How many splits have which format; empty where there is no choice."""
        return dict(Counter(split.format for split in self.splits if split.format).most_common())


@dataclass(slots=True)
class Sample:
    """The first rows, and what was met on the way to them: ``rows_read`` and ``nbytes`` count all
    that was read, ``whole`` says that this is all there is."""

    records: pa.RecordBatch
    rejects: list[Reject] = field(default_factory=list)
    rows_read: int = 0
    nbytes: int = 0
    whole: bool = False

    def estimated_rows(self, size: int | None) -> int | None:
        """Rows of the whole input, judged by what was read of it."""
        if self.whole:
            return self.rows_read
        if size is None or not self.nbytes or not self.rows_read:
            return None
        return max(self.rows_read, round(size / self.nbytes * self.rows_read))


def sample(
    reader: Reader,
    splits: Sequence[Split],
    schema: pa.Schema,
    residual: Residual | None = None,
    rows: int = SAMPLE_ROWS,
) -> Sample:
    """At most ``rows`` rows of an opened reader, from as few chunks as possible."""
    found = Sample(pa.RecordBatch.from_pylist([], schema=schema))
    pieces: list[pa.RecordBatch] = []
    for number, chunk in enumerate(_chunks(reader, splits), 1):
        kept = _rest(chunk.records, residual)
        pieces.append(kept.slice(0, rows - sum(piece.num_rows for piece in pieces)))
        found.rejects += chunk.rejects
        found.rows_read += chunk.records.num_rows + len(chunk.rejects)
        found.nbytes += chunk.nbytes
        enough = sum(piece.num_rows for piece in pieces) >= rows
        if enough or number >= _MOST_CHUNKS or found.nbytes >= _MOST_BYTES:
            found.whole = len(splits) == 1 and chunk.end == splits[0].interval.end
            break
    else:
        found.whole = not any(split.interval.end is None for split in splits)
    if pieces:
        found.records = _joined(pieces)
    return found


def _chunks(reader: Reader, splits: Sequence[Split]) -> Iterator[Chunk]:
    for split in splits:
        chunks: Any = reader.read(split)
        if hasattr(chunks, "close"):
            with closing(chunks):
                yield from chunks
        else:
            yield from chunks


def _rest(records: pa.RecordBatch, residual: Residual | None) -> pa.RecordBatch:
    """What the reader left to be done above it."""
    if residual is not None and residual.columns is not None:
        return records.select(list(residual.columns))
    return records


def _joined(pieces: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    table = pa.Table.from_batches(pieces, schema=pieces[0].schema).combine_chunks()
    batches = table.to_batches()
    return batches[0] if batches else pieces[0]
