"""Aggregates that the server computes: the same as those of the rows that would be read."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from psycopg import errors

from ferris_beam.connector import AggregateCall, Reader
from ferris_beam.errors import FatalError
from tests.connectors.postgresql.sources import read_table, reader_of
from tests.services.database import Database

COUNT = AggregateCall("count", None, "count")


@pytest.fixture
def table(database: Database) -> Reader:
    database.execute(
        "CREATE TABLE t (id int4, small int2, big int8, price numeric(12,2), free numeric, "
        "name text, at timestamptz, day date, ratio float8, flag bool, padded char(5))"
    )
    database.execute(
        "INSERT INTO t SELECT i, nullif(i % 5, 2), i::int8 * 1000000007, i / 4.0, i, "
        "(ARRAY['a', 'B', 'ä', NULL, 'aa'])[1 + i % 5], "
        "timestamptz '2024-01-01' + i * interval '1 h', date '2024-01-01' + i % 3, i / 3.0, "
        "i % 2 = 0, 'x' FROM generate_series(1, 100) i"
    )
    return reader_of(database.uri(table="t"))


def call(function: str, column: str) -> AggregateCall:
    return AggregateCall(function, column, f"{function}_{column}")  # type: ignore[arg-type]


def aggregated(
    reader: Reader, keys: Sequence[str], calls: Sequence[AggregateCall], *types: pa.DataType
) -> pa.Table | None:
    schema = reader.schema()
    fields = [pa.field(name, schema.field(name).type) for name in keys]
    fields += [pa.field(each.name, kind) for each, kind in zip(calls, types, strict=True)]
    found = reader.aggregated(keys, calls, pa.schema(fields))
    reader.close()
    if found is None:
        return None
    result = read_table(found)
    assert result.schema.types == [field.type for field in fields]
    assert result.schema.names == [field.name for field in fields]
    return result


@pytest.mark.parametrize("keys", [(), ("name",), ("day", "flag"), ("small",), ("price",)])
def test_groups_are_those_of_the_rows(table: Reader, keys: tuple[str, ...]) -> None:
    calls = [COUNT, call("count", "small"), call("sum", "id"), call("sum", "big")]
    calls += [call("sum", "price"), call("min", "name"), call("max", "at"), call("max", "small")]
    schema = table.schema()
    types = [pa.int64()] * 3 + [pa.decimal128(38, 0), pa.decimal128(38, 2), pa.string()]
    types += [schema.field("at").type, schema.field("small").type]
    rows = read_table(table)
    found = aggregated(table, keys, calls, *types)
    assert found is not None
    wanted = rows.group_by(list(keys)).aggregate(
        [([], "count_all")] + [(each.column, each.function) for each in calls[1:]]
    )
    columns = ["count_all", *(f"{each.column}_{each.function}" for each in calls[1:])]
    have = {tuple(map(str, row.values())) for row in found.to_pylist()}
    want = {tuple(str(row[name]) for name in (*keys, *columns)) for row in wanted.to_pylist()}
    assert have == want


def test_no_rows_are_one_row_without_keys_and_none_with(table: Reader) -> None:
    none, _ = table.pushdown(predicate=pc.field("id") < 0)
    total = aggregated(none, (), [COUNT, call("sum", "id")], pa.int64(), pa.int64())
    assert total is not None
    assert total.to_pylist() == [{"count": 0, "sum_id": None}]
    groups = aggregated(none, ("name",), [COUNT], pa.int64())
    assert groups is not None
    assert groups.num_rows == 0


def test_conditions_hold_for_the_rows_that_are_aggregated(table: Reader) -> None:
    few, _ = table.pushdown(["id"], pc.field("id") <= 10)
    found = aggregated(few, (), [COUNT, call("sum", "id")], pa.int64(), pa.int64())
    assert found is not None
    assert found.to_pylist() == [{"count": 10, "sum_id": 55}]


def test_texts_are_grouped_and_compared_by_their_bytes(database: Database) -> None:
    try:
        database.execute(
            "CREATE COLLATION loose "
            "(provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
        )
    except errors.FeatureNotSupported:
        pytest.skip("this build of the server has no ICU")
    database.execute("CREATE TABLE t (name text COLLATE loose)")
    database.execute("INSERT INTO t VALUES ('a'), ('A'), ('b'), ('B')")
    reader = reader_of(database.uri(table="t"))
    found = aggregated(reader, ("name",), [COUNT], pa.int64())
    assert found is not None
    assert sorted(found["name"].to_pylist()) == ["A", "B", "a", "b"]
    ends = aggregated(
        reader, (), [call("min", "name"), call("max", "name")], pa.string(), pa.string()
    )
    assert ends is not None
    assert ends.to_pylist() == [{"min_name": "A", "max_name": "b"}]


def test_what_the_server_would_compute_differently_is_left_above(table: Reader) -> None:
    double, text = pa.float64(), pa.string()
    assert aggregated(table, (), [call("sum", "ratio")], double) is None
    assert aggregated(table, (), [call("max", "ratio")], double) is None
    assert aggregated(table, ("ratio",), [COUNT], pa.int64()) is None
    assert aggregated(table, ("padded",), [COUNT], pa.int64()) is None
    assert aggregated(table, (), [call("max", "padded")], text) is None
    assert aggregated(table, (), [call("sum", "free")], pa.decimal128(38, 9)) is None
    assert aggregated(table, (), [call("sum", "price")], pa.decimal128(38, 1)) is None
    limited, _ = table.pushdown(limit=5)
    assert aggregated(limited, (), [COUNT], pa.int64()) is None
    residual, _ = table.pushdown(predicate=pc.field("id") + 1 > 5)
    assert aggregated(residual, (), [COUNT], pa.int64()) is None


def test_a_sum_that_does_not_fit_is_an_error(database: Database) -> None:
    database.execute("CREATE TABLE t AS SELECT 9223372036854775807 AS v FROM generate_series(1, 2)")
    reader = reader_of(database.uri(table="t"))
    with pytest.raises(FatalError, match="out of range"):
        aggregated(reader, (), [call("sum", "v")], pa.int64())
    found = aggregated(reader, (), [call("sum", "v")], pa.decimal128(38, 0))
    assert found is not None
    assert found["sum_v"].to_pylist() == [Decimal(2 * (2**63 - 1))]


def test_values_that_arrow_can_not_hold_are_an_error_in_aggregates_too(database: Database) -> None:
    database.execute("CREATE TABLE t (n numeric(5,1), d date)")
    database.execute("INSERT INTO t VALUES (1, '2024-01-01'), ('NaN', 'infinity')")
    reader = reader_of(database.uri(table="t"))
    kind = pa.decimal128(38, 1)
    for each, result in ((call("sum", "n"), kind), (call("min", "d"), pa.date32())):
        with pytest.raises(FatalError, match=r"values that Arrow can't hold"):
            aggregated(reader, (), [each], result)
