"""Runs a fragment over batches.

Planning costs more than computing a small batch, so that a plan is kept for each thread and fed
again: its tables are datasets whose batches are replaced. That is right only for plans without a
state of their own (projections and filters); all others are planned anew for each run.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
from datafusion import SessionContext

from ferris_beam.batches.casting import cast_column, explain
from ferris_beam.errors import BadRecordError, FatalError, SchemaError
from ferris_beam.sql.kernel.faults import row_fault, run_error
from ferris_beam.sql.kernel.fragments import ROWS, Fragment, table_name
from ferris_beam.sql.kernel.seeding import ROW_NUMBER, row_numbers, with_start
from ferris_beam.sql.kernel.sessions import Limits, Session, empty, session_of_thread

_STATELESS = frozenset({"ProjectionExec", "FilterExec", "CooperativeExec", "DatasetExec"})
_NODE = re.compile(r"^\s*(\w+)", re.MULTILINE)


class Kernel:
    """Computes ``fragment``; several threads may use one kernel at a time.

    ``name`` and ``option`` stand in the message about memory: which node of the plan, and what
    sets its limit. Neither contexts nor plans are pickled.
    """

    def __init__(
        self,
        fragment: Fragment,
        memory_limit: int | None = None,
        *,
        spill_folder: str = "",
        name: str = "",
        option: str = "--sql_memory_limit",
    ) -> None:
        self.fragment = fragment
        self.limits = Limits(memory_limit, spill_folder)
        self.name = name
        self.option = option
        self._prepared = threading.local()

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.fragment, self.limits, self.name, self.option)

    def run(self, *tables: Sequence[pa.RecordBatch], seed: str = "") -> pa.RecordBatch:
        """One batch of exactly ``fragment.schema``. ``tables`` are the batches of each input, which
        may have more columns than are read. Raises `BadRecordError` for the fault of a row,
        `SchemaError` for columns that don't fit, `FatalError` for all else."""
        if len(tables) != len(self.fragment.inputs):
            raise FatalError(
                f"the query reads {len(self.fragment.inputs)} inputs and was given {len(tables)}"
            )
        given = [
            fitted(table, schema)
            for table, schema in zip(tables, self.fragment.inputs, strict=True)
        ]
        try:
            batches = self._run(given, seed)
        except Exception as error:
            raise run_error(error, self.name, self.option) from error
        return _one_batch(batches, self.fragment.schema)

    def _run(self, tables: Sequence[Sequence[pa.RecordBatch]], seed: str) -> list[pa.RecordBatch]:
        session = session_of_thread(self.limits)
        session.seed.text = seed
        session.learn(self.fragment.functions)
        guarded = self.fragment.guarded
        if not getattr(self._prepared, "guarded", False):
            try:
                return self._form(session, self.fragment.sql).run(tables)
            except Exception as error:
                if not guarded or row_fault(str(error)) is None:
                    raise
        batches = self._form(session, guarded).run(tables)
        self._prepared.guarded = True  # such rows seldom come alone
        return batches

    def _form(self, session: Session, sql: str) -> _Prepared:
        """The thread's plan of one form of the query; a new one when the run's start is another."""
        forms: dict[str, _Prepared] | None = getattr(self._prepared, "forms", None)
        if forms is None:
            forms = self._prepared.forms = {}
        written = with_start(sql, session.seed)
        if sql not in forms or forms[sql].sql != written:
            forms[sql] = _Prepared(written, self.fragment.inputs, session)
        return forms[sql]


def _restored(fragment: Fragment, limits: Limits, name: str, option: str) -> Kernel:
    return Kernel(
        fragment, limits.memory, spill_folder=limits.spill_folder, name=name, option=option
    )


class _Prepared:
    """A query in one thread's session: with a plan that is run again, if it may be."""

    def __init__(self, sql: str, inputs: Sequence[pa.Schema], session: Session) -> None:
        self.sql = sql
        self._context: SessionContext = session.context
        self._tables = [_Table(schema) for schema in inputs]
        plan = self._planned()
        self._plan = plan if _is_stateless(plan) else None

    def _planned(self) -> Any:
        names = [table_name(number) for number in range(len(self._tables))]
        try:
            for name, table in zip(names, self._tables, strict=True):
                self._context.register_dataset(name, table)
            return self._context.sql(self.sql).execution_plan()
        finally:
            for name in names:
                self._context.deregister_table(name)

    def run(self, tables: Sequence[Sequence[pa.RecordBatch]]) -> list[pa.RecordBatch]:
        if self._plan is None:
            return self._run_anew(tables)
        for table, batches in zip(self._tables, tables, strict=True):
            table.batches = batches
        try:
            return [batch.to_pyarrow() for batch in self._context.execute(self._plan, 0)]
        finally:
            for table in self._tables:
                table.batches = ()

    def _run_anew(self, tables: Sequence[Sequence[pa.RecordBatch]]) -> list[pa.RecordBatch]:
        names = [table_name(number) for number in range(len(tables))]
        try:
            for name, batches, table in zip(names, tables, self._tables, strict=True):
                given = list(batches) or [empty(table.schema)]
                self._context.register_record_batches(name, [given])
            found: list[pa.RecordBatch] = self._context.sql(self.sql).collect()
            return found
        finally:
            for name in names:
                self._context.deregister_table(name)


def _is_stateless(plan: Any) -> bool:
    return set(_NODE.findall(plan.display_indent())) <= _STATELESS


# ── a dataset whose batches are replaced ────────────────────────────────────────────────────────


class _Table(ds.Dataset):
    """What DataFusion asks of a dataset (crates/core/src/dataset_exec.rs of datafusion-python)."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self.batches: Sequence[pa.RecordBatch] = ()

    @property
    def schema(self) -> pa.Schema:
        return self._schema

    def get_fragments(self, filter: Any = None) -> Iterator[_Table]:
        return iter([self])

    def scanner(self, *_: Any, columns: Any = None, filter: Any = None, **__: Any) -> _Scan:
        if filter is not None:
            raise FatalError(f"DataFusion wants rows filtered by {filter}, which is its own work")
        return _Scan(self, columns)


class _Scan:
    def __init__(self, table: _Table, columns: list[str] | None) -> None:
        self._batches = table.batches
        self._columns = columns
        self._schema = table.schema

    @property
    def projected_schema(self) -> pa.Schema:
        if self._columns is None:
            return self._schema
        return pa.schema([self._schema.field(name) for name in self._columns])

    def to_batches(self) -> Iterator[pa.RecordBatch]:
        if self._columns is None or self._columns == self._schema.names:
            return iter(self._batches)
        return iter([batch.select(self._columns) for batch in self._batches])


# ── batches in, batches out ─────────────────────────────────────────────────────────────────────


def fitted(batches: Sequence[pa.RecordBatch], schema: pa.Schema) -> list[pa.RecordBatch]:
    """The columns of ``schema`` as it says, whatever else there is and however they are stored."""
    found, rows = [], 0
    for batch in batches:
        columns = [_column(batch, field, rows) for field in schema]
        found.append(pa.RecordBatch.from_arrays(columns, schema=schema))
        rows += batch.num_rows
    return found


def _column(batch: pa.RecordBatch, field: pa.Field, rows: int) -> pa.Array:
    """``rows`` of the same table came before."""
    at = batch.schema.get_field_index(field.name)
    if at < 0 and field.name == ROWS:
        return pa.nulls(batch.num_rows)
    if at < 0 and field.name == ROW_NUMBER:
        return row_numbers(rows, batch.num_rows)
    if at < 0:
        raise SchemaError(
            f"the column {field.name!r} is missing, or there are several; "
            f"there are: {', '.join(batch.schema.names)}"
        )
    column = batch.column(at)
    if column.type == field.type:
        return column
    cast = cast_column(column, field.type, name=field.name)
    if len(cast.bad):
        failure = explain(column, cast.bad[:1], field)[0]
        raise BadRecordError(failure.reason, "does not fit the type")
    return cast.column


def _one_batch(batches: list[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatch:
    if not batches:
        return empty(schema)
    try:
        whole = batches[0] if len(batches) == 1 else pa.concat_batches(batches)
    except pa.ArrowInvalid as error:
        raise FatalError(
            "the result of one batch has a column of more than 2 GiB; use smaller batches"
        ) from error
    columns = [
        column if column.type == field.type else column.cast(field.type)
        for column, field in zip(whole.columns, schema, strict=True)
    ]
    if not columns:
        return whole
    return pa.RecordBatch.from_arrays(columns, schema=schema)
