"""Rows of the tables, chunk by chunk, as records of the stream."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from psycopg import sql

from ferris_beam.connector import Reject
from ferris_beam.connectors.postgresql.cdc.known import KnownTables
from ferris_beam.connectors.postgresql.cdc.log import Index
from ferris_beam.connectors.postgresql.cdc.mark import Progress
from ferris_beam.connectors.postgresql.cdc.records import Piece, Shaper
from ferris_beam.connectors.postgresql.cdc.snapshot import Rows, Snapshot, next_table, supports
from ferris_beam.connectors.postgresql.cdc.tables import Connection, Table, TableName, Tables
from ferris_beam.connectors.postgresql.cdc.texts import json_texts
from ferris_beam.connectors.postgresql.cdc.visibility import Visibility
from ferris_beam.connectors.postgresql.cdc.windows import Untold, needs_keys

_SETTLING_SECONDS = 1.0
_STEP_SECONDS = 0.01


@dataclass(frozen=True)
class Part:
    """Records of ``count`` positions; how far the snapshot is behind them, and what is left out
    of the stream there."""

    piece: Piece
    count: int
    progress: Progress
    untold: Untold | None = None


class RowReader:
    """The snapshot's side of a session, by a connection of its own."""

    def __init__(
        self,
        connection: Connection,
        tables: Tables,
        known: KnownTables,
        shaper: Shaper,
        batch_rows: int,
    ) -> None:
        self._connection = connection
        self._tables = tables
        self._known = known
        self._shaper = shaper
        self._snapshot = Snapshot(connection, batch_rows)
        self._told: Index = np.empty(0, np.int64)

    def next(self, progress: Progress, position: int) -> Iterator[Part]:
        """The next rows; of a table without a key all of them. The last part is without rows."""
        name = next_table(self._tables.matching(self._connection), progress)
        if name is None:
            done = Progress(done=True, columns=progress.columns)
            yield Part(Piece.without_rows(self.nothing()), 0, done)
            return
        table = self._known.in_catalog(name)
        if progress.part if name == progress.table else progress.anew:
            now = time.time_ns() // 1000
            yield Part(self._shaper.emptied(table, position, now), 1, progress)
            position += 1
        if name != progress.table:
            progress = replace(progress, cursor=None, finished=False, part=False)
        read = self._keyed if supports(table) else self._snapshot.whole
        for rows in read(table, progress):
            yield self._part(rows, position)
            position += max(1, rows.records.num_rows)

    def _keyed(self, table: Table, progress: Progress) -> Iterator[Rows]:
        yield self._snapshot.keyed(table, progress)

    def _part(self, rows: Rows, position: int) -> Part:
        piece = piece_of(self._shaper, rows, position)
        untold = None
        if rows.progress.window is not None:
            untold = self._untold(rows.table, rows.progress, rows.records)
        return Part(piece, rows.records.num_rows, rows.progress, untold)

    # ── hand-over ───────────────────────────────────────────────────────────────────────────

    def _untold(self, table: Table, progress: Progress, records: pa.RecordBatch) -> Untold:
        wanted = needs_keys(table, progress)
        keys = records.select(list(table.key.columns)) if wanted else None
        return Untold.of(table, progress, keys)

    def untold(self, progress: Progress) -> Untold | None:
        """What is left out where another process stopped, or a window was closed."""
        if progress.done or progress.table is None:
            return None
        if progress.table not in self._tables.matching(self._connection):
            return None  # dropped since
        table = self._known.in_catalog(progress.table)
        if progress.window is None and (progress.finished or progress.cursor is None):
            return None
        keys = None
        if progress.window is not None and needs_keys(table, progress):
            keys = self._snapshot.keys(table, progress.window)
        return Untold.of(table, progress, keys)

    def restarted(self, progress: Progress, table: TableName) -> Progress:
        return progress.restarted(self._tables.matching(self._connection), table)

    def remember(self, xids: Index) -> None:
        """Transactions that the stream has told."""
        self._told = np.unique(np.concatenate([self._told, xids]))

    def settled(self) -> bool:
        """Whether a snapshot taken now sees all that the stream has told: a transaction is in the
        log a moment before others see it, or longer where it waits for a standby."""
        deadline = time.monotonic() + _SETTLING_SECONDS
        while len(self._told):
            row = self._connection.execute("SELECT pg_current_snapshot()::text").fetchone()
            assert row is not None
            self._told = self._told[~Visibility.parse(row[0]).sees(self._told)]
            if len(self._told):
                if time.monotonic() > deadline:
                    return False
                time.sleep(_STEP_SECONDS)
        return True

    def nudge(self) -> None:
        """Makes the server write its log to the end, without changing anything: it takes its time
        for what no transaction waits for."""
        self._connection.execute(sql.SQL("SELECT pg_current_xact_id()"))

    def nothing(self) -> pa.RecordBatch:
        """No rows, with the columns that records have at present."""
        table = self._known.latest
        if table is None:
            table = self._known.in_catalog(self._tables.matching(self._connection)[0])
        return self._shaper.nothing(table)


def piece_of(shaper: Shaper, rows: Rows, position: int) -> Piece:
    """Rows as records at ``position`` and behind it."""
    piece = shaper.read(rows.table, rows.records, position, rows.time)
    return piece.without(rows.bad, _rejects(rows, position)) if rows.bad else piece


def _rejects(rows: Rows, position: int) -> list[Reject]:
    none = np.zeros((rows.records.num_columns, 1), bool)
    found = []
    for row, reason in sorted(rows.bad.items()):
        one = rows.records.take(pa.array([row]))
        payload = json_texts(one, np.ones(1, bool), none)[0].as_py()
        place = f"a row of {rows.table.name}, read by the snapshot"
        found.append(Reject(position + row, place, reason, payload.encode()))
    return found
