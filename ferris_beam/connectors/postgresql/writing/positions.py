"""Positions of the changes that a table has seen: of its rows, and of those that are gone.

Where changes may come again, or out of order (a snapshot that is written beside the stream, a
source that repeats itself), the highest position of a key wins. The rows alone can't say that: a
deleted one would come back. So a table beside the target holds the position of the last change of
each key, also of deleted ones, and one of the whole database where each table was last truncated.
Writers of one table take turns.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from psycopg import sql

from ferris_beam.connectors.postgresql.types import ServerType
from ferris_beam.connectors.postgresql.writing.changes import Changes, Index
from ferris_beam.connectors.postgresql.writing.definition import alone
from ferris_beam.connectors.postgresql.writing.modes import stage, staging_of, values_of
from ferris_beam.connectors.postgresql.writing.names import (
    TableName,
    columns_sql,
    digest,
    lock_number,
)
from ferris_beam.connectors.postgresql.writing.plan import Plan, column_beside
from ferris_beam.connectors.postgresql.writing.session import Session
from ferris_beam.connectors.postgresql.writing.table import Table
from ferris_beam.connectors.postgresql.writing.tables import Temporaries

POSITION = "_ferris_position"
_ROW = "_ferris_row"
_TRUNCATIONS = "_ferris_truncations"


_ROW_COLUMN = column_beside(_ROW, "bigint", ServerType(20, "int8"), pa.int64())
_POSITION_COLUMN = column_beside(
    POSITION, "numeric", ServerType(1700, "numeric"), pa.decimal128(38, 0)
)


class Positions:
    """The positions of one table's keys, inside of the transaction of the moment."""

    def __init__(
        self, session: Session, temporaries: Temporaries, target: Table, key: Sequence[str]
    ) -> None:
        self._session = session
        self._temporaries = temporaries
        self._target = target
        self._key = list(key)
        self._name = target.name.beside(f"_ferris_positions_{digest(str(target.name))}")
        self._truncations = target.name.beside(_TRUNCATIONS)
        self._there = False

    def make_ready(self, plan: Plan) -> sql.Identifier:
        """Creates the tables where they are missing, outside of transactions; the name of the
        staging table."""
        if not self._there:
            self._session.rollback()
            with alone(self._session, TableName(None, _TRUNCATIONS)):
                for statement in self._definitions():
                    self._session.execute(statement)
            self._there = True
        return self._temporaries.table(*staging_of(self._staged(plan)))

    def _definitions(self) -> list[sql.Composed]:
        declared = [
            sql.SQL("{} {} NOT NULL").format(
                sql.Identifier(name),
                sql.SQL(self._target.by_name[name].declared),
            )
            for name in self._key
        ]
        return [
            sql.SQL(
                "CREATE TABLE IF NOT EXISTS {} (target text PRIMARY KEY, position numeric NOT NULL)"
            ).format(self._truncations.identifier),
            sql.SQL(
                "CREATE TABLE IF NOT EXISTS {} ({}, {} numeric NOT NULL, PRIMARY KEY ({}))"
            ).format(
                self._name.identifier,
                sql.SQL(", ").join(declared),
                sql.Identifier(POSITION),
                columns_sql(self._key),
            ),
        ]

    def lock(self) -> None:
        number = lock_number("positions", str(self._target.name))
        self._session.execute("SELECT pg_advisory_xact_lock(%s)", [number])

    def _staged(self, plan: Plan) -> Plan:
        columns = (*plan.only(self._key).columns, _POSITION_COLUMN, _ROW_COLUMN)
        return Plan(plan.table, columns)

    def fresh(self, changes: Changes, plan: Plan, staging: sql.Identifier) -> Index:
        """The numbers of the changes that are not older than what their keys have seen."""
        assert changes.positions is not None
        names = [*self._key, POSITION, _ROW]
        numbers = pa.array(np.arange(len(changes), dtype=np.int64))
        keys = plan.only(self._key).fitted(changes.values)
        columns = [*keys.columns, changes.positions.cast(pa.decimal128(38, 0)), numbers]
        staged = self._staged(plan)
        stage(self._session, staging, staged, pa.RecordBatch.from_arrays(columns, names))
        query = sql.SQL(
            "SELECT {row} FROM (SELECT {values} FROM {staging}) given "
            "LEFT JOIN {seen} USING ({key}) "
            "WHERE given.{position} >= coalesce({seen}.{position}, 0) "
            "AND given.{position} >= coalesce("
            "(SELECT position FROM {truncations} WHERE target = %s), 0) ORDER BY {row}"
        ).format(
            row=sql.Identifier(_ROW),
            values=values_of(staged),
            staging=staging,
            seen=self._name.identifier,
            key=columns_sql(self._key),
            position=sql.Identifier(POSITION),
            truncations=self._truncations.identifier,
        )
        found = self._session.rows(query, [str(self._target.name)])
        return np.array([row for (row,) in found], np.int64)

    def remember(self, plan: Plan, staging: sql.Identifier) -> None:
        """The highest position of each key that `fresh` staged."""
        query = sql.SQL(
            "INSERT INTO {table} AS seen ({key}, {position}) "
            "SELECT {key}, max({position}) FROM (SELECT {values} FROM {staging}) given "
            "GROUP BY {key} ORDER BY {key} "
            "ON CONFLICT ({key}) DO UPDATE SET {position} = EXCLUDED.{position} "
            "WHERE EXCLUDED.{position} > seen.{position}"
        ).format(
            table=self._name.identifier,
            key=columns_sql(self._key),
            position=sql.Identifier(POSITION),
            values=values_of(self._staged(plan)),
            staging=staging,
        )
        self._session.execute(query)

    def truncate(self, position: int) -> None:
        """Removes all rows that were not changed behind a position, and remembers it."""
        matched = sql.SQL(" AND ").join(
            sql.SQL("seen.{0} = target.{0}").format(sql.Identifier(name)) for name in self._key
        )
        query = sql.SQL(
            "DELETE FROM {} AS target WHERE NOT EXISTS "
            "(SELECT FROM {} seen WHERE {} AND seen.{} > %s)"
        ).format(
            self._target.name.identifier,
            self._name.identifier,
            matched,
            sql.Identifier(POSITION),
        )
        self._session.execute(query, [position])
        query = sql.SQL(
            "INSERT INTO {} AS seen VALUES (%s, %s) ON CONFLICT (target) DO UPDATE "
            "SET position = greatest(seen.position, EXCLUDED.position)"
        ).format(self._truncations.identifier)
        self._session.execute(query, [str(self._target.name), position])
