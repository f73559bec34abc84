"""Rows of COPY BINARY as ADBC's driver decodes them: without the interpreter's lock.

It is faster than `binary.copy_out`, and does less: the commonest types alone, no word on which
value is at fault, and its errors are not those of psycopg, which `failures` knows. So it only goes
ahead: where anything is unusual it stops, and whoever reads goes on behind the last row with
`binary.copy_out`, which says what there is to say.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import adbc_driver_manager as adbc
import adbc_driver_postgresql  # type: ignore[import-untyped]
import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.connectors.postgresql.types import Column

LEAST_BLOCKS = 512
"""Below 4 MiB it isn't worth the 50 ms in which the driver learns the server's types."""

_BATCH_BYTES = 2 << 20
"""Of batches, about: several to a piece of a table: one is decoded while another is used."""

_BATCH_SIZE = adbc_driver_postgresql.StatementOptions.BATCH_SIZE_HINT_BYTES.value

_TYPES = frozenset(
    {"bool", "int2", "int4", "int8", "float4", "float8", "text", "varchar", "bpchar", "bytea"}
    | {"date", "timestamp", "timestamptz"}
)
_FIRST_DAY = -2_440_588
_FIRST_MICROSECOND = _FIRST_DAY * 86_400_000_000
"""4714-11-24 BC, since 1970. Infinity, and what is behind Arrow's last instant, overflow and come
out below it."""

_Errors = (adbc.Error, pa.ArrowException, OSError)


class ColumnarDriver:
    """ADBC's driver for one server, or one of its hosts; each `connection` is a new one."""

    def __init__(self, dsn: Callable[[], str]) -> None:
        self._dsn = dsn
        self._lock = threading.Lock()
        self._database: adbc.AdbcDatabase | None = None
        self._failed = False

    def connection(self) -> adbc.AdbcConnection | None:
        """None where it can't connect: it has libpq of another version built in than psycopg, and
        needs one more connection."""
        with self._lock:
            if self._failed:
                return None
            try:
                if self._database is None:
                    self._database = adbc_driver_postgresql.connect(self._dsn())
                return adbc.AdbcConnection(self._database)
            except adbc.Error:
                self._failed = True
                return None


def are_columnar(columns: Sequence[Column], server_encoding: str) -> bool:
    """Whether all values are of types that come out as `binary` decodes them. Texts of a database
    in SQL_ASCII may be no UTF-8, which is not checked here."""
    return server_encoding != "SQL_ASCII" and all(
        column.wire.builtin and column.wire.kind == "scalar" and column.wire.name in _TYPES
        for column in columns
    )


def rows(
    driver: ColumnarDriver,
    begin: Sequence[str],
    query: str,
    columns: Sequence[Column],
    batch_rows: int,
) -> Generator[tuple[pa.RecordBatch, dict[int, str]], None, int | None]:
    """The rows of ``query``, in a transaction that the statements ``begin`` begin; as
    `binary.copy_out` yields them, though none is bad.

    Returns None where these were all rows. After an error, or ahead of a value that Arrow's type
    can't hold, it returns how many it gave: they are right, and the next one is still to be read.
    """
    given = 0
    connection = driver.connection()
    if connection is None:
        return given
    schema = pa.schema([column.field for column in columns])
    try:
        with closing(connection), closing(adbc.AdbcStatement(connection)) as statement:
            for each in begin:
                statement.set_sql_query(each)
                statement.execute_update()
            statement.set_options(**{_BATCH_SIZE: str(_BATCH_BYTES)})
            statement.set_sql_query(query)
            stream, _ = statement.execute_query()
            with (
                closing(pa.RecordBatchReader.from_stream(stream)) as reader,
                closing(_ahead(statement, reader)) as batches,
            ):
                if reader.schema.types != schema.types:
                    return given
                for batch in batches:
                    records = pa.RecordBatch.from_arrays(batch.columns, schema=schema)
                    if not _is_whole(records):
                        return given
                    for start in range(0, records.num_rows, batch_rows):
                        yield records.slice(start, batch_rows), {}
                        given += min(batch_rows, records.num_rows - start)
    except _Errors:
        return given
    return None


def _ahead(
    statement: adbc.AdbcStatement, batches: pa.RecordBatchReader
) -> Generator[pa.RecordBatch, None, None]:
    """Each batch, while a thread decodes the next one. Closed early, it cancels the statement."""
    with ThreadPoolExecutor(1, "postgresql-columnar") as thread:
        coming = thread.submit(_next, batches)
        try:
            while (batch := coming.result()) is not None:
                coming = thread.submit(_next, batches)
                yield batch
        except BaseException:
            with suppress(adbc.Error):
                statement.cancel()
            raise


def _next(batches: pa.RecordBatchReader) -> pa.RecordBatch | None:
    try:
        return batches.read_next_batch()
    except StopIteration:
        return None


def _is_whole(records: pa.RecordBatch) -> bool:
    """Whether no date or timestamp has overflowed."""
    for values in records.columns:
        if pa.types.is_date(values.type):
            first, numbers = _FIRST_DAY, values.cast(pa.int32())
        elif pa.types.is_timestamp(values.type):
            first, numbers = _FIRST_MICROSECOND, values.cast(pa.int64())
        else:
            continue
        least = pc.min(numbers).as_py()
        if least is not None and least < first:
            return False
    return True
