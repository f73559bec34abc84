"""Tables in which committed rows wait, out of sight, until all of the input is committed."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
from psycopg import sql

from ferris_beam.connectors.postgresql.writing.definition import alone
from ferris_beam.connectors.postgresql.writing.names import TableName, digest
from ferris_beam.connectors.postgresql.writing.plan import Plan, plan
from ferris_beam.connectors.postgresql.writing.session import Session
from ferris_beam.connectors.postgresql.writing.table import Table, describe
from ferris_beam.connectors.postgresql.writing.tables import TargetTable
from ferris_beam.errors import FatalError, TransientError

_DROP_TIMEOUT = "1s"

_FOUND = """
SELECT n.nspname::text, c.relname::text, pg_total_relation_size(c.oid)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND starts_with(c.relname::text, %s) ORDER BY 2
"""


class WaitingTable(TargetTable):
    """A table beside the target with the same columns, checks and indexes, for one generation of
    one pipeline's run. It is logged: rows that are committed survive a crash of the server."""

    def __init__(self, target: TargetTable, prefix: str, generation: Callable[[], int]) -> None:
        super().__init__(target.session, target.name, target.rules, target.key)
        self.target = target
        self._prefix = prefix
        self._generation = generation

    def plan(self, schema: pa.Schema) -> Plan:
        schema = schema.remove_metadata()
        found = self._plans.get(schema)
        if found is None:
            like = self.target.plan(schema).table
            self.name = self.name_beside(like.name)
            self._table = self._made(like)
            found = self._plans[schema] = plan(schema, self._table, self.rules.unknown)
        return found

    def name_beside(self, target: TableName) -> TableName:
        return target.beside(f"{self._prefix}{self._generation()}")

    def waiting(self) -> Table | None:
        """The table, if there is one; None where nothing was written."""
        target = self.target.table
        return None if target is None else describe(self.session, self.name_beside(target.name))

    def _made(self, like: Table) -> Table:
        """The table with all columns of the target, made or extended where it must be."""
        table = describe(self.session, self.name)
        if table is None or not like.by_name.keys() <= table.by_name.keys():
            self.session.rollback()
            with alone(self.session, self.name):
                self._define(like)
            table = describe(self.session, self.name)
        if table is None:
            raise TransientError(f"{self.name} was dropped by another run")
        return table

    def _define(self, like: Table) -> None:
        """Identity columns are filled when the rows are moved, by the target's own sequence."""
        table = self.name.identifier
        create = sql.SQL("CREATE TABLE IF NOT EXISTS {} (LIKE {} INCLUDING ALL EXCLUDING IDENTITY)")
        self.session.execute(create.format(table, like.name.identifier))
        made = describe(self.session, self.name)
        assert made is not None
        changes = [
            sql.SQL("ADD COLUMN {} {}").format(
                sql.Identifier(column.name),
                sql.SQL(column.declared),
            )
            for column in like.columns
            if column.name not in made.by_name
        ]
        changes += [
            sql.SQL("ALTER COLUMN {} DROP NOT NULL").format(sql.Identifier(column.name))
            for column in like.columns
            if column.identity and column.name not in like.primary_key
        ]
        if changes:
            query = sql.SQL("ALTER TABLE {} {}").format(table, sql.SQL(", ").join(changes))
            self.session.execute(query)


def prefix_of(sink: str, pipeline: str) -> str:
    """What the names of a pipeline's waiting tables at a sink begin with."""
    return f"_ferris_{digest(sink, pipeline)}_"


def found(session: Session, prefix: str) -> list[tuple[TableName, int]]:
    """The waiting tables there are, and their sizes in bytes."""
    rows = session.rows(_FOUND, [prefix])
    return [(TableName(schema, name), size) for schema, name, size in rows]


def drop(session: Session, prefix: str, kept: int | None = None) -> None:
    """Drops the waiting tables of all generations but ``kept``, in the open transaction.

    One that an older run still holds open is left for the next time; its name says whose it is.
    """
    for name, _ in found(session, prefix):
        if kept is not None and name.table == f"{prefix}{kept}":
            continue
        try:
            with session.savepoint():
                session.execute("SELECT set_config('lock_timeout', %s, true)", [_DROP_TIMEOUT])
                drop_table(session, name)
        except (TransientError, FatalError):
            if not session.is_open:
                raise


def drop_table(session: Session, name: TableName) -> None:
    session.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(name.identifier))
