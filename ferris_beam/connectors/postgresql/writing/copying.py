"""COPY … FROM STDIN (FORMAT BINARY)."""

from __future__ import annotations

import pyarrow as pa
from psycopg import sql
from psycopg.copy import QueuedLibpqWriter

from ferris_beam.connectors.postgresql.binary import Encoder
from ferris_beam.connectors.postgresql.failures import explained
from ferris_beam.connectors.postgresql.writing.names import columns_sql
from ferris_beam.connectors.postgresql.writing.plan import Plan
from ferris_beam.connectors.postgresql.writing.session import Session

_ROWS = 16_384
"""Rows that are encoded at once, while the server works on those before."""


def copy_rows(
    session: Session, relation: sql.Identifier, plan: Plan, records: pa.RecordBatch
) -> None:
    """Copies rows that are `Plan.fitted` already.

    Raises `BadRecordError`, with the row's index where the server names it. A thread sends what
    is encoded, so that encoding and the server's work overlap.
    """
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)")
    query = statement.format(relation, columns_sql(plan.names))
    encoder = Encoder(records.schema, [column.target.column for column in plan.columns])
    with explained(session.display):
        cursor = session.connection.cursor()
        with cursor.copy(query, writer=QueuedLibpqWriter(cursor)) as copy:
            copy.write(encoder.header())
            for start in range(0, records.num_rows, _ROWS):
                copy.write(encoder.rows(records.slice(start, _ROWS)))
            copy.write(encoder.trailer())
