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
from ferris_beam.connectors.postgresql.reading import columnar, snapshots
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

_IN_ORDER = "SET LOCAL max_parallel_workers_per_gather = 0"
"""Rows of blocks come in their order, each time they are read."""


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
        """From the row ``skipped`` on: ahead by ADBC where that is faster, then by our own COPY."""
        selection, batch_rows = self.now.selection, self.options.batch_rows
        condition = where(piece, split.interval, self._key())
        if piece.resumable:
            connection.execute(_IN_ORDER)
        if self._is_columnar(connection, piece, split):
            query = self._statement(piece, condition, skipped).as_string(connection)
            driver = self.connections(piece.snapshot.place).columnar
            begin = (*snapshots.statements(piece.snapshot), _IN_ORDER)
            given = yield from columnar.rows(driver, begin, query, selection.sent, batch_rows)
            if given is None:
                return
            skipped += given
        statement = self._statement(piece, condition, skipped)
        yield from copy_out(connection, statement, selection.sent, batch_rows)

    def _statement(
        self, piece: Piece, condition: sql.Composable | None, offset: int
    ) -> sql.Composed:
        source = self.now.relation.from_clause
        if piece.table is not None:
            source = sql.SQL("ONLY {}").format(piece.table.identifier)
        return self.now.selection.statement(source, [condition], offset=offset)

    def _is_columnar(self, connection: Connection, piece: Piece, split: Split) -> bool:
        """Only where rows have an order, so that another way can go on behind any of them."""
        interval = split.interval
        blocks = interval.closed_end // ROWS - interval.start // ROWS
        if not piece.resumable or blocks < columnar.LEAST_BLOCKS:
            return False
        encoding = connection.info.parameter_status("server_encoding") or ""
        return columnar.are_columnar(self.now.selection.sent, encoding)


def _name(split: Split) -> tuple[str, int]:
    """Also of a split whose beginning was read."""
    return split.interval.unit, split.interval.closed_end
