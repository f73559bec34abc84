"""mode=apply: changes of tables, brought into tables of the same names.

The changes of a batch are collapsed to the last state of each key, and brought in by a few
statements for each table: TRUNCATE, DELETE, INSERT … ON CONFLICT. Within an ordered unit the order
in which changes come is all there is to know, and the ledger lets none come twice. Where that
isn't so, `Positions` decide.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from ferris_beam.connectors.postgresql.writing import statements
from ferris_beam.connectors.postgresql.writing.changes import (
    TRUNCATE,
    Changes,
    Group,
    enveloped,
    flat,
    groups,
    is_document,
    is_flat,
    located,
    rows_in,
    unsent_names,
)
from ferris_beam.connectors.postgresql.writing.collapse import (
    Net,
    behind_truncate,
    net,
    ordered,
    signed,
)
from ferris_beam.connectors.postgresql.writing.documents import rows_of_documents
from ferris_beam.connectors.postgresql.writing.modes import Action, Mode, stage, staging_of
from ferris_beam.connectors.postgresql.writing.names import TableName
from ferris_beam.connectors.postgresql.writing.plan import Plan
from ferris_beam.connectors.postgresql.writing.positions import Positions
from ferris_beam.connectors.postgresql.writing.publishing import empty
from ferris_beam.connectors.postgresql.writing.session import Session
from ferris_beam.connectors.postgresql.writing.table import Table
from ferris_beam.connectors.postgresql.writing.tables import TargetTable, Temporaries
from ferris_beam.connectors.postgresql.writing.upsert import (
    check_columns,
    key_of,
    refuse_null_keys,
)
from ferris_beam.errors import BadRecordError, ConfigurationError, FatalError


@dataclass(frozen=True)
class _Staging:
    """The temporary tables of one plan."""

    whole: sql.Identifier
    keys: sql.Identifier
    partial: sql.Identifier


class Apply(Mode):
    """Routes changes to their tables. ``name``: all go to this one; None: to where each says."""

    def __init__(
        self,
        session: Session,
        target: Callable[[TableName], TargetTable],
        name: TableName | None,
        key: Sequence[str],
        position: str | None,
    ) -> None:
        self._session = session
        self._target = target
        self._name = name
        self._wanted_key = tuple(key)
        self._position = position
        self._targets: dict[TableName, TargetTable] = {}
        self._positions: dict[TableName, Positions] = {}
        self._temporaries = Temporaries(session)

    def ready(self, records: pa.RecordBatch) -> Action:
        is_flat(records.schema)
        found = groups(records, self._name, self._session.display)
        actions = [self._ready(group) for group in found]

        def write() -> None:
            for action in actions:
                action()

        return write

    def _ready(self, group: Group) -> Action:
        target = self._targets.setdefault(group.table, self._target(group.table))
        if _is_of_nothing(group) and target.table is None:
            return lambda: None  # a truncate of a table that no row has come of yet
        changes = self._changes(group, target)
        plan = target.plan(changes.values.schema)
        key = self._key_of(plan.table)
        if not key:
            staging = self._temporaries.table(*staging_of(plan))
            return lambda: self._write_without_key(changes, plan, staging)
        check_columns(plan, key)
        made = _Staging(
            self._temporaries.table(*staging_of(plan)),
            self._temporaries.table(*staging_of(plan.only(key))),
            self._temporaries.table(*staging_of(statements.partial_plan(plan, key))),
        )
        if self._position is None:
            return lambda: self._write_in_order(changes, plan, key, made)
        positions = self._positions_of(plan.table, key)
        seen = positions.make_ready(plan)
        return lambda: self._write_newer(changes, plan, key, made, positions, seen)

    def _changes(self, group: Group, target: TargetTable) -> Changes:
        if is_flat(group.records.schema):
            return flat(group, self._position)
        before, after = group.records.column("before"), group.records.column("after")
        if is_document(after.type):
            both, unsent = [before, after], unsent_names(group.records)
            rows = rows_of_documents(
                self._session, self._temporaries, target, both, unsent, group.rows
            )
        else:
            rows = [rows_in(before), rows_in(after)]
        keyed = bool(self._key_of(target.plan(rows[1].schema).table))
        return enveloped(group, rows[0], rows[1], self._position, keyed)

    def _key_of(self, table: Table) -> tuple[str, ...]:
        """None where the table has no key, and none is wanted."""
        if self._wanted_key or table.primary_key:
            return key_of(table, self._wanted_key)
        if self._position is not None:
            raise ConfigurationError(
                f"{table.name} has no primary key, so that positions of its rows can't be kept: "
                "say by key=column which columns tell its rows apart"
            )
        return ()

    def _positions_of(self, table: Table, key: tuple[str, ...]) -> Positions:
        if table.name not in self._positions:
            made = Positions(self._session, self._temporaries, table, key)
            self._positions[table.name] = made
        return self._positions[table.name]

    # ── inside of the transaction ───────────────────────────────────────────────────────────

    def _write_in_order(
        self, changes: Changes, plan: Plan, key: tuple[str, ...], made: _Staging
    ) -> None:
        rest, emptied = behind_truncate(changes)
        if emptied is not None:
            empty(self._session, plan.table)
        self._refuse_null_keys(rest, key)
        self._bring_in(net(rest, key), plan, key, made)

    def _write_newer(
        self,
        changes: Changes,
        plan: Plan,
        key: tuple[str, ...],
        made: _Staging,
        positions: Positions,
        seen: sql.Identifier,
    ) -> None:
        """Leaves out what is older than what was seen of its key, or than the last truncate."""
        positions.lock()
        truncates = changes.kinds == TRUNCATE
        if truncates.any():
            assert changes.positions is not None
            last = pc.max(changes.positions.filter(pa.array(truncates))).as_py()
            positions.truncate(int(last))
        rest = changes.take(np.flatnonzero(~truncates))
        self._refuse_null_keys(rest, key)
        with located(rest.rows):
            newer = rest.take(positions.fresh(rest, plan, seen))
        self._bring_in(net(ordered(newer), key), plan, key, made)
        positions.remember(plan, seen)

    def _bring_in(self, found: Net, plan: Plan, key: tuple[str, ...], made: _Staging) -> None:
        session = self._session
        if len(found.partial):
            self._fill(found, plan, key, made.partial)
        if len(found.deleted):
            keys = plan.only(key)
            self._stage(made.keys, keys, found.deleted)
            session.execute(statements.delete_keys(keys, made.keys))
        if len(found.whole):
            self._stage(made.whole, plan, found.whole)
            session.execute(statements.upsert_rows(plan, key, made.whole))
        if len(found.partial):
            session.execute(statements.upsert_rows(plan, key, made.partial))

    def _fill(self, found: Net, plan: Plan, key: tuple[str, ...], staging: sql.Identifier) -> None:
        """Stages rows that were sent in part, with the table's values for the rest."""
        partial = statements.partial_plan(plan, key)
        rows = found.partial.rows
        with located(rows):
            sent = plan.fitted(found.partial.values)
            origins = plan.only(key).fitted(found.origins)
            unsent = found.partial.unsent
            assert unsent is not None
            stage(self._session, staging, partial, statements.partial_rows(sent, origins, unsent))
        filled = self._session.execute(statements.fill(plan, key, staging)).rowcount
        if filled < len(rows):
            raise BadRecordError(
                f"{plan.table.name}: a change leaves out columns that did not change, but the "
                "table has no row from which they could be taken",
                "the changed row is not in the table",
                int(rows[0]) if len(rows) == 1 else None,
                "constraint",
            )

    def _write_without_key(self, changes: Changes, plan: Plan, staging: sql.Identifier) -> None:
        """Rows that are equal can't be told apart: one of them goes for each delete."""
        rest, emptied = behind_truncate(changes)
        if emptied is not None:
            empty(self._session, plan.table)
        gone, come = signed(rest)
        if len(come):
            self._stage(staging, plan, come)
            self._session.execute(statements.insert_rows(plan, staging))
        if not len(gone):
            return
        self._stage(staging, plan, gone)
        deleted = self._session.execute(statements.delete_rows(plan, staging)).rowcount
        if deleted < len(gone):
            raise FatalError(
                f"{plan.table.name} has no primary key, and of {len(gone)} rows to be deleted it "
                f"has {deleted}. Say by key=column which columns tell its rows apart; or let the "
                "source send whole rows: ALTER TABLE … REPLICA IDENTITY FULL"
            )

    def _stage(self, staging: sql.Identifier, plan: Plan, changes: Changes) -> None:
        with located(changes.rows):
            stage(self._session, staging, plan, plan.fitted(changes.values))

    def _refuse_null_keys(self, changes: Changes, key: tuple[str, ...]) -> None:
        with located(changes.rows):
            refuse_null_keys(changes.values, key)


def _is_of_nothing(group: Group) -> bool:
    """Whether the group's envelopes hold no row, from which columns could be known."""
    if is_flat(group.records.schema) or not is_document(group.records.schema.field("after").type):
        return False
    ends = (group.records.column("before"), group.records.column("after"))
    return all(end.null_count == len(group.rows) for end in ends)
