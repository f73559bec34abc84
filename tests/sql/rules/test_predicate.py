"""What a source is asked to leave out is what SQL leaves out."""

from __future__ import annotations

import math
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from random import Random

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from sqlglot import exp, parse_one

from ferris_beam.sql.nodes import Filter, Scan
from ferris_beam.sql.rules import arrow_predicate
from ferris_beam.sql.rules.predicate import translate
from ferris_beam.sql.rules.push_into_scan import push_into_scan
from tests.sql.interpreter import connection

UTC = timezone.utc
VALUES: dict[str, tuple[pa.DataType, list[object]]] = {
    "tiny": (pa.int8(), [None, -128, -1, 0, 1, 127]),
    "big": (pa.int64(), [None, -(2**63), -1, 0, 1, 5, 2**63 - 1]),
    "positive": (pa.uint16(), [None, 0, 1, 5, 65535]),
    "real": (pa.float64(), [None, math.nan, -math.inf, -0.0, 0.0, 0.1, 1.5, math.inf]),
    "single": (pa.float32(), [None, math.nan, 0.0, 0.1, 0.5, 1.5]),
    "money": (pa.decimal128(9, 2), [None, Decimal("-1.50"), Decimal("0.00"), Decimal("1.50")]),
    "text": (pa.string(), [None, "", "a", "ab", "abc", "b", "a%", "z", "é", "\U0001f600"]),
    "flag": (pa.bool_(), [None, True, False]),
    "day": (pa.date32(), [None, date(1969, 12, 31), date(2024, 2, 29), date(2024, 3, 1)]),
    "moment": (
        pa.timestamp("us"),
        [None, datetime(1969, 12, 31, 23, 59, 59, 999999), datetime(2024, 2, 29), datetime.max],
    ),
    "coarse": (pa.timestamp("s"), [None, datetime(1969, 12, 31, 23), datetime(2024, 2, 29)]),
    "zoned": (
        pa.timestamp("us", "UTC"),
        [None, datetime(1970, 1, 1, tzinfo=UTC), datetime(2024, 2, 29, 12, tzinfo=UTC)],
    ),
}
NUMBERS = ("-1", "0", "1", "5", "1.5", "0.1", "-1.50", "1e3", "300", "9223372036854775807", "0.5")
TEXTS = ("'a'", "'ab'", "''", "'é'")
DAYS = ("DATE '2024-02-29'", "'2024-03-01'", "DATE '1969-12-31'")
MOMENTS = ("TIMESTAMP '2024-02-29 00:00:00'", "'1969-12-31 23:59:59.999999'", "DATE '2024-02-29'")
LITERALS = {
    **dict.fromkeys(("tiny", "big", "positive", "real", "single", "money"), NUMBERS),
    "text": TEXTS,
    "flag": ("TRUE", "FALSE"),
    "day": DAYS,
    "moment": MOMENTS,
    "coarse": MOMENTS,
    "zoned": ("TIMESTAMPTZ '1970-01-01 00:00:00+00'", "'2024-02-29 12:00:00'"),
}
LEAST_TOLD = 300


def parsed(text: str) -> exp.Expression:
    found = parse_one(text, dialect="postgres")
    assert isinstance(found, exp.Expression)
    return found


def table(random: Random) -> pa.Table:
    count = 25
    return pa.table(
        {
            name: pa.array(random.choices(values, k=count), type)
            for name, (type, values) in VALUES.items()
        }
    )


def condition(random: Random, depth: int = 2) -> str:
    if depth and random.random() < 0.5:
        one, other = condition(random, depth - 1), condition(random, depth - 1)
        kinds = ["({} AND {})", "({} OR {})", "(NOT {} OR {})", "NOT ({} AND {})"]
        return random.choice(kinds).format(f"({one})", f"({other})")
    name = random.choice(list(VALUES))
    literal, other = (random.choice(LITERALS[name]) for _ in range(2))
    sign = random.choice(["=", "<>", "<", "<=", ">", ">="])
    shapes = [
        f"{name} {sign} {literal}",
        f"{literal} {sign} {name}",
        f"{name} {sign} {name}",
        f"{name} BETWEEN {literal} AND {other}",
        f"{name} NOT BETWEEN {literal} AND {other}",
        f"{name} IN ({literal}, {other})",
        f"{name} NOT IN ({literal}, {other})",
        f"{name} NOT IN ({literal}, NULL)",
        f"{name} IN ({', '.join([literal, other] * 5)})",
        f"{name} IS NULL",
        f"{name} IS NOT NULL",
    ]
    if name == "text":
        shapes = [
            "text LIKE 'a%'",
            "text NOT LIKE 'a%'",
            "text LIKE 'a_%'",
            "text LIKE '%'",
            *shapes,
        ]
    if name == "flag":
        shapes += ["flag", "NOT flag", "flag IS TRUE", "flag IS NOT FALSE", "flag IS NOT TRUE"]
    return random.choice(shapes)


def test_the_same_rows_as_sql() -> None:
    oracle, told = connection(), 0
    for seed in range(700):
        random = Random(seed)
        rows, text = table(random), condition(random)
        expression = translate(parsed(text), rows.schema)
        if expression is None:
            continue
        told += 1
        oracle.register("rows_of_any_type", rows)
        try:
            wanted = oracle.sql(f"SELECT * FROM rows_of_any_type WHERE {text}").to_arrow_table()
        except duckdb.ConversionException:
            continue
        found = rows.filter(expression)
        assert str(found.to_pylist()) == str(wanted.to_pylist()), (text, expression)
    assert told > LEAST_TOLD


SCHEMA = pa.schema({name: type for name, (type, _) in VALUES.items()})


@pytest.mark.parametrize(
    "text",
    [
        "tiny = 300",
        "positive > -1",
        "big = 1.5",
        "money = 1.555",
        "single = 0.1",
        "moment = '2024-02-29T00:00:00+02:00'",
        "coarse = TIMESTAMP '2024-02-29 00:00:00.5'",
        "day = 'yesterday'",
        "day > TIMESTAMP '2024-02-29 10:00:00'",
        "text = 5",
        "big = '5'",
        "text NOT IN ('a', NULL)",
        "text LIKE '%a'",
        "text LIKE 'a\\%b%'",
        "LOWER(text) = 'a'",
        "big + 1 = 2",
        "big = tiny",
        "real = real",
        "unknown = 1",
        "CAST(text AS BIGINT) = 1",
    ],
)
def test_what_arrow_would_see_otherwise_stays(text: str) -> None:
    assert translate(parsed(text), SCHEMA) is None


def test_names_of_the_source() -> None:
    schema = pa.schema({"o.id": pa.int64(), "o.name.first": pa.string()})
    filtered = Filter(
        schema,
        Scan(schema, None, "o", ("id", "name.first")),
        parsed('"o.id" > 5 AND "o.name.first" = \'x\' AND "o.id" % 2 = 0'),
    )
    above = push_into_scan(filtered)
    assert isinstance(above, Filter)
    assert above.condition.sql() == '"o.id" % 2 = 0'
    assert isinstance(above.input, Scan)
    table = pa.table({"id": [1, 6, 7], "name.first": ["x", "x", "y"]})
    assert table.filter(arrow_predicate(above.input))["id"].to_pylist() == [6]


def test_a_limited_scan_takes_no_filter() -> None:
    """The limit counts rows that the filter would drop."""
    schema = pa.schema({"a": pa.int64()})
    node = Filter(schema, Scan(schema, None, "t", ("a",), limit=5), parsed("a > 5"))
    assert push_into_scan(node) is node


def test_row_groups_are_left_out(tmp_path: Path) -> None:
    """LIKE and IN are said in words that statistics understand."""
    words = [f"{letter}{number:03}" for letter in "abcdef" for number in range(100)]
    pq.write_table(pa.table({"w": words}), tmp_path / "words.parquet", row_group_size=100)
    fragment = next(ds.dataset(tmp_path / "words.parquet").get_fragments())
    for text, groups in {"w LIKE 'c%'": 1, "w IN ('a001', 'f001')": 2, "w > 'e5'": 1}.items():
        expression = translate(parsed(text), pa.schema({"w": pa.string()}))
        assert len(fragment.subset(filter=expression).row_groups) == groups, text
