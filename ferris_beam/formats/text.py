"""What the parsers of text formats share: where lines start, and taking bad rows out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from ferris_beam.formats.grid import BadLine, Parsed
from ferris_beam.formats.window import Block, Offsets


class Flaw(NamedTuple):
    """Why a row is bad; ``category`` as in `BadRow`."""

    reason: str
    category: str = "parsing"

    def and_also(self, reason: str) -> Flaw:
        return self._replace(reason=f"{self.reason}; {reason}")


def without_rows(
    columns: Sequence[pa.Array],
    schema: pa.Schema,
    rows: Offsets,
    flaws: Mapping[int, Flaw],
    block: Block,
    starts: Offsets,
) -> Parsed:
    """Drops the rows that have a flaw.

    ``rows`` are the numbers, among all of the block, of the rows in ``columns``; the keys of
    ``flaws`` are such numbers too, and ``starts`` has all rows' offsets.
    """
    kept = pa.array(np.flatnonzero(~np.isin(rows, list(flaws))))
    records = pa.RecordBatch.from_arrays([column.take(kept) for column in columns], schema=schema)
    stops = np.append(starts[1:], len(block))
    bad = [
        BadLine(int(starts[row]), _line(block, int(starts[row]), int(stops[row])), *flaws[row])
        for row in sorted(flaws)
    ]
    return Parsed(records, bad)


def empty(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in schema], schema=schema)


def whole(table: pa.Table) -> list[pa.Array]:
    """The columns, each in one piece."""
    return [
        column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
        for column in table.columns
    ]


def _line(block: Block, start: int, stop: int) -> bytes:
    """A row without its line end and blank lines behind it."""
    return block.copy(start, stop).rstrip(b"\r\n")
