"""Durations, types, names: the parts of a plan that are values."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.sql.nodes import Duration, columns_in
from ferris_beam.sql.plan.durations import parse_duration
from ferris_beam.sql.plan.names import Names, without_duplicates
from ferris_beam.sql.plan.rewriting import conjunction, conjuncts
from ferris_beam.sql.plan.show import length
from ferris_beam.sql.plan.types import common_type

NUMBERS = [
    *(getattr(pa, f"{sign}int{width}")() for sign in ("", "u") for width in (8, 16, 32, 64)),
    pa.decimal128(4, 2),
    pa.decimal128(38, 0),
    pa.float32(),
    pa.float64(),
]
TYPES = [
    *NUMBERS,
    pa.null(),
    pa.bool_(),
    pa.string(),
    pa.large_string(),
    pa.dictionary(pa.int8(), pa.string()),
    pa.binary(),
    pa.date32(),
    pa.timestamp("us"),
    pa.timestamp("ns"),
    pa.list_(pa.int8()),
    pa.list_(pa.float64()),
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5m", Duration(micros=300_000_000)),
        ("1 day 2 hours", Duration(micros=93_600_000_000)),
        ("1.5 hours", Duration(micros=5_400_000_000)),
        ("-6 hour", Duration(micros=-21_600_000_000)),
        ("01:30:00.5", Duration(micros=5_400_500_000)),
        ("1 year 2 months", Duration(months=14)),
        ("2 quarters 1 day", Duration(6, 86_400_000_000)),
        ("0.5 months", None),
        ("0.1 us", None),
        ("5", None),
        ("", None),
        ("5 parsecs", None),
        ("Europe/Berlin", None),
    ],
)
def test_durations(text: str, expected: Duration | None) -> None:
    assert parse_duration(text) == expected


@given(st.integers(0, 1000), st.integers(-(10**15), 10**15))
def test_a_shown_length_reads_back(months: int, micros: int) -> None:
    written = Duration(months, micros)
    assert parse_duration(length(written).replace("mon", " months")) == written


@given(st.sampled_from(TYPES), st.sampled_from(TYPES))
def test_a_common_type_is_the_same_from_both_sides(left: pa.DataType, right: pa.DataType) -> None:
    found = common_type(left, right)
    assert found == common_type(right, left)
    if found is not None:
        assert common_type(found, left) == found


@given(st.sampled_from(NUMBERS[:10]), st.sampled_from(NUMBERS[:10]), st.data())
def test_a_common_type_holds_whole_values_exactly(
    left: pa.DataType, right: pa.DataType, data: st.DataObject
) -> None:
    both = common_type(left, right)
    assert both is not None
    for kind in (left, right):
        value = data.draw(values(kind))
        if both == pa.decimal128(38, 2) and kind.bit_width == 128:
            continue  # 38 digits, and two behind the point: no DECIMAL has so many
        assert Decimal(pa.scalar(value, kind).cast(both).as_py()) == Decimal(value)


def values(kind: pa.DataType) -> st.SearchStrategy[Decimal | int]:
    if pa.types.is_decimal(kind):
        digits = st.integers(-(10**kind.precision) + 1, 10**kind.precision - 1)
        return digits.map(lambda number: Decimal(f"{number}e{-kind.scale}"))
    low = 0 if pa.types.is_unsigned_integer(kind) else -(2 ** (kind.bit_width - 1))
    return st.integers(low, low + 2**kind.bit_width - 1)


@given(st.lists(st.sampled_from(["a", "b", "a_1", "a_1_1", "b_2"])))
def test_names_of_a_result_are_unique(names: list[str]) -> None:
    found = without_duplicates(names)
    assert len(set(found)) == len(names)
    assert all(new.startswith(old) for new, old in zip(found, names, strict=True))


@given(st.lists(st.sampled_from(["q", "Q", "q_2", "Q_2", "q_2_2"])))
def test_names_of_a_plan_are_unique_in_any_case(wanted: list[str]) -> None:
    names = Names()
    found = [names.unique(name).lower() for name in wanted]
    assert len(set(found)) == len(wanted)


@given(
    st.recursive(st.sampled_from("abcd"), lambda c: st.tuples(st.sampled_from(["AND", "OR"]), c, c))
)
def test_conjuncts_together_are_the_condition(tree: object) -> None:
    def sql(part: object) -> str:
        if isinstance(part, tuple):
            return f"({sql(part[1])} {part[0]} {sql(part[2])})"
        return str(part)

    condition = sqlglot.parse_one(sql(tree))
    together = conjunction(conjuncts(condition))
    assert together is not None
    assert columns_in(together) == columns_in(condition)
    for number in range(16):
        values = {name: bool(number >> place & 1) for place, name in enumerate("abcd")}
        assert truth(together, values) == truth(condition, values)


def truth(condition: sqlglot.exp.Expr, values: dict[str, bool]) -> bool:
    text = condition.sql().replace("AND", "and").replace("OR", "or")
    return bool(eval(text, {}, values))
