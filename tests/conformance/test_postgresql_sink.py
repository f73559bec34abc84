"""The contract over the PostgreSQL sink, on a real server, in each mode that takes any rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pytest

from ferris_beam.testing import SinkCase, SinkConformance
from tests.connectors.postgresql.reading import SETTINGS, read
from tests.services.database import Database

_NOBODY_LISTENS = "postgresql://postgres@127.0.0.1:1/nowhere?table=orders"


def rows_of(database: Database, table: str = "orders") -> pa.Table:
    """What the table shows to another connection, NULLs of the types that Arrow has."""
    ((there,),) = database.execute("SELECT to_regclass(%s) IS NOT NULL", [table])
    if not there:
        return pa.table({})
    with database.connect(options=SETTINGS) as connection:
        found, bad = read(connection, f'SELECT * FROM "{table}"', numeric="text")
    assert not bad
    return found


@contextmanager
def connection_is_lost_at_the_commit(database: Database) -> Iterator[None]:
    """The server ends the connection in the midst of COMMIT, when deferred triggers run."""
    database.execute(
        """
        CREATE FUNCTION end_connection() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$
        """
    )
    database.execute(
        "CREATE CONSTRAINT TRIGGER lost AFTER INSERT ON _ferris_ledger "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION end_connection()"
    )
    try:
        yield
    finally:
        database.execute("DROP FUNCTION end_connection CASCADE")


def as_stored(table: pa.Table) -> pa.Table:
    """Durations become intervals, structs and maps documents, unsigned 64 bits a numeric."""
    if "column_x" not in table.schema.names:
        return table
    at = table.schema.names.index("column_x")
    return table.set_column(at, "column_x", _kept(table["column_x"]))


def _kept(values: pa.ChunkedArray) -> Any:
    kind = values.type
    if pa.types.is_duration(kind):
        nanoseconds = values.cast(pa.duration("ns")).cast(pa.int64()).to_pylist()
        return pa.array([None if n is None else pa.MonthDayNano([0, 0, n]) for n in nanoseconds])
    if pa.types.is_struct(kind) or pa.types.is_map(kind):
        made: Callable[[Any], Any] = dict if pa.types.is_map(kind) else lambda value: value
        documents = [None if v is None else json.dumps(made(v)) for v in values.to_pylist()]
        return pa.array(documents, pa.string())
    return values


class TestAppend(SinkConformance):
    @pytest.fixture
    def case(self, database: Database) -> SinkCase:
        return sink_case(database)


class TestBadRows(SinkConformance):
    """A table with a check, and rows that violate it."""

    @pytest.fixture
    def case(self, database: Database) -> SinkCase:
        database.execute(
            "CREATE TABLE orders (id bigint, name text, amount float8 CHECK (amount < 1e9))"
        )
        names = ["id", "name", "amount"]
        refused = pa.table([[100, 101], ["a", "b"], [1e10, 2e10]], names=names)
        return sink_case(database, refused=refused)


class TestUpsert(SinkConformance):
    @pytest.fixture
    def case(self, database: Database) -> SinkCase:
        return sink_case(database, mode="upsert", key="id")


class TestOverwrite(SinkConformance):
    @pytest.fixture
    def case(self, database: Database) -> SinkCase:
        return sink_case(database, mode="overwrite")


def sink_case(database: Database, refused: pa.Table | None = None, **options: Any) -> SinkCase:
    return SinkCase(
        uri=database.uri(table="orders", **options),
        read=lambda: rows_of(database),
        as_stored=as_stored,
        refused=refused,
        interrupted=lambda: connection_is_lost_at_the_commit(database),
        failing=_NOBODY_LISTENS,
    )
