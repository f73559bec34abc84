"""How rows get into a table: `Mode`, and the one that adds them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import pyarrow as pa
from psycopg import sql

from ferris_beam.connectors.postgresql.writing.copying import copy_rows
from ferris_beam.connectors.postgresql.writing.names import columns_sql
from ferris_beam.connectors.postgresql.writing.plan import Plan
from ferris_beam.connectors.postgresql.writing.session import Session
from ferris_beam.connectors.postgresql.writing.tables import TargetTable, Temporaries

Action = Callable[[], None]


class Mode(ABC):
    """What the option ``mode`` chooses. ``names`` are of columns that are not the table's."""

    @abstractmethod
    def ready(self, records: pa.RecordBatch) -> Action:
        """What writes these rows inside of a transaction, under a savepoint.

        Tables and plans are made ready here, which may roll back what is open; rows that fit no
        column are refused here: `BadRecordError`.
        """


class Append(Mode):
    """Rows are added as they are."""

    def __init__(self, session: Session, target: TargetTable) -> None:
        self._session = session
        self._target = target
        self._temporaries = Temporaries(session)

    def ready(self, records: pa.RecordBatch) -> Action:
        plan = self._target.plan(records.schema)
        fitted = plan.fitted(records)
        if not plan.by_text and plan.table.kind != "view":  # no COPY into a view
            return lambda: copy_rows(self._session, plan.table.name.identifier, plan, fitted)
        staging = self._temporaries.table(*staging_of(plan))
        return lambda: self._insert(plan, staging, fitted)

    def _insert(self, plan: Plan, staging: sql.Identifier, fitted: pa.RecordBatch) -> None:
        stage(self._session, staging, plan, fitted)
        query = sql.SQL("INSERT INTO {} ({}) {} SELECT {} FROM {}").format(
            plan.table.name.identifier,
            columns_sql(plan.names),
            overriding(plan),
            values_of(plan),
            staging,
        )
        self._session.execute(query)


def stage(session: Session, staging: sql.Identifier, plan: Plan, fitted: pa.RecordBatch) -> None:
    """Makes rows the content of a temporary table."""
    session.execute(sql.SQL("TRUNCATE {}").format(staging))
    copy_rows(session, staging, plan, fitted)


def staging_of(plan: Plan) -> tuple[str, Callable[[], sql.Composable]]:
    """For `Temporaries.table`: the columns of a plan as they are sent."""
    parts = [
        sql.SQL("{} {}{}").format(
            sql.Identifier(column.name),
            sql.SQL(column.target.column.cast or column.target.declared),
            sql.SQL(" NOT NULL" if column.target.not_null and not column.target.filled else ""),
        )
        for column in plan.columns
    ]
    definition = sql.SQL(", ").join(parts)
    return definition.as_string(None), lambda: definition


def values_of(plan: Plan) -> sql.Composable:
    """The columns of a staging table as the target takes them."""
    return sql.SQL(", ").join(
        sql.SQL("{0}::{1} AS {0}").format(
            sql.Identifier(column.name),
            sql.SQL(column.target.declared),
        )
        if column.by_text
        else sql.Identifier(column.name)
        for column in plan.columns
    )


def overriding(plan: Plan) -> sql.SQL:
    """Values that are given win over those of an identity column's sequence, as in COPY."""
    return sql.SQL("OVERRIDING SYSTEM VALUE" if plan.sends_identity else "")
