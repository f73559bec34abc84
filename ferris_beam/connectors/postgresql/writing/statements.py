"""The statements of mode=apply, each for all changes of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
from psycopg import sql

from ferris_beam.connectors.postgresql.types import ServerType
from ferris_beam.connectors.postgresql.writing.modes import overriding, values_of
from ferris_beam.connectors.postgresql.writing.names import columns_sql
from ferris_beam.connectors.postgresql.writing.plan import Plan, Written, column_beside
from ferris_beam.connectors.postgresql.writing.upsert import replacement

_UNSENT = "_ferris_unsent"
_UNSENT_COLUMN = column_beside(
    _UNSENT,
    "text[]",
    ServerType(1009, "_text", "array", element=ServerType(25, "text")),
    pa.list_(pa.string()),
)


def upsert_rows(plan: Plan, key: Sequence[str], staging: sql.Identifier) -> sql.Composed:
    """Inserts or replaces the staged rows, no two of one key, in the order they were staged in:
    a value that must be unique may go from one row to another."""
    return sql.SQL(
        "INSERT INTO {} AS target ({}) {} SELECT {} FROM {} ORDER BY ctid ON CONFLICT ({}) DO {}"
    ).format(
        plan.table.name.identifier,
        columns_sql(plan.names),
        overriding(plan),
        values_of(plan),
        staging,
        columns_sql(list(key)),
        replacement(plan.replaced, key, None),
    )


def insert_rows(plan: Plan, staging: sql.Identifier) -> sql.Composed:
    return sql.SQL("INSERT INTO {} ({}) {} SELECT {} FROM {} ORDER BY ctid").format(
        plan.table.name.identifier,
        columns_sql(plan.names),
        overriding(plan),
        values_of(plan),
        staging,
    )


def delete_keys(keys: Plan, staging: sql.Identifier) -> sql.Composed:
    """Deletes the rows of the staged keys; ``keys`` is the plan of the key's columns alone."""
    return sql.SQL("DELETE FROM {} AS target USING (SELECT {} FROM {}) given WHERE {}").format(
        keys.table.name.identifier, values_of(keys), staging, _matched(keys.names, keys.names)
    )


def delete_rows(plan: Plan, staging: sql.Identifier) -> sql.Composed:
    """Deletes for each staged row one that equals it in all columns of the plan: of a table
    without a key. Rows are compared as texts, since not every type can be compared."""
    names = list(plan.names)
    return sql.SQL(
        "DELETE FROM {table} AS target USING ("
        "SELECT found.tableoid AS part, found.ctid AS place, given.count AS wanted, row_number() "
        "OVER (PARTITION BY given.value) AS number "
        "FROM (SELECT ROW({given})::text AS value, count(*) AS count "
        "FROM (SELECT {values} FROM {staging}) given GROUP BY 1) given "
        "JOIN {table} found ON ROW({found})::text = given.value"
        ") gone WHERE target.tableoid = gone.part AND target.ctid = gone.place "
        "AND gone.number <= gone.wanted"
    ).format(
        table=plan.table.name.identifier,
        given=columns_sql(names, "given"),
        found=columns_sql(names, "found"),
        values=values_of(plan),
        staging=staging,
    )


def partial_plan(plan: Plan, key: Sequence[str]) -> Plan:
    """Of rows that lack some columns: beside those of the plan the key of the row that has them,
    and their names."""
    columns = [
        replace(column, target=replace(column.target, filled=True)) for column in plan.columns
    ]
    return Plan(plan.table, (*columns, *_origins(plan, key), _UNSENT_COLUMN))


def _origins(plan: Plan, key: Sequence[str]) -> list[Written]:
    return [
        replace(
            column, target=replace(column.target, column=replace(column.target.column, name=name))
        )
        for name, column in zip(_origin_names(key), plan.only(key).columns, strict=True)
    ]


def _origin_names(key: Sequence[str]) -> list[str]:
    return [f"_ferris_from_{number}" for number in range(len(key))]


def partial_rows(rows: pa.RecordBatch, origins: pa.RecordBatch, unsent: pa.Array) -> pa.RecordBatch:
    """Rows for the staging table of a `partial_plan`, the columns in its order."""
    names = [*rows.schema.names, *_origin_names(origins.schema.names), _UNSENT]
    return pa.RecordBatch.from_arrays([*rows.columns, *origins.columns, unsent], names)


def fill(plan: Plan, key: Sequence[str], staging: sql.Identifier) -> sql.Composed:
    """Gives the staged rows of a `partial_plan` the values that the target has; ``plan`` is that of
    the rows themselves."""
    others = [column for column in plan.columns if column.name not in key]
    assignments = [
        sql.SQL("{0} = CASE WHEN {1} = ANY(given.{2}) THEN {3} ELSE given.{0} END").format(
            sql.Identifier(column.name),
            sql.Literal(column.name),
            sql.Identifier(_UNSENT),
            _as_staged(column),
        )
        for column in others
    ]
    origins = plan.only(key)
    conditions = sql.SQL(" AND ").join(
        sql.SQL("target.{} = given.{}::{}").format(
            sql.Identifier(column.name),
            sql.Identifier(name),
            sql.SQL(column.target.declared),
        )
        for name, column in zip(_origin_names(key), origins.columns, strict=True)
    )
    return sql.SQL("UPDATE {} AS given SET {} FROM {} AS target WHERE {}").format(
        staging, sql.SQL(", ").join(assignments), plan.table.name.identifier, conditions
    )


def _as_staged(column: Written) -> sql.Composed:
    """A value of the target as the staging table has it."""
    name = sql.Identifier("target", column.name)
    cast = column.target.column.cast
    return sql.SQL("{}::{}").format(name, sql.SQL(cast)) if cast else sql.SQL("{}").format(name)


def _matched(targets: Sequence[str], given: Sequence[str]) -> sql.Composed:
    return sql.SQL(" AND ").join(
        sql.SQL("target.{} = given.{}").format(sql.Identifier(one), sql.Identifier(other))
        for one, other in zip(targets, given, strict=True)
    )
