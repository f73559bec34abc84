"""The rows that are there already, read in chunks while the tables go on changing.

A chunk is one SELECT of the next keys of a table, under a snapshot S of its own. It is given out
where the stream stands; up to where the log ended after the SELECT (H), changes by transactions
that S saw are left out for its keys. So each row is told once as it was under S, and then all its
later changes. One chunk is reconciled at a time. The idea is DBLog's
(https://arxiv.org/abs/2010.12597), with the server's own snapshots instead of watermark tables.

Tables without a key are read in one go under one snapshot, which ends with its connection: after a
restart a table of which a part was given out is first told to be emptied, and is read again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.types as pt
from psycopg import sql

from ferris_beam.connectors.postgresql.binary import copy_out
from ferris_beam.connectors.postgresql.cdc.mark import KeyText, Progress, Window
from ferris_beam.connectors.postgresql.cdc.positions import parse_lsn, record_end
from ferris_beam.connectors.postgresql.cdc.tables import Connection, Table, TableName
from ferris_beam.connectors.postgresql.cdc.windows import key_columns
from ferris_beam.errors import ConfigurationError

_SEEN = "SELECT pg_current_snapshot()::text, (extract(epoch FROM now()) * 1000000)::int8"
_END_OF_LOG = "SELECT pg_current_wal_insert_lsn()::text"
_FIRST_ROWS = 8192
_MOST_BYTES = 32 << 20


@dataclass(frozen=True)
class Rows:
    """Rows of a table, why some of them are bad, how far the snapshot is with them, and when they
    were read, in microseconds since 1970."""

    table: Table
    records: pa.RecordBatch
    bad: dict[int, str]
    progress: Progress
    time: int


class Snapshot:
    """Reads chunks by a connection of its own."""

    def __init__(self, connection: Connection, rows: int) -> None:
        self._connection = connection
        self._rows = rows
        self._limit = min(rows, _FIRST_ROWS)

    def keyed(self, table: Table, progress: Progress) -> Rows:
        """The next rows of a table with a key, and the window that they open."""
        limit = self._limit
        query = self._select(table, table.columns, progress.cursor, None, limit)
        with self._isolated():
            seen, time = self._one(_SEEN)
            found = list(copy_out(self._connection, query, table.columns, limit))
        records, bad = _joined(found) if found else (_nothing(table), {})
        self._adapt(records)
        finished = records.num_rows < limit
        last = None if finished else _last_key(records, table)
        high = record_end(parse_lsn(self._one(_END_OF_LOG)[0]))
        window = Window(table.name, progress.cursor, last, seen, high)
        after = replace(
            progress, table=table.name, cursor=last, finished=finished, part=False, window=window
        )
        return Rows(table, records, bad, after, time)

    def _adapt(self, records: pa.RecordBatch) -> None:
        """The number of rows follows their size, so that wide ones don't take more memory."""
        if records.nbytes > _MOST_BYTES:
            self._limit = max(1, self._limit // 2)
        elif records.nbytes < _MOST_BYTES // 4:
            self._limit = min(self._rows, self._limit * 2)

    def whole(self, table: Table, progress: Progress) -> Iterator[Rows]:
        """All rows of a table without a key; one chunk is held back, since only the last one says
        that it was the last."""
        with self._isolated():
            seen, time = self._one(_SEEN)
            part = replace(progress, table=table.name, cursor=None, part=True, finished=False)
            held: tuple[pa.RecordBatch, dict[int, str]] = (_nothing(table), {})
            for found in self._all_rows(table):
                if held[0].num_rows:
                    yield Rows(table, *held, part, time)
                held = found
        high = record_end(parse_lsn(self._one(_END_OF_LOG)[0]))
        window = Window(table.name, None, None, seen, high)
        yield Rows(table, *held, replace(part, part=False, finished=True, window=window), time)

    def once(self, tables: Sequence[Table]) -> Iterator[Rows]:
        """All rows of all tables under one snapshot; no window is open behind them, and the high
        mark of the first is where the log ended. Tables without rows give no rows."""
        with self._isolated():
            seen, time = self._one(_SEEN)
            high = record_end(parse_lsn(self._one(_END_OF_LOG)[0]))
            for table in tables:
                window = Window(table.name, None, None, seen, high)
                for records, bad in self._all_rows(table):
                    yield Rows(table, records, bad, Progress(window=window), time)

    def _all_rows(self, table: Table) -> Iterator[tuple[pa.RecordBatch, dict[int, str]]]:
        query = self._select(table, table.columns, None, None, None)
        return copy_out(self._connection, query, table.columns, self._rows)

    def keys(self, table: Table, window: Window) -> pa.RecordBatch:
        """The keys of a window again, after a restart. Rows may have come and gone since: keys
        that were never read change nothing, as the snapshot saw no change of theirs that lasted."""
        wanted = tuple(key_columns(table))
        query = self._select(table, wanted, window.first, window.last, None)
        parts = [records for records, _ in copy_out(self._connection, query, wanted)]
        schema = pa.schema([column.field for column in wanted])
        return pa.concat_batches(parts) if parts else pa.RecordBatch.from_pylist([], schema=schema)

    def _select(
        self,
        table: Table,
        columns: tuple[Any, ...],
        first: KeyText | None,
        last: KeyText | None,
        limit: int | None,
    ) -> sql.Composable:
        key = sql.SQL(", ").join(map(sql.Identifier, table.key.columns))
        bounds = [
            sql.SQL("({}) {} ({})").format(key, sql.SQL(sign), _values(values, table.key.types))
            for sign, values in ((">", first), ("<=", last))
            if values is not None
        ]
        parts = [
            sql.SQL("SELECT {} FROM {}").format(
                sql.SQL(", ").join(column.expression for column in columns), table.name.identifier
            )
        ]
        if bounds:
            parts.append(sql.SQL("WHERE {}").format(sql.SQL(" AND ").join(bounds)))
        if limit is not None:
            parts.append(sql.SQL("ORDER BY {} LIMIT {}").format(key, sql.Literal(limit)))
        return sql.SQL(" ").join(parts)

    @contextmanager
    def _isolated(self) -> Iterator[None]:
        with self._connection.transaction():
            self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield

    def _one(self, query: str) -> tuple[Any, ...]:
        row = self._connection.execute(sql.SQL(query)).fetchone()
        assert row is not None
        return tuple(row)


def _values(values: KeyText, types: tuple[str, ...]) -> sql.Composable:
    """Typed literals: COPY takes no parameters."""
    return sql.SQL(", ").join(
        sql.SQL("{}::{}").format(sql.Literal(value), sql.SQL(kind))
        for value, kind in zip(values, types, strict=True)
    )


def _last_key(records: pa.RecordBatch, table: Table) -> KeyText:
    """Raises `ConfigurationError` where Arrow's type can't hold a value of the key."""
    row = records.num_rows - 1
    values = [records.column(index)[row].as_py() for index in table.key_indices]
    if None in values:
        raise ConfigurationError(
            f"a value of the key of {table.name} can't be read (infinity, or too many digits), so "
            "that the rows behind it can't be found: say snapshot=never, or change the value"
        )
    return tuple(_text(value) for value in values)


def _text(value: Any) -> str:
    """As SQL reads it back."""
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    return str(value)


def _joined(found: list[tuple[pa.RecordBatch, dict[int, str]]]) -> tuple[Any, dict[int, str]]:
    bad: dict[int, str] = {}
    offset = 0
    for records, reasons in found:
        bad |= {offset + row: reason for row, reason in reasons.items()}
        offset += records.num_rows
    return pa.concat_batches([records for records, _ in found]), bad


def _nothing(table: Table) -> pa.RecordBatch:
    fields = [column.field for column in table.columns]
    return pa.RecordBatch.from_pylist([], schema=pa.schema(fields))


def supports(table: Table) -> bool:
    """Whether a table's key can be walked along: Arrow must give back each value as it was."""
    kinds = [table.columns[index].type for index in table.key_indices]
    plain = (
        pt.is_integer,
        pt.is_string,
        pt.is_boolean,
        pt.is_decimal,
        pt.is_date,
        pt.is_timestamp,
        pt.is_time,
        pt.is_binary,
    )
    whole = len(kinds) == len(table.key.columns) > 0
    exact = all(not table.columns[index].cast for index in table.key_indices)
    return whole and exact and all(any(is_kind(kind) for is_kind in plain) for kind in kinds)


def next_table(names: list[TableName], progress: Progress) -> TableName | None:
    """The table to be read next; None: all are done."""
    if progress.table is not None and not progress.finished and progress.table in names:
        return progress.table
    after = [name for name in names if progress.table is None or name > progress.table]
    return after[0] if after else None
