"""CREATE TABLE and ALTER TABLE ADD COLUMN, in transactions of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa
from psycopg import sql

from ferris_beam.connectors.postgresql.types import ddl_type
from ferris_beam.connectors.postgresql.writing.names import TableName, columns_sql, lock_number
from ferris_beam.connectors.postgresql.writing.session import Session
from ferris_beam.connectors.postgresql.writing.table import Table
from ferris_beam.errors import SchemaError


@contextmanager
def alone(session: Session, name: TableName) -> Iterator[None]:
    """A transaction in which no other writer creates or changes the table of this name."""
    with session.transaction():
        number = lock_number("definition", name.table)
        session.execute("SELECT pg_advisory_xact_lock(%s)", [number])
        yield


def create_table(
    session: Session, name: TableName, fields: Sequence[pa.Field], key: Sequence[str] = ()
) -> None:
    """Creates the table unless it is there; ``key`` becomes its primary key."""
    session.execute(creation(name, fields, key))


def creation(name: TableName, fields: Sequence[pa.Field], key: Sequence[str] = ()) -> sql.Composed:
    """The statement. Raises `SchemaError` for a type that PostgreSQL can't hold, or a key that is
    not among the columns."""
    if not fields:
        raise SchemaError(f"{name} can't be created without columns")
    lacking = [column for column in key if column not in {field.name for field in fields}]
    if lacking:
        raise SchemaError(
            f"{name} can't be created with the key {', '.join(key)}: the rows have no column "
            f"{', '.join(lacking)}"
        )
    parts: list[sql.Composable] = [_declaration(field) for field in fields]
    if key:
        parts.append(sql.SQL("PRIMARY KEY ({})").format(columns_sql(list(key))))
    query = sql.SQL("CREATE TABLE IF NOT EXISTS {} ({})")
    return query.format(name.identifier, sql.SQL(", ").join(parts))


def add_columns(session: Session, table: Table, fields: Sequence[pa.Field]) -> None:
    """Adds columns that may be NULL, as all rows that are there will have them."""
    additions = sql.SQL(", ").join(
        sql.SQL("ADD COLUMN IF NOT EXISTS {}").format(_declaration(field)) for field in fields
    )
    session.execute(sql.SQL("ALTER TABLE {} {}").format(table.name.identifier, additions))


def _declaration(field: pa.Field) -> sql.Composed:
    declared = sql.SQL(ddl_type(field.type, field.name))
    return sql.SQL("{} {}").format(sql.Identifier(field.name), declared)
