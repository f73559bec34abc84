"""COPY … TO STDOUT (FORMAT BINARY), in batches."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
from psycopg import errors, sql
from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.pq.abc import PGconn

from ferris_beam.connectors.postgresql.binary.cells import cells
from ferris_beam.connectors.postgresql.binary.decoding import decode_columns
from ferris_beam.connectors.postgresql.types.column import Column
from ferris_beam.errors import FatalError, TransientError

SIGNATURE = b"PGCOPY\n\xff\r\n\0"
_HEADER = len(SIGNATURE) + 4 + 4  # flags, and the length of an extension
_TRAILER = b"\xff\xff"

Rows = tuple[bytearray, list[int]]
"""Rows of COPY BINARY one behind the other, and how many bytes each has."""


def copy_out(
    connection: psycopg.Connection[Any],
    query: sql.Composable,
    columns: Sequence[Column],
    batch_rows: int = 65_536,
    batch_bytes: int = 64 << 20,
) -> Generator[tuple[pa.RecordBatch, dict[int, str]], None, None]:
    """The rows of a SELECT that names exactly the `Column.expression` of each column.

    Yields batches of at most ``batch_rows`` rows and about ``batch_bytes`` bytes as they are sent,
    with the bad rows as `decode_columns` gives them. One that is closed early cancels the query.
    """
    for data, lengths in copied_rows(connection, query, batch_rows, batch_bytes):
        yield decode_rows(columns, data, lengths)


def decode_rows(
    columns: Sequence[Column], data: bytearray, lengths: Sequence[int]
) -> tuple[pa.RecordBatch, dict[int, str]]:
    """Rows of COPY BINARY as Arrow."""
    ends = np.cumsum(np.array(lengths, np.int64))
    values = np.frombuffer(data, np.uint8)
    starts = ends - np.array(lengths, np.int64)
    return decode_columns(columns, values, cells(values, starts, len(columns)))


def copied_rows(
    connection: psycopg.Connection[Any],
    query: sql.Composable,
    batch_rows: int,
    batch_bytes: int,
) -> Iterator[Rows]:
    """The rows as the server sends them, many at a time."""
    statement = sql.SQL("COPY ({}\n) TO STDOUT (FORMAT BINARY)").format(query)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        messages = _Messages(connection.pgconn, copy)
        headed = trailed = False
        while not messages.ended:
            data, lengths = messages.some(batch_rows, batch_bytes)
            if lengths and not headed:
                _remove_header(data, lengths)
                headed = True
            trailed = _remove_trailer(data, lengths) or trailed
            if lengths:
                yield data, lengths
        if not trailed:
            raise TransientError("COPY ended before its end was sent")


class _Messages:
    """The messages of a COPY that goes on.

    They are taken from libpq's buffer without a wait between them, each added to one bytearray:
    an object that lives on for each row would cost seven times as much.
    """

    def __init__(self, pgconn: PGconn, copy: psycopg.Copy) -> None:
        self._pgconn, self._copy = pgconn, copy
        self.ended = False

    def some(self, batch_rows: int, batch_bytes: int) -> Rows:
        """At most so many rows, and about so many bytes; raises the driver's errors."""
        data = bytearray()
        lengths: list[int] = []
        receive, remember = self._pgconn.get_copy_data, lengths.append
        while len(lengths) < batch_rows and len(data) < batch_bytes:
            nbytes, message = receive(1)
            if nbytes < 0:
                self._end()
                break
            if not nbytes:  # the buffer is empty: this waits, and listens to Ctrl-C
                waited = self._copy.read()
                if not waited:
                    self.ended = True
                    break
                data += waited
                remember(len(waited))
                continue
            data += message
            remember(nbytes)
        return data, lengths

    def _end(self) -> None:
        """The server has sent everything, or an error."""
        self.ended = True
        failure: psycopg.Error | None = None
        while (result := self._pgconn.get_result()) is not None:  # to the last, or it stays busy
            if result.status != ExecStatus.COMMAND_OK and failure is None:
                state = (result.error_field(DiagnosticField.SQLSTATE) or b"").decode()
                message = (result.error_message or b"").decode(errors="replace")
                failure = _error_class(state)(message)
        if failure is not None:
            raise failure


def _error_class(state: str) -> type[psycopg.Error]:
    try:
        return errors.lookup(state)
    except KeyError:
        return psycopg.OperationalError


def _remove_header(data: bytearray, lengths: list[int]) -> None:
    """The first message begins with it."""
    if not data.startswith(SIGNATURE):
        raise FatalError("COPY BINARY without its signature: is this a PostgreSQL server?")
    extension = int.from_bytes(data[_HEADER - 4 : _HEADER], "big")
    del data[: _HEADER + extension]
    lengths[0] -= _HEADER + extension
    if not lengths[0]:
        del lengths[0]


def _remove_trailer(data: bytearray, lengths: list[int]) -> bool:
    """The last message, a row of -1 columns; whether it was there."""
    if not lengths or lengths[-1] != len(_TRAILER) or not data.endswith(_TRAILER):
        return False
    del lengths[-1], data[-len(_TRAILER) :]
    return True
