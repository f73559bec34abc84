"""The framework's Reader and Writer in a plain loop: what Beam and the engine add to them."""

from __future__ import annotations

import pyarrow as pa

import ferris_beam as fb
from ferris_beam.connector import Staged, Writer
from ferris_beam.interval import Interval, Origin
from ferris_beam.ledger import Entry, Identity
from ferris_beam.transforms.split import pieces

_EPOCH = 1


def copy(source: str, sink: str) -> None:
    """The same pieces, batches and commits as the engine's, with the same ledger, in one thread."""
    from_endpoint, to_endpoint = fb.create_source(source).endpoint, fb.create_sink(sink).endpoint
    reader = from_endpoint.reader(from_endpoint.resolved())
    writer = to_endpoint.writer(to_endpoint.resolved())
    writer.open(Identity("bare", "bare"))
    writer.claim(_EPOCH, 1)
    reader.open()
    loop = _Loop(writer)
    for split in reader.splits({}):
        for piece in pieces(split):
            unit, position = piece.interval.unit, piece.interval.start
            for chunk in reader.read(piece):
                origin = Origin(("bare",), Interval(unit, position, chunk.end), split.identity)
                loop.write(chunk.records, origin)
                position = chunk.end
    loop.commit()
    writer.finish(_EPOCH)
    reader.close()
    writer.close()


class _Loop:
    """Stages and commits where the engine would."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._staged: Staged | None = None
        self._entries: list[Entry] = []

    def write(self, records: pa.RecordBatch, origin: Origin) -> None:
        if self._staged is None:
            self._staged = self._writer.begin()
        self._staged.write(records)
        self._entries.append(Entry(origin, records.num_rows))
        writer = self._writer
        if self._staged.rows >= writer.batch_rows or self._staged.nbytes >= writer.batch_bytes:
            self.commit()

    def commit(self) -> None:
        if self._staged is not None:
            self._writer.commit(_EPOCH, self._staged, self._entries)
        self._staged, self._entries = None, []
