"""COPY … FROM STDIN (FORMAT BINARY)."""

from __future__ import annotations

import pyarrow as pa
from isal import isal_zlib
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
    is encoded, so that encoding and the server's work overlap. The rows' bytes have a CRC-32,
    which is added to `Session.checksums`; ISA-L's is six times as fast as zlib's.
    """
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)")
    query = statement.format(relation, columns_sql(plan.names))
    encoder = Encoder(records.schema, [column.target.column for column in plan.columns])
    with explained(session.display):
        cursor = session.connection.cursor()
        with cursor.copy(query, writer=QueuedLibpqWriter(cursor)) as copy:
            copy.write(encoder.header())
            checksum = 0
            for start in range(0, records.num_rows, _ROWS):
                encoded = encoder.rows(records.slice(start, _ROWS))
                copy.write(encoded)
                checksum = isal_zlib.crc32(encoded, checksum)
            copy.write(encoder.trailer())
    session.checksums += checksum
