"""Reading a table, view or query once, under one snapshot."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import sql

from ferris_beam.connector import AggregateCall, Chunk, Reader, Split
from ferris_beam.connectors.postgresql.binary import copy_out
from ferris_beam.connectors.postgresql.reading import snapshots
from ferris_beam.connectors.postgresql.reading.base import RelationReader
from ferris_beam.connectors.postgresql.reading.failing import reading
from ferris_beam.connectors.postgresql.reading.keys import Key
from ferris_beam.connectors.postgresql.reading.pieces import (
    ROWS,
    Piece,
    pieces_of,
    ranges_of,
    where,
    whole,
)
from ferris_beam.connectors.postgresql.reading.rejected import without_bad
from ferris_beam.errors import FatalError

Connection = psycopg.Connection[Any]


class TableReader(RelationReader):
    """A table, view, partitioned or materialized table, or the result of a query.

    Unit: a table's blocks in pieces of 2,048; with ``split_by`` ranges of a key; else all rows at
    once. All of them see one exported snapshot. Delivery: not replayable, since the snapshot dies
    with the run.
    """

    replayable = False

    def aggregated(
        self, keys: Sequence[str], calls: Sequence[AggregateCall], schema: pa.Schema
    ) -> Reader | None:
        from ferris_beam.connectors.postgresql.reading.aggregate import aggregate_reader

        return aggregate_reader(self, keys, calls, schema)

    # ── splits ──────────────────────────────────────────────────────────────────────────────

    def splits(self, known: Mapping[str, str]) -> Iterable[Split]:
        with reading(self.display):
            snapshot, connection = snapshots.export(self.connections())
            try:
                splits = list(self._pieces(snapshot, connection))
            except BaseException:
                connection.close()
                raise
        snapshots.hold(snapshot, connection, set(map(_name, splits)))
        return splits

    def _pieces(self, snapshot: snapshots.Snapshot, connection: Connection) -> Iterator[Split]:
        """Describes the relation anew: that locks it, and nobody alters it until all is read."""
        self._opened = self.described(connection)
        relation = self.now.relation
        if self.options.split_by is not None:
            key = self._key()
            assert key is not None
            bounds = key.bounds(connection, relation.from_clause)
            yield from ranges_of(self.display, relation, snapshot, key, bounds)
            return
        heaps = relation.heaps(connection)
        if heaps is None:
            yield whole(self.display, relation, snapshot)
        else:
            yield from pieces_of(self.display, snapshot, heaps)

    def _key(self) -> Key | None:
        name = self.options.split_by
        return None if name is None else Key.of(name, "split_by", self.now.columns)

    # ── reading ─────────────────────────────────────────────────────────────────────────────

    def read(self, split: Split) -> Iterator[Chunk]:
        piece = Piece.decode(split.details)
        skipped = split.interval.start % ROWS
        if skipped and not piece.resumable:
            raise FatalError(
                f"the connection was lost in the midst of {split.interval.unit}, whose rows come "
                "in no certain order: start again. With split_by=, or of a table, less is lost"
            )
        pool = self.connections(piece.snapshot.place)
        with (
            reading(self.display),
            snapshots.under(pool, piece.snapshot, self.display) as connection,
        ):
            yield from self._chunks(connection, piece, split, skipped)
        snapshots.done(piece.snapshot, _name(split))

    def _chunks(
        self, connection: Connection, piece: Piece, split: Split, skipped: int
    ) -> Iterator[Chunk]:
        """Each batch is held back until it is known whether it is the last."""
        interval, selection = split.interval, self.now.selection
        begin = interval.start - skipped
        held: Chunk | None = None
        rows = skipped
        with closing(self._batches(connection, piece, split, skipped)) as batches:
            for records, bad in batches:
                if held is not None:
                    yield held
                good, rejects = without_bad(records, bad, interval.unit, rows, begin + rows)
                rows += len(records)
                held = Chunk(selection.finished(good), begin + rows, rejects, records.nbytes)
        last = held or Chunk(pa.RecordBatch.from_pylist([], selection.schema), interval.closed_end)
        yield Chunk(last.records, interval.closed_end, last.rejects, last.nbytes)

    def _batches(
        self, connection: Connection, piece: Piece, split: Split, skipped: int
    ) -> Generator[tuple[pa.RecordBatch, dict[int, str]], None, None]:
        selection, relation = self.now.selection, self.now.relation
        if piece.resumable:
            connection.execute("SET LOCAL max_parallel_workers_per_gather = 0")
        source = relation.from_clause
        if piece.table is not None:
            source = sql.SQL("ONLY {}").format(piece.table.identifier)
        condition = where(piece, split.interval, self._key())
        statement = selection.statement(source, [condition], offset=skipped)
        return copy_out(connection, statement, selection.sent, self.options.batch_rows)


def _name(split: Split) -> tuple[str, int]:
    """Also of a split whose beginning was read."""
    return split.interval.unit, split.interval.closed_end
