"""Reading what came or changed since the last run, in the order of a column that rises."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any

import psycopg
from psycopg import sql

from ferris_beam.connector import Chunk, Split
from ferris_beam.connectors.postgresql.binary import copy_out
from ferris_beam.connectors.postgresql.options import PostgresqlSourceOptions
from ferris_beam.connectors.postgresql.reading.base import RelationReader
from ferris_beam.connectors.postgresql.reading.failing import reading
from ferris_beam.connectors.postgresql.reading.keys import Key
from ferris_beam.connectors.postgresql.reading.pool import Place
from ferris_beam.connectors.postgresql.reading.runs import Runs
from ferris_beam.connectors.postgresql.reading.selection import Selection
from ferris_beam.errors import ConfigurationError
from ferris_beam.interval import Interval
from ferris_beam.uri import Uri

_log = logging.getLogger(__name__)
_START = -(1 << 64)
"""Below every value."""


class CursorReader(RelationReader):
    """A table or view in the order of ``cursor``.

    Unit: the relation. Position: the column's value as an integer, dates in days and timestamps in
    microseconds since 1970, so that the ledger says up to which value all rows are written.
    Delivery: rows above that value, up to the highest one at the start, each value's rows in one
    batch. Rows without a value (NULL, infinity) have no place in the order and are left out.
    """

    ordered = True
    incremental = True
    cuts = True

    def __init__(self, uri: Uri, options: PostgresqlSourceOptions) -> None:
        super().__init__(uri, options)
        assert options.cursor is not None
        self._cursor = options.cursor

    # ── what there is ───────────────────────────────────────────────────────────────────────

    def splits(self, known: Mapping[str, str]) -> Iterable[Split]:
        with reading(self.display), self.connections().connection() as connection:
            self._opened = self.described(connection)
            key = self._key()
            self._warn_of_left_out(connection, key)
            end = self._end(connection, key)
            place = Place.of(connection)
        unit = f"{self.display}?{self.now.relation.label} by {key.name}"
        details = json.dumps([place.host, place.port]).encode()
        yield Split(Interval(unit, _START, end), details=details, divisible=False, ordered=True)

    def _key(self) -> Key:
        key = Key.of(self._cursor, "cursor", self.now.columns)
        if self.options.cursor_lag is not None and not key.is_time:
            raise ConfigurationError(
                f"cursor_lag: {key.name} is no timestamp; leave cursor_lag out, or name a cursor "
                "of timestamps"
            )
        return key

    def _end(self, connection: psycopg.Connection[Any], key: Key) -> int:
        """Behind the highest value that is read now; of an empty table, behind none."""
        bounds = key.bounds(connection, self.now.relation.from_clause)
        if bounds is None:
            return _START + 1
        lag = self.options.cursor_lag
        if lag is None:
            return bounds[1] + 1
        seconds = sql.Literal(lag.total_seconds())
        limit = sql.SQL("(clock_timestamp() - {} * interval '1 second')::{}").format(
            seconds, sql.SQL(key.kind)
        )
        row = connection.execute(sql.SQL("SELECT {}").format(key.number(limit))).fetchone()
        assert row is not None
        return min(bounds[1], int(row[0])) + 1

    def _warn_of_left_out(self, connection: psycopg.Connection[Any], key: Key) -> None:
        column = self.now.column(key.name)
        if column is not None and not column.nullable and not key.has_infinity:
            return
        row = connection.execute(
            sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE {} IS NOT TRUE)").format(
                self.now.relation.from_clause, key.finite
            )
        ).fetchone()
        if row is not None and row[0]:
            _log.warning(
                "%s?%s: rows whose %s is NULL or infinite are left out, since they have no place "
                "in the order of the cursor",
                self.display,
                self.now.relation.label,
                key.name,
            )

    # ── reading ─────────────────────────────────────────────────────────────────────────────

    def read(self, split: Split) -> Iterator[Chunk]:
        key, now = self._key(), self.now
        selection = _with_key(now.selection, now.column(key.name))
        interval = split.interval
        last = key.literal(interval.closed_end - 1)
        conditions = [key.finite, sql.SQL("{} <= {}").format(key.identifier, last)]
        if interval.start > _START:
            first = key.literal(interval.start)
            conditions.append(sql.SQL("{} >= {}").format(key.identifier, first))
        source, order = now.relation.from_clause, key.identifier
        statement = selection.statement(source, conditions, order)
        runs = Runs(key, selection, split)
        pool = self.connections(Place(*json.loads(split.details)))
        with reading(self.display), pool.connection() as connection:
            batches = copy_out(connection, statement, selection.sent, self.options.batch_rows)
            with closing(batches):
                for records, bad in batches:
                    yield from runs.add(records, bad)
        yield from runs.rest()


def _with_key(selection: Selection, column: Any) -> Selection:
    """The server sends the key, too; no limit cuts its values in two."""
    sent = selection.sent
    if column not in sent:
        sent = (*sent, column)
    return Selection(sent, selection.schema, selection.condition, None, selection.residual)
