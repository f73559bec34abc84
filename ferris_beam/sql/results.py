"""Results that are to be shown: from the workers to the process that shows them, through files.

Every batch becomes one Arrow file in a folder of this machine, named by its origin, so that a
batch which is computed twice is there once. The files hold their rows only up to a limit, and
always their number: a result of any size is counted, and its first rows are at hand.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import PCollection
from sqlglot import exp

from ferris_beam.batches import Batch
from ferris_beam.errors import ConfigurationError
from ferris_beam.interval import Origin

_ROWS = b"ferris.rows"
_ORDER = b"ferris.order"


class CollectResult(beam.PTransform):
    """Input: branches of PCollection[Batch]. Writes the first ``most`` rows of every batch (None:
    all of them) into ``folder``; `Result` reads them."""

    def __init__(self, folder: Path, most: int | None = None) -> None:
        super().__init__()
        self.folder = folder
        self.most = most

    def expand(self, branches: tuple[PCollection, ...]) -> PCollection:
        batches = branches | "Flatten" >> beam.Flatten()
        return batches | "Store" >> beam.ParDo(_Store(str(self.folder), self.most))


class _Store(beam.DoFn):
    def __init__(self, folder: str, most: int | None) -> None:
        self.folder = folder
        self.most = most

    def process(self, batch: Batch) -> None:
        if not batch.num_rows:
            return
        records = batch.records if self.most is None else batch.records[: self.most]
        order = _order(batch.origin)
        schema = records.schema.with_metadata(
            {
                _ROWS: str(batch.num_rows).encode(),
                _ORDER: json.dumps(order).encode(),
            }
        )
        name = blake2b(json.dumps(order).encode(), digest_size=16).hexdigest()
        path = Path(self.folder, f"{name}.arrow")
        partial = path.with_suffix(f".{os.getpid()}-{id(batch)}.partial")
        try:
            with pa.OSFile(str(partial), "wb") as file, pa.ipc.new_file(file, schema) as writer:
                writer.write(records.replace_schema_metadata(schema.metadata))
            os.replace(partial, path)
        except OSError as error:
            raise ConfigurationError(
                f"the result can't be kept in {self.folder}: {error.strerror}; TMPDIR=… chooses "
                "another place, INTO 'uri' writes the result to a sink"
            ) from error


def _order(origin: Origin | None) -> list[Any]:
    """What puts batches in the order of their sources, and of their stages' results."""
    assert origin is not None
    interval = origin.interval
    return [interval.unit, interval.start, [list(part) for part in origin.parts], origin.path]


@dataclass(frozen=True)
class Result:
    """What `CollectResult` left in ``folder``; ``schema`` is that of the plan. ``known`` are rows
    that no pipeline computes."""

    folder: Path | None
    schema: pa.Schema
    known: pa.RecordBatch | None = None

    @classmethod
    def of_text(cls, rows: Sequence[Sequence[exp.Expr]], schema: pa.Schema) -> Result:
        """Literal texts, row by row."""
        columns = zip(*rows, strict=True) if rows else ([] for _ in schema)
        arrays = [pa.array([cell.name for cell in column], pa.string()) for column in columns]
        return cls(None, schema, pa.RecordBatch.from_arrays(arrays, schema=schema))

    def head(self, most: int) -> pa.RecordBatch:
        """The first ``most`` rows."""
        batches, left = [], most
        for records in self.batches():
            batches.append(records[:left])
            left -= batches[-1].num_rows
            if not left:
                break
        table = pa.Table.from_batches(batches, self.schema).combine_chunks()
        return table.to_batches()[0] if table.num_rows else _no_rows(self.schema)

    def num_rows(self) -> int:
        """How many rows there are, also those that were not kept."""
        if self.known is not None:
            return self.known.num_rows
        return sum(rows for _, rows, _ in self._files())

    def batches(self) -> Iterator[pa.RecordBatch]:
        """In the result's order, one after another."""
        if self.known is not None:
            yield self.known
        for _, _, path in sorted(self._files(), key=lambda file: file[0]):
            with pa.memory_map(str(path)) as file:
                for records in _each_batch(pa.ipc.open_file(file)):
                    yield records.cast(self.schema)

    def _files(self) -> Iterator[tuple[list[Any], int, Path]]:
        for path in self.folder.glob("*.arrow") if self.folder else ():
            with pa.memory_map(str(path)) as file:
                metadata = pa.ipc.open_file(file).schema.metadata
            yield json.loads(metadata[_ORDER]), int(metadata[_ROWS]), path


def _each_batch(reader: pa.ipc.RecordBatchFileReader) -> Iterator[pa.RecordBatch]:
    for number in range(reader.num_record_batches):
        yield reader.get_batch(number)


def _no_rows(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=schema)
