"""The finish: waiting rows become those of the table, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from ferris_beam.connectors.postgresql.writing.names import TableName, columns_sql
from ferris_beam.connectors.postgresql.writing.session import Session
from ferris_beam.connectors.postgresql.writing.table import Table
from ferris_beam.connectors.postgresql.writing.upsert import replacement
from ferris_beam.connectors.postgresql.writing.waiting import drop_table
from ferris_beam.errors import BadRecordError, FatalError

_IS_PLAIN = """
SELECT c.relkind = 'r' AND c.relpersistence = 'p' AND c.relacl IS NULL AND c.reloptions IS NULL
    AND c.reltablespace = 0 AND c.relreplident = 'd' AND NOT c.relrowsecurity
    AND NOT c.relispartition AND NOT c.relhassubclass AND NOT c.relhasrules
    AND pg_catalog.pg_has_role(c.relowner, 'USAGE')
    AND c.relowner = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user)
    AND obj_description(c.oid, 'pg_class') IS NULL
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = c.oid)
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint
        WHERE contype = 'f' AND (conrelid = c.oid OR confrelid = c.oid))
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhrelid = c.oid)
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_publication_rel WHERE prrelid = c.oid)
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = c.oid
        AND attnum > 0 AND NOT attisdropped AND (attacl IS NOT NULL OR attidentity <> ''))
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend WHERE refobjid = c.oid
        AND refclassid = 'pg_catalog.pg_class'::regclass
        AND (classid = 'pg_catalog.pg_rewrite'::regclass OR (
            classid = 'pg_catalog.pg_class'::regclass
            AND objid IN (SELECT oid FROM pg_catalog.pg_class WHERE relkind = 'S'))))
FROM pg_catalog.pg_class c WHERE c.oid = %s::oid
"""
_IS_REFERENCED = """
SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint
    WHERE contype = 'f' AND confrelid = %(table)s::oid AND conrelid <> %(table)s::oid)
    OR NOT has_table_privilege(%(table)s::oid, 'TRUNCATE')
"""
_INDEXES = """
WITH indexes AS (
    SELECT i.indrelid, c.relname::text AS name,
        substring(pg_get_indexdef(i.indexrelid) FROM ' USING .*') AS definition,
        i.indisunique AS is_unique, i.indisprimary AS is_primary,
        i.indexrelid
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY indrelid, definition, is_unique, is_primary
        ORDER BY indexrelid) AS place FROM indexes
)
SELECT new.name, old.name FROM ranked new JOIN ranked old
    USING (definition, is_unique, is_primary, place)
WHERE new.indrelid = %s::oid AND old.indrelid = %s::oid
"""


def move(
    session: Session,
    waiting: Table,
    target: Table,
    key: Sequence[str] = (),
    position: str | None = None,
) -> None:
    """Adds the waiting rows to the table; with a ``key`` they replace those that have it."""
    conflict: sql.Composable = sql.SQL("")
    names = [column.name for column in target.columns if _moves(column.name, waiting, target)]
    if key:
        replaced = [name for name in names if target.by_name[name].identity != "a"]
        conflict = sql.SQL("ON CONFLICT ({}) DO {}").format(
            columns_sql(list(key)), replacement(replaced, key, position)
        )
    query = sql.SQL("INSERT INTO {} AS target ({}) {} SELECT {} FROM {} {}").format(
        target.name.identifier,
        columns_sql(names),
        sql.SQL("OVERRIDING SYSTEM VALUE" if _has_identity(target) else ""),
        sql.SQL(", ").join(_value(target, name) for name in names),
        waiting.name.identifier,
        conflict,
    )
    try:
        session.execute(query)
    except BadRecordError as error:
        raise FatalError(
            f"{target.name} refuses the rows that waited for the end of the input, so that none of "
            f"them was written: {error.message}\nmend the table or the input and run again: with "
            "the same name the finish is repeated, with --reset all of it"
        ) from error
    drop_table(session, waiting.name)


def replace_all(session: Session, waiting: Table | None, target: Table) -> None:
    """The waiting rows instead of those of the table; without a waiting table, none.

    A table on which nothing else hangs is dropped, and the new one takes its name, its indexes
    theirs. Where rights, views, foreign keys, triggers, policies, publications, sequences, a
    comment or storage settings belong to it, it stays, is emptied and filled again.
    """
    ((plain,),) = session.rows(_IS_PLAIN, [target.oid])
    if plain and waiting is not None:
        _swap(session, waiting, target)
        return
    empty(session, target)
    if waiting is not None:
        move(session, waiting, target)


def empty(session: Session, target: Table) -> None:
    """Removes all rows: by TRUNCATE, where rights and foreign keys allow it."""
    ((referenced,),) = session.rows(_IS_REFERENCED, {"table": target.oid})
    statement = sql.SQL("DELETE FROM {}" if referenced else "TRUNCATE {}")
    session.execute(statement.format(target.name.identifier))


def _swap(session: Session, waiting: Table, target: Table) -> None:
    renamed = session.rows(_INDEXES, [waiting.oid, target.oid])
    drop_table(session, target.name)
    query = sql.SQL("ALTER TABLE {} RENAME TO {}")
    new_name = sql.Identifier(target.name.table)
    session.execute(query.format(waiting.name.identifier, new_name))
    for new, old in renamed:
        index = TableName(waiting.name.schema, new).identifier
        session.execute(sql.SQL("ALTER INDEX {} RENAME TO {}").format(index, sql.Identifier(old)))


def _moves(name: str, waiting: Table, target: Table) -> bool:
    return name in waiting.by_name and not target.by_name[name].generated


def _has_identity(target: Table) -> bool:
    return any(column.identity for column in target.columns)


def _value(target: Table, name: str) -> sql.Composable:
    """A value that waits; of an identity column that was given none, the sequence's next."""
    column = sql.Identifier(name)
    if not target.by_name[name].identity:
        return column
    sequence = sql.SQL("nextval(pg_get_serial_sequence({}, {}))").format(
        sql.Literal(target.name.identifier.as_string(None)), sql.Literal(name)
    )
    return sql.SQL("coalesce({}, {})").format(column, sequence)
