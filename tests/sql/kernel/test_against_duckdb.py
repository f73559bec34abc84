"""Random expressions, computed by the kernel and by DuckDB: the same values."""

from __future__ import annotations

import datetime
import math
from decimal import Decimal
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ferris_beam.errors import BadRecordError
from tests.sql.kernel.evaluating import values

SCHEMA = pa.schema(
    [
        ("i", pa.int32()),
        ("l", pa.int64()),
        ("f", pa.float64()),
        ("d", pa.decimal128(10, 2)),
        ("s", pa.string()),
        ("day", pa.date32()),
        ("t", pa.timestamp("us")),
        ("b", pa.bool_()),
        ("ls", pa.list_(pa.int64())),
        ("st", pa.struct([("x", pa.int64()), ("y", pa.string())])),
    ]
)
ROWS = [
    {"i": 1, "l": -5, "f": 0.5, "d": Decimal("1.25"), "s": "abc", "b": True,
     "day": datetime.date(1969, 12, 31), "t": datetime.datetime(1969, 12, 31, 23, 59, 59, 999999),
     "ls": [1, 2, 3], "st": {"x": 1, "y": "a"}},
    {"i": -7, "l": 3, "f": -2.25, "d": Decimal("-3.50"), "s": "a_%'\"ä", "b": False,
     "day": datetime.date(2024, 2, 29), "t": datetime.datetime(2024, 2, 29, 12, 30),
     "ls": [], "st": {"x": None, "y": "b"}},
    {"i": 2**31 - 1, "l": 2**62, "f": 1e10, "d": Decimal("99999999.99"), "s": "", "b": None,
     "day": datetime.date(2026, 1, 1), "t": datetime.datetime(1800, 1, 1), "ls": [None, 7],
     "st": None},
    dict.fromkeys(SCHEMA.names),
]  # fmt: skip
TABLE = pa.RecordBatch.from_pylist(ROWS, schema=SCHEMA)


def combined(template: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(lambda given: template.format(*given))


def expressions() -> dict[str, st.SearchStrategy[str]]:
    """A strategy for each type; all of them refer to each other."""
    of: dict[str, st.SearchStrategy[str]] = {}
    number, text, boolean, real, exact, moment, day, items = (
        st.deferred(lambda name=name: of[name])  # type: ignore[misc]
        for name in ("int", "text", "bool", "float", "decimal", "moment", "day", "list")
    )
    quoted = st.text("ab_%'\\\"ä ", max_size=4).map(
        lambda text: "'" + text.replace("'", "''") + "'"
    )
    few = st.integers(-9, 9).map(lambda value: f"({value})" if value < 0 else str(value))
    sign = st.sampled_from(["=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM",
                            "IS NOT DISTINCT FROM"])  # fmt: skip
    unit = st.sampled_from(["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"])
    part = st.sampled_from(["year", "month", "day", "hour", "minute", "doy", "dow", "quarter"])
    trunc = st.sampled_from(["year", "quarter", "month", "week", "day", "hour", "minute", "second"])
    of["int"] = st.one_of(
        st.sampled_from(["i", "l"]),
        few,
        combined("({} {} {})", number, st.sampled_from("+-*"), number),
        combined("({} // {})", number, number),
        combined("({} % {})", number, number),
        combined("(- {})", number),
        combined("abs({})", number),
        combined("CASE WHEN {} THEN {} ELSE {} END", boolean, number, number),
        combined("CASE {} WHEN {} THEN {} END", number, number, number),
        combined("coalesce({}, {})", number, number),
        combined("nullif({}, {})", number, number),
        combined("greatest({}, {})", number, number),
        combined("length({})", text),
        combined("CAST(extract({} FROM {}) AS BIGINT)", part, moment),
        combined("({} - {})", day, day),
        combined("CAST({} AS BIGINT)", real),
        combined("CAST({} AS BIGINT)", exact),
        # '1.5' is no integer here, as in PostgreSQL; DuckDB rounds it.
        combined("TRY_CAST(replace({}, '.', 'x') AS BIGINT)", text),
        combined("{}[{}]", items, few),
        combined("({} & {})", number, number),
        combined("({} | {})", number, number),
        st.just("st.x"),
    )
    of["bool"] = st.one_of(
        st.sampled_from(["b", "TRUE", "FALSE", "b IS TRUE", "b IS NOT TRUE", "s IS NULL"]),
        combined("({} {} {})", number, sign, number),
        combined("({} {} {})", text, sign, text),
        combined("({} {} {})", exact, sign, exact),
        combined("({} {} {})", real, sign, number),
        combined("({} {} {})", moment, sign, moment),
        combined("({} {} {})", day, sign, day),
        combined("({} AND {})", boolean, boolean),
        combined("({} OR {})", boolean, boolean),
        combined("(NOT {})", boolean),
        combined("({} IN ({}, {}))", number, number, number),
        combined("({} NOT IN ({}, NULL))", text, text),
        combined("({} BETWEEN {} AND {})", number, number, number),
        combined("({} NOT BETWEEN {} AND {})", text, text, text),
        combined("({} LIKE {})", text, st.sampled_from(["'a%'", "'%b_'", "'_'", "''", "'%''%'"])),
        combined("({} NOT ILIKE 'A%')", text),
        combined("({} IS NOT NULL)", number),
        combined("starts_with({}, 'a')", text),
    )
    of["text"] = st.one_of(
        st.just("s"),
        quoted,
        combined("({} || {})", text, text),
        combined("upper({})", text),
        combined("lower({})", text),
        combined(
            "substr({}, {}, {})", text, st.integers(1, 4).map(str), st.integers(0, 3).map(str)
        ),
        combined("replace({}, 'a', {})", text, text),
        combined("trim({})", text),
        combined("CAST({} AS VARCHAR)", number),
        combined("CAST({} AS VARCHAR)", exact),
        combined("CAST({} AS VARCHAR)", day),
        combined("CASE WHEN {} THEN {} END", boolean, text),
        combined("coalesce({}, {})", text, text),
        st.just("st.y"),
    )
    of["float"] = st.one_of(
        st.sampled_from(["f", "1.5e0", "2e-3"]),
        combined("({} {} {})", real, st.sampled_from("+-*/"), real),
        combined("CAST({} AS DOUBLE)", number),
        combined("CAST({} AS DOUBLE)", exact),
        combined("sqrt(abs({}))", real),
    )
    of["decimal"] = st.one_of(
        st.sampled_from(["d", "1.5", "(-0.25)"]),
        combined("({} {} {})", exact, st.sampled_from("+-"), exact),
        combined("({} * {})", st.sampled_from(["d", "1.5"]), st.sampled_from(["d", "0.1", "(-2)"])),
        combined("CASE WHEN {} THEN {} END", boolean, exact),
    )
    of["moment"] = st.one_of(
        st.sampled_from(["t", "TIMESTAMP '2024-02-29 10:00:00'"]),
        combined("({} + INTERVAL '{}' {})", moment, st.integers(-40, 40).map(str), unit),
        combined("({} - INTERVAL '{}' {})", day, st.integers(-40, 40).map(str), unit),
        combined("date_trunc('{}', {})", trunc, moment),
        combined("CAST({} AS TIMESTAMP)", day),
    )
    of["day"] = st.one_of(
        st.sampled_from(["day", "DATE '2024-02-29'"]),
        combined("CAST({} AS DATE)", moment),
        combined("({} + {})", day, few),
    )
    of["list"] = st.one_of(
        st.just("ls"),
        combined("[{}, {}]", number, number),
        combined("ls[{}:{}]", st.integers(1, 3).map(str), st.integers(1, 4).map(str)),
        combined("list_transform(ls, x -> x + {})", few),
        combined("list_filter(ls, x -> x > {})", few),
    )
    return of


EXPRESSIONS = expressions()
_Rows = list[Any]


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("SET timezone = 'UTC'")
    connection.register("input_0", pa.table(TABLE.columns, schema=SCHEMA))
    return connection


def by_duckdb(expression: str) -> _Rows | None:
    """None: DuckDB refuses."""
    try:
        found = _connection().execute(f"SELECT {expression} AS value FROM input_0").fetchall()
    except duckdb.Error:
        return None
    return [row[0] for row in found]


def by_kernel(expression: str) -> _Rows | str:
    """The reason: a row fault."""
    try:
        return values(expression, TABLE)
    except BadRecordError as error:
        return error.message


def alike(left: Any, right: Any) -> bool:
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(alike, left, right))
    if isinstance(left, (float, Decimal)) and isinstance(right, (float, Decimal, int)):
        return math.isclose(left, right, rel_tol=1e-9) or left == right
    if isinstance(left, datetime.datetime) and isinstance(right, datetime.date):
        return left == datetime.datetime.combine(right, datetime.time()) or left == right
    return bool(left == right)


@pytest.mark.parametrize("kind", list(EXPRESSIONS))
@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_the_same_values_as_duckdb(kind: str, data: st.DataObject) -> None:
    expression = data.draw(EXPRESSIONS[kind])
    theirs, ours = by_duckdb(expression), by_kernel(expression)
    if isinstance(ours, str):
        # DuckDB: NULL for a division by zero; decimals of fewer digits, 128-bit intermediates.
        assert theirs is None or "division by zero" in ours or "does not fit" in ours, ours
    elif theirs is not None:
        assert alike(ours, theirs), (expression, ours, theirs)
