"""Rows as texts of JSON: the server makes rows of its own types of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
from psycopg import sql

from ferris_beam.connectors.postgresql.binary import copy_out
from ferris_beam.connectors.postgresql.failures import explained
from ferris_beam.connectors.postgresql.types import Column, ServerType
from ferris_beam.connectors.postgresql.writing.changes import Index, located
from ferris_beam.connectors.postgresql.writing.modes import stage, staging_of
from ferris_beam.connectors.postgresql.writing.plan import Plan, column_beside
from ferris_beam.connectors.postgresql.writing.session import Session
from ferris_beam.connectors.postgresql.writing.table import Table
from ferris_beam.connectors.postgresql.writing.tables import TargetTable, Temporaries
from ferris_beam.errors import BadRecordError
from ferris_beam.formats.jsonl.inference import infer_schema, settled
from ferris_beam.formats.window import Block

_DOCUMENT = column_beside("document", "jsonb", ServerType(3802, "jsonb"), pa.string())


def rows_of_documents(
    session: Session,
    temporaries: Temporaries,
    target: TargetTable,
    documents: Sequence[pa.Array],
    unsent: Iterable[str],
    rows: Index,
) -> list[pa.RecordBatch]:
    """The rows that each array of objects holds; where there is no object, nulls.

    The target is created or extended first where it must be: its columns say what the members of
    the objects are. ``unsent`` are columns that some objects leave out though their rows have them,
    ``rows`` the places of the objects in their batch, for errors.
    """
    texts = pa.concat_arrays([array.cast(pa.string()) for array in documents])
    table, names = _table_for(target, texts, unsent)
    columns = [table.by_name[name].column for name in names if name in table.by_name]
    plan = Plan(table, (_DOCUMENT,))
    staging = temporaries.table(*staging_of(plan))
    sent = pa.RecordBatch.from_arrays([texts.fill_null("{}")], [_DOCUMENT.name])
    # A temporary table keeps its rows as long as the transaction lasts.
    with session.savepoint() if session.is_open else session.transaction():
        with located(np.tile(rows, len(documents))):
            stage(session, staging, plan, sent)
        found = _read(session, table, columns, staging, rows)
    return [found.slice(start * len(rows), len(rows)) for start in range(len(documents))]


def _table_for(
    target: TargetTable, texts: pa.Array, unsent: Iterable[str]
) -> tuple[Table, list[str]]:
    """The table, and the columns that the objects tell of: their members, those that were not
    sent, and those that may not be null, which a deleted row's object need not have."""
    lines = "\n".join(texts.drop_null().to_pylist()).encode()
    members = settled(infer_schema(Block.of(lines)))
    there = target.table
    if there is None:
        return target.plan(members).table, members.names
    needed = (column.name for column in there.columns if column.not_null and not column.filled)
    names = list(dict.fromkeys([*members.names, *unsent, *needed]))
    fields = [
        there.by_name[name].column.field.with_nullable(True)
        if name in there.by_name
        else members.field(name)
        for name in names
        if name in there.by_name or name in members.names
    ]
    return target.plan(pa.schema(fields)).table, [field.name for field in fields]


def _read(
    session: Session,
    table: Table,
    columns: Sequence[Column],
    staging: sql.Identifier,
    rows: Index,
) -> pa.RecordBatch:
    query = sql.SQL(
        "SELECT {} FROM (SELECT ctid AS place, document FROM {}) given "
        "CROSS JOIN LATERAL jsonb_populate_record(NULL::{}, document) ORDER BY place"
    ).format(
        sql.SQL(", ").join(column.expression for column in columns),
        staging,
        table.name.identifier,
    )
    with explained(session.display):
        found = list(copy_out(session.connection, query, columns))
    for _, bad in found:
        for at, reason in bad.items():
            raise BadRecordError(f"{table.name}: {reason}", reason, int(rows[at % len(rows)]))
    schema = pa.schema([column.field.with_nullable(True) for column in columns])
    batches = [pa.RecordBatch.from_arrays(records.columns, schema=schema) for records, _ in found]
    return pa.concat_batches(batches) if batches else pa.RecordBatch.from_pylist([], schema)
