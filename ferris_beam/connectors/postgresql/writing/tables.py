"""The tables that are written: looked up, created, extended, and remembered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
from psycopg import sql

from ferris_beam.connectors.postgresql.writing.definition import add_columns, alone, create_table
from ferris_beam.connectors.postgresql.writing.names import TableName
from ferris_beam.connectors.postgresql.writing.plan import Plan, missing_columns, plan
from ferris_beam.connectors.postgresql.writing.session import Session
from ferris_beam.connectors.postgresql.writing.table import Table, describe
from ferris_beam.errors import ConfigurationError


@dataclass(frozen=True)
class Rules:
    """What may be done to tables: the options create_table and columns."""

    create: bool = True
    unknown: str = "match"


@dataclass
class TargetTable:
    """One table, and the plans of the schemas that were written to it.

    ``key``, the primary key of a table that is created. Definitions change in transactions of
    their own: what is open then is rolled back first, and written again by whoever opened it.
    """

    session: Session
    name: TableName
    rules: Rules = Rules()
    key: Sequence[str] = ()
    _table: Table | None = None
    _plans: dict[pa.Schema, Plan] = field(default_factory=dict)

    def plan(self, schema: pa.Schema) -> Plan:
        """Where the columns of a schema go; defines what is missing."""
        schema = schema.remove_metadata()
        found = self._plans.get(schema)
        if found is None:
            table = self._table or describe(self.session, self.name)
            if table is None or (self._extends and missing_columns(schema, table)):
                table = self._defined(schema)
            found = self._plans[schema] = plan(schema, table, self.rules.unknown)
            self._table = table
        return found

    @property
    def table(self) -> Table | None:
        """The table as it stands; None where there is none yet."""
        if self._table is None:
            self._table = describe(self.session, self.name)
        return self._table

    def forget(self) -> None:
        """Looks at the catalog again when it is next asked: somebody may have changed it."""
        self._table = None
        self._plans.clear()

    @property
    def _extends(self) -> bool:
        return self.rules.unknown == "evolve"

    def _defined(self, schema: pa.Schema) -> Table:
        """Creates or extends the table, unless another writer was faster."""
        self.session.rollback()
        self.forget()
        with alone(self.session, self.name):
            table = describe(self.session, self.name)
            if table is None:
                if not self.rules.create:
                    raise self._no_table()
                create_table(self.session, self.name, list(schema), self.key)
            elif missing := missing_columns(schema, table):
                add_columns(self.session, table, missing)
        table = describe(self.session, self.name)
        if table is None:
            raise self._no_table()
        return table

    def _no_table(self) -> ConfigurationError:
        return ConfigurationError(
            f"{self.session.display} has no table {self.name}; create it, check its schema, or let "
            "create_table=true create it with the columns of the rows"
        )


class Temporaries:
    """Temporary tables of a session, which last as long as its connection."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._connection = 0
        self._made: dict[str, sql.Identifier] = {}

    def table(self, shape: str, columns: Callable[[], sql.Composable]) -> sql.Identifier:
        """The temporary table of a ``shape``, a text that stands for its columns; empty.

        ``columns`` gives its definition. A new one is made outside of transactions: what is open
        is rolled back.
        """
        if not self._session.is_connected or self._session.connections != self._connection:
            self._made.clear()
        if shape in self._made:
            return self._made[shape]
        self._session.rollback()
        name = sql.Identifier("pg_temp", f"_ferris_{len(self._made)}")
        query = sql.SQL("CREATE TEMPORARY TABLE {} ({}) ON COMMIT DELETE ROWS")
        self._session.execute(query.format(name, columns()))
        self._connection = self._session.connections
        self._made[shape] = name
        return name
