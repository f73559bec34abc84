"""Rows by their keys."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from ferris_beam.connector import Reader
from ferris_beam.errors import ConfigurationError, FatalError
from tests.connectors.postgresql.sources import reader_of
from tests.services.database import Database

UTC = datetime.timezone.utc


@pytest.fixture
def reader(database: Database) -> Iterator[Reader]:
    database.execute(
        "CREATE TABLE t AS SELECT i AS id, i % 10 AS part, 'name ' || i AS name "
        "FROM generate_series(1, 1000) i"
    )
    made = reader_of(database.uri(table="t", lookup=True))
    made.open()
    yield made
    made.close()


def keys(**columns: Any) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(columns)


def test_options_say_that_it_looks_up(database: Database) -> None:
    plain = reader_of(database.uri(table="t"))
    assert not plain.looks_up
    reader = reader_of(database.uri(table="t", lookup=True, lookup_cache=5, lookup_ttl="3s"))
    assert (reader.looks_up, reader.lookup_cache, reader.lookup_seconds) == (True, 5, 3.0)


def test_rows_of_the_keys_and_no_others(reader: Reader) -> None:
    found = reader.lookup(keys(id=[5, 999, 5_000, -1]))
    assert found.schema == reader.schema()
    assert sorted(found["id"].to_pylist()) == [5, 999]


def test_a_key_may_have_several_rows_and_several_columns(reader: Reader) -> None:
    assert reader.lookup(keys(part=[3])).num_rows == 100
    found = reader.lookup(keys(id=[13, 14, 15], part=[3, 4, 9]))
    assert sorted(found["id"].to_pylist()) == [13, 14]


def test_no_keys_and_no_rows(reader: Reader) -> None:
    for asked in (keys(id=pa.array([], pa.int32())), keys(id=[-1])):
        found = reader.lookup(asked)
        assert (found.num_rows, found.schema) == (0, reader.schema())


def test_many_keys_are_one_statement(database: Database) -> None:
    database.execute("CREATE TABLE t AS SELECT i AS id FROM generate_series(1, 200000) i")
    reader = reader_of(database.uri(table="t", lookup=True))
    reader.open()
    found = reader.lookup(keys(id=pa.array(range(0, 400_000, 2), pa.int64())))
    assert sorted(found["id"].to_pylist()) == [*range(2, 200_001, 2)]
    reader.close()


VALUES: dict[str, list[Any]] = {
    "bool": [True, False],
    "int2": [-32768, 5],
    "int8": [2**63 - 1, -(2**63)],
    "float4": [1.5, float("inf")],
    "float8": [0.1, 5e-324, float("nan")],
    "numeric(12,2)": [Decimal("-1.50"), Decimal("1234567890.12")],
    "text": ["", "it's", 'a "b"', "back\\slash", "{1,2}", "NULL", "ä\n%s{}", ","],
    "varchar(9)": ["x", "$1"],
    "uuid": [str(uuid.UUID(int=7)), str(uuid.UUID(int=2**127))],
    "date": [datetime.date(1969, 12, 31), datetime.date(9999, 1, 1)],
    "timestamp": [datetime.datetime(2024, 2, 29, 1, 2, 3, 4)],
    "timestamptz": [datetime.datetime(1960, 1, 1, 1, 2, 3, 4, UTC)],
    "time": [datetime.time(23, 59, 59, 999999)],
    "bytea": [b"\x00\xff", b""],
}


@pytest.mark.parametrize("kind", VALUES)
def test_keys_of_a_type_find_their_rows(database: Database, kind: str) -> None:
    database.execute(f"CREATE TABLE t (k {kind}, other int)")
    for number, value in enumerate(VALUES[kind]):
        database.execute("INSERT INTO t VALUES (%s, %s)", (value, number))
    database.execute("INSERT INTO t VALUES (NULL, -1)")
    reader = reader_of(database.uri(table="t", lookup=True))
    reader.open()
    column = pa.array(VALUES[kind], reader.schema().field("k").type)
    for number in range(len(column)):
        found = reader.lookup(keys(k=column.slice(number, 1)))
        assert found["other"].to_pylist() == [number]
    assert sorted(reader.lookup(keys(k=column))["other"].to_pylist()) == [*range(len(column))]
    encoded = keys(k=column, other=pa.array(range(len(column)), pa.int32()))
    assert reader.lookup(encoded).num_rows == len(column)
    reader.close()


def test_keys_that_no_value_can_be_are_not_asked_for(database: Database) -> None:
    database.execute("CREATE TABLE t AS SELECT 'x'::text AS k, gen_random_uuid() AS u")
    reader = reader_of(database.uri(table="t", lookup=True))
    reader.open()
    assert reader.lookup(keys(k=["a\0b", "x"])).num_rows == 1
    known = reader.lookup(keys(k=["x"]))["u"][0].as_py()
    assert reader.lookup(keys(u=["no uuid", known.upper(), known])).num_rows == 1
    assert reader.lookup(keys(u=["no uuid"])).num_rows == 0
    assert reader.lookup(keys(k=["x", "x"], u=["no uuid", known])).num_rows == 1
    reader.close()


def test_columns_and_conditions_hold_for_what_is_looked_up(reader: Reader) -> None:
    pushed, _ = reader.pushdown(["name", "id"], pc.field("part") == 3)
    pushed.open()
    found = pushed.lookup(keys(id=[13, 14]))
    assert found.to_pylist() == [{"name": "name 13", "id": 13}]
    pushed.close()


def test_what_can_not_be_looked_up_is_said(database: Database) -> None:
    database.execute("CREATE TABLE t AS SELECT 1 AS id, '{1}'::int[] AS a, 'NaN'::numeric AS n")
    reader = reader_of(database.uri(table="t", lookup=True))
    reader.open()
    for asked, message in (
        (keys(nothing=[1]), "there is no column 'nothing'"),
        (keys(a=[[1]]), "can't be looked up by 'a'"),
        (keys(id=["one"]), "keys of the type string"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            reader.lookup(asked)
    with pytest.raises(FatalError, match=r"can't be read: column 'n'"):
        reader.lookup(keys(id=[1]))
    reader.close()
