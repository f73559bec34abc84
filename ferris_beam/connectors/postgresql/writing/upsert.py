"""mode=upsert: rows replace those with the same key."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from psycopg import sql

from ferris_beam.connectors.postgresql.writing.modes import (
    Action,
    Mode,
    overriding,
    stage,
    staging_of,
    values_of,
)
from ferris_beam.connectors.postgresql.writing.names import columns_sql
from ferris_beam.connectors.postgresql.writing.plan import Plan
from ferris_beam.connectors.postgresql.writing.session import Session
from ferris_beam.connectors.postgresql.writing.table import Table
from ferris_beam.connectors.postgresql.writing.tables import TargetTable, Temporaries
from ferris_beam.errors import BadRecordError, ConfigurationError, SchemaError


class Upsert(Mode):
    """Of each key the last row of a batch counts, or the one with the highest ``position``; it is
    inserted, or replaces the table's row, unless that has a higher position."""

    def __init__(
        self, session: Session, target: TargetTable, key: Sequence[str], position: str | None
    ) -> None:
        self._session = session
        self._target = target
        self._key = tuple(key)
        self._position = position
        self._temporaries = Temporaries(session)

    def ready(self, records: pa.RecordBatch) -> Action:
        plan = self._target.plan(records.schema)
        key = key_of(plan.table, self._key)
        check_columns(plan, (*key, *([self._position] if self._position else [])))
        fitted = plan.fitted(records)
        refuse_null_keys(fitted, key)
        staging = self._temporaries.table(*staging_of(plan))
        query = merge(plan, key, staging, self._position)

        def write() -> None:
            stage(self._session, staging, plan, fitted)
            self._session.execute(query)

        return write


def key_of(table: Table, wanted: Sequence[str]) -> tuple[str, ...]:
    """The columns that tell rows of the table apart, of which it has a unique index."""
    key = tuple(wanted) or table.primary_key
    if not key:
        raise ConfigurationError(
            f"{table.name} has no primary key: say by key=column which columns tell its rows apart"
        )
    unknown = [name for name in key if name not in table.by_name]
    if unknown:
        raise ConfigurationError(
            f"{table.name} has no column {unknown[0]!r}, which key= names; it has "
            f"{', '.join(table.by_name)}"
        )
    if not table.has_key(key):
        statement = sql.SQL("CREATE UNIQUE INDEX ON {} ({})").format(
            table.name.identifier, columns_sql(list(key))
        )
        raise ConfigurationError(
            f"{table.name} has no unique index of ({', '.join(key)}), without which rows can't be "
            f"replaced by their key; create it: {statement.as_string(None)}"
        )
    return key


def check_columns(plan: Plan, needed: Sequence[str]) -> None:
    lacking = [name for name in needed if name not in plan.names]
    if lacking:
        raise SchemaError(
            f"rows for {plan.table.name} have no column {lacking[0]!r}, by which they are told "
            "apart or put in order; add it, or change the options key and position"
        )


def refuse_null_keys(records: pa.RecordBatch, key: Sequence[str]) -> None:
    """Two NULLs are different to a unique index: such a row would be added again and again."""
    for name in key:
        column = records.column(name)
        if column.null_count:
            row = int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0])
            raise BadRecordError(f"{name}: a key can't be null", "a key is null", row)


def merge(
    plan: Plan, key: Sequence[str], staging: sql.Identifier, position: str | None
) -> sql.Composed:
    """The statement that brings the staged rows into the table.

    Rows are locked in the order of their keys, so that writers rarely deadlock. A temporary
    table that was just filled keeps its rows in their order: ctid is what ORDER BY needs.
    """
    ranks = [sql.SQL("{} DESC NULLS LAST").format(sql.Identifier(position))] if position else []
    return sql.SQL(
        "INSERT INTO {table} AS target ({columns}) {overriding} "
        "SELECT DISTINCT ON ({key}) {values} FROM {staging} ORDER BY {key}, {ranks} "
        "ON CONFLICT ({key}) DO {action}"
    ).format(
        table=plan.table.name.identifier,
        columns=columns_sql(plan.names),
        overriding=overriding(plan),
        key=columns_sql(list(key)),
        values=values_of(plan),
        staging=staging,
        ranks=sql.SQL(", ").join([*ranks, sql.SQL("ctid DESC")]),
        action=replacement(plan.replaced, key, position),
    )


def replacement(names: Sequence[str], key: Sequence[str], position: str | None) -> sql.Composable:
    """What follows ON CONFLICT … DO."""
    others = [name for name in names if name not in key]
    if not others:
        return sql.SQL("NOTHING")
    assignments = sql.SQL(", ").join(
        sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name)) for name in others
    )
    update = sql.SQL("UPDATE SET {}").format(assignments)
    if position is None:
        return update
    newer = sql.SQL("target.{0} IS NULL OR EXCLUDED.{0} >= target.{0}")
    return sql.SQL("{} WHERE {}").format(update, newer.format(sql.Identifier(position)))
