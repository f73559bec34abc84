"""Arithmetic against Python's: exact, or a row fault; never a number that wrapped around."""

from __future__ import annotations

import datetime
import math
import operator
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.errors import BadRecordError
from tests.sql.kernel.evaluating import column, computed, one_row, type_of, value, values

INTEGERS = {
    "int8": pa.int8(),
    "int16": pa.int16(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "uint8": pa.uint8(),
    "uint16": pa.uint16(),
    "uint32": pa.uint32(),
    "uint64": pa.uint64(),
}
EXACT = {"+": operator.add, "-": operator.sub, "*": operator.mul}


def bounds(type: pa.DataType) -> tuple[int, int]:
    if pa.types.is_signed_integer(type):
        return -(2 ** (type.bit_width - 1)), 2 ** (type.bit_width - 1) - 1
    return 0, 2**type.bit_width - 1


def towards_zero(a: int, b: int) -> int:
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


@st.composite
def integers(draw: st.DrawFn) -> tuple[int, pa.DataType]:
    type = draw(st.sampled_from(list(INTEGERS.values())))
    low, high = bounds(type)
    near = st.sampled_from([low, low + 1, high - 1, high, 0, 1])
    return draw(st.one_of(near, st.integers(low, high), st.integers(max(low, -9), 9))), type


@given(integers(), integers(), st.sampled_from("+-*/%"))
def test_integers_are_exact_or_refused(
    left: tuple[int, pa.DataType], right: tuple[int, pa.DataType], sign: str
) -> None:
    (a, a_type), (b, b_type) = left, right
    table = one_row(a=pa.scalar(a, a_type), b=pa.scalar(b, b_type))
    expression = f"a {sign} b"
    result = type_of(expression, a=pa.scalar(a, a_type), b=pa.scalar(b, b_type))
    if sign in "/%" and b == 0:
        with pytest.raises(BadRecordError, match="division by zero"):
            values(expression, table)
        return
    if sign in EXACT:
        expected = EXACT[sign](a, b)
    else:
        quotient = towards_zero(a, b)
        expected = quotient if sign == "/" else a - b * quotient
    if pa.types.is_decimal(result):
        assert a_type == pa.uint64() or b_type == pa.uint64()
        if abs(expected) >= 10**38:
            with pytest.raises(BadRecordError, match="more than the 38 digits"):
                values(expression, table)
        elif sign != "/":
            assert values(expression, table) == [expected]
        return
    low, high = bounds(result)
    if low <= expected <= high:
        assert values(expression, table) == [expected]
    else:
        with pytest.raises(BadRecordError, match="overflow"):
            values(expression, table)


@given(integers())
def test_negation_is_exact_or_refused(given: tuple[int, pa.DataType]) -> None:
    a, type = given
    table = one_row(a=pa.scalar(a, type))
    low, high = bounds(type)
    if low <= -a <= high:
        assert values("-a", table) == [-a]
    else:
        with pytest.raises(BadRecordError, match="overflow"):
            values("-a", table)


@given(integers())
def test_abs_is_exact_or_refused(given: tuple[int, pa.DataType]) -> None:
    a, type = given
    if abs(a) <= bounds(type)[1]:
        assert values("abs(a)", one_row(a=pa.scalar(a, type))) == [abs(a)]
    else:
        with pytest.raises(BadRecordError, match="overflow"):
            values("abs(a)", one_row(a=pa.scalar(a, type)))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a + 1", pa.int32()),
        ("1 + a", pa.int32()),
        ("a + 3000000000", pa.int64()),
        ("a * -1", pa.int32()),
        ("a + b", pa.int64()),
        ("s + 1", pa.int16()),
        ("s + 40000", pa.int64()),
        ("a / 2", pa.int32()),
        ("a // 2", pa.int32()),
        ("a % 2", pa.int32()),
        ("f * 2", pa.float64()),
        ("g * 2", pa.float64()),
        ("g * g", pa.float32()),
        ("d * 2", pa.decimal128(11 + 1, 2)),
        ("d + 1", pa.decimal128(11, 2)),
        ("d * d", pa.decimal128(21, 4)),
        ("d * f", pa.float64()),
        ("d + a", pa.decimal128(13, 2)),
        ("1.5 + 1", pa.decimal128(3, 1)),
        ("1 + 1", pa.int64()),
    ],
)
def test_the_type_of_a_result(expression: str, expected: pa.DataType) -> None:
    columns = {
        "a": pa.scalar(1, pa.int32()),
        "b": pa.scalar(1, pa.int64()),
        "s": pa.scalar(1, pa.int16()),
        "f": pa.scalar(1.0),
        "g": pa.scalar(1.0, pa.float32()),
        "d": pa.scalar(Decimal("1.00"), pa.decimal128(10, 2)),
    }
    assert type_of(expression, **columns) == expected


@st.composite
def decimals(draw: st.DrawFn) -> tuple[Decimal, pa.DataType]:
    precision = draw(st.sampled_from([1, 5, 18, 28, 30, 38]))
    scale = draw(st.integers(0, min(precision, 12)))
    limit = 10**precision - 1
    near = st.sampled_from([-limit, limit, 0, 1])
    unscaled = draw(st.one_of(near, st.integers(-limit, limit), st.integers(-9, 9)))
    unscaled = max(-limit, min(limit, unscaled))
    with localcontext(prec=90):
        return Decimal(unscaled).scaleb(-scale), pa.decimal128(precision, scale)


@given(decimals(), decimals(), st.sampled_from("+-*%"))
def test_decimals_are_exact_or_refused(
    left: tuple[Decimal, pa.DataType], right: tuple[Decimal, pa.DataType], sign: str
) -> None:
    (a, a_type), (b, b_type) = left, right
    table = one_row(a=pa.scalar(a, a_type), b=pa.scalar(b, b_type))
    with localcontext(prec=120):
        if sign == "%" and b == 0:
            with pytest.raises(BadRecordError, match="division by zero"):
                values("a % b", table)
            return
        expected = EXACT[sign](a, b) if sign in EXACT else a % b
    result = type_of(f"a {sign} b", a=table["a"], b=table["b"])
    if fits(expected, result):
        assert values(f"a {sign} b", table) == [expected]
    else:
        with pytest.raises(BadRecordError, match=r"overflow|digits|does not fit"):
            values(f"a {sign} b", table)


def fits(number: Decimal, type: pa.DataType) -> bool:
    with localcontext(prec=120):
        return abs(number) < Decimal(10) ** (type.precision - type.scale)


@given(decimals(), decimals())
def test_a_quotient_of_decimals_is_rounded_or_refused(
    left: tuple[Decimal, pa.DataType], right: tuple[Decimal, pa.DataType]
) -> None:
    (a, a_type), (b, b_type) = left, right
    table = one_row(a=pa.scalar(a, a_type), b=pa.scalar(b, b_type))
    if b == 0:
        with pytest.raises(BadRecordError, match="division by zero"):
            values("a / b", table)
        return
    scale = type_of("a / b", a=table["a"], b=table["b"]).scale
    with localcontext(prec=200):
        expected = (a / b).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)
    try:
        assert values("a / b", table) == [expected]
    except BadRecordError:
        # 76 digits are not enough for every quotient of 38 digits.
        with localcontext(prec=200):
            assert abs(a).scaleb(scale + 1 + b_type.scale) > Decimal(10) ** 70 or not fits(
                expected, pa.decimal128(38, scale)
            )


@given(
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from("+-*/%"),
)
def test_floats_never_become_infinite(a: float, b: float, sign: str) -> None:
    table = one_row(a=pa.scalar(a), b=pa.scalar(b))
    if sign in "/%" and b == 0 and not math.isnan(a):
        with pytest.raises(BadRecordError, match="division by zero"):
            values(f"a {sign} b", table)
        return
    expected = ieee(a, b, sign)
    if math.isinf(expected) and math.isfinite(a) and math.isfinite(b):
        with pytest.raises(BadRecordError, match="overflow"):
            values(f"a {sign} b", table)
        return
    (found,) = values(f"a {sign} b", table)
    assert found == expected or (math.isnan(found) and math.isnan(expected))


def ieee(a: float, b: float, sign: str) -> float:
    import numpy as np

    operations: dict[str, Any] = {**EXACT, "/": operator.truediv, "%": np.fmod}
    with np.errstate(all="ignore"):
        return float(operations[sign](np.float64(a), np.float64(b)))


def test_nulls_never_fail() -> None:
    table = pa.record_batch(
        {
            "a": pa.array([2**63 - 1, None, 1], pa.int64()),
            "b": pa.array([None, 1, 2], pa.int64()),
            "z": pa.array([None, None, 1], pa.int64()),
        }
    )
    assert values("a + b", table) == [None, None, 3]
    assert values("a / z", table) == [None, None, 1]
    assert values("a % z", table) == [None, None, 0]
    assert values("a::DOUBLE / z", table) == [None, None, 1.0]


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=9))
def test_sums_of_integers_are_exact_or_refused(numbers: list[int]) -> None:
    table = column(numbers, pa.int64())
    if -(2**63) <= sum(numbers) < 2**63:
        assert values("sum(a)", table) == [sum(numbers)]
    else:
        with pytest.raises(BadRecordError, match=r"does not fit|overflow|digits"):
            values("sum(a)", table)


@pytest.mark.parametrize(("precision", "scale"), [(10, 2), (28, 4), (29, 4), (38, 0), (38, 10)])
def test_sums_of_decimals_are_exact_or_refused(precision: int, scale: int) -> None:
    with localcontext(prec=60):
        largest = Decimal(10**precision - 1).scaleb(-scale)
        expected = largest * 3
    table = column([largest] * 3, pa.decimal128(precision, scale))
    if precision < 38:
        assert values("sum(a)", table) == [expected]
        assert type_of("sum(a)", a=table["a"]) == pa.decimal128(38, scale)
    else:
        with pytest.raises(BadRecordError, match=r"digits|does not fit"):
            values("sum(a)", table)


def test_a_sum_over_a_window_or_with_a_filter_is_exact() -> None:
    table = column([2**62, 2**62, -(2**62)], pa.int64())
    assert values("sum(a) FILTER (WHERE a < 0)", table) == [-(2**62)]
    with pytest.raises(BadRecordError):
        values("sum(a) OVER ()", column([2**62, 2**62], pa.int64()))
    assert values("sum(a) OVER ()", table) == [2**62] * 3
    assert values("sum(DISTINCT a)", table) == [0]


def test_arithmetic_inside_a_lambda_is_checked() -> None:
    table = pa.record_batch({"a": pa.array([[2**63 - 1]], pa.list_(pa.int64()))})
    assert values("list_transform(a, x -> x - 1)", table) == [[2**63 - 2]]
    with pytest.raises(BadRecordError, match="overflow"):
        values("list_transform(a, x -> x + 1)", table)


def test_arithmetic_in_every_clause_is_checked() -> None:
    table = column([2**63 - 1], pa.int64())
    for query in (
        "SELECT a FROM input_0 WHERE a + 1 > 0",
        "SELECT a FROM input_0 ORDER BY a + 1",
        "SELECT count(*) AS n FROM input_0 GROUP BY a + 1",
        "SELECT a FROM input_0 GROUP BY a HAVING max(a) + 1 > 0",
        "SELECT row_number() OVER (PARTITION BY a + 1) AS n FROM input_0",
        "SELECT b + 1 AS c FROM (SELECT a AS b FROM input_0) AS inner_one",
        "WITH w AS (SELECT a AS b FROM input_0) SELECT b + 1 AS c FROM w",
        "SELECT 1 AS c UNION ALL SELECT a + 1 FROM input_0",
    ):
        with pytest.raises(BadRecordError, match="overflow"):
            computed(query, table)


def test_a_date_and_an_interval_keep_the_hours() -> None:
    assert str(value("DATE '2026-01-31' + INTERVAL '1' HOUR")) == "2026-01-31 01:00:00"
    assert str(value("DATE '2026-01-31' + INTERVAL '1' MONTH")) == "2026-02-28 00:00:00"
    assert str(value("DATE '2026-01-31' + 1")) == "2026-02-01"
    assert value("DATE '2026-03-01' - DATE '2026-02-01'") == 28


@pytest.mark.parametrize(
    "expression",
    [
        "a + INTERVAL '300000' YEAR",
        "d + 2147483647",
        "d + 3000000000",
    ],
)
def test_a_time_out_of_range_is_refused(expression: str) -> None:
    with pytest.raises(BadRecordError):
        value(expression, a=datetime.datetime(2026, 1, 1), d=datetime.date(2026, 1, 1))


@pytest.mark.parametrize(
    "expression",
    ["exp(1e3)", "ln(0e0)", "ln(-1e0)", "log(0e0)", "10e0 ** 400", "power(10, 400)", "0e0 ** -1"],
)
def test_a_function_without_a_finite_value_is_refused(expression: str) -> None:
    with pytest.raises(BadRecordError, match=r"not finite|no value|negative"):
        value(expression)


def test_infinity_and_no_number_pass_through_functions() -> None:
    table = one_row(a=pa.scalar(math.inf), b=pa.scalar(math.nan))
    assert values("exp(a)", table) == [math.inf]
    assert values("exp(-a)", table) == [0.0]
    assert math.isnan(values("ln(b)", table)[0])


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("b - a > INTERVAL '1' DAY", True),
        ("b - a = INTERVAL '27' HOUR", True),
        ("b - a BETWEEN INTERVAL '1 day 2 hours' AND INTERVAL '2' DAY", True),
        ("INTERVAL '1' DAY = INTERVAL '24' HOUR", True),
        ("extract(epoch FROM b - a)", 97200.0),
        ("a + 2 * INTERVAL '12' HOUR = TIMESTAMP '2026-01-02'", True),
        ("a > DATE '2025-12-31'", True),
    ],
)
def test_spans_of_time(expression: str, expected: object) -> None:
    first, second = datetime.datetime(2026, 1, 1), datetime.datetime(2026, 1, 2, 3)
    assert value(expression, a=first, b=second) == expected


@pytest.mark.parametrize(
    ("expression", "expected", "found"),
    [
        ("CASE WHEN a > 1 THEN 1 ELSE 2.5 END", pa.decimal128(21, 1), Decimal("1.0")),
        ("CASE WHEN a > 1 THEN i ELSE 0 END", pa.int32(), 7),
        ("CASE WHEN a > 1 THEN i ELSE a END", pa.int64(), 7),
        ("CASE WHEN a > 1 THEN 1 ELSE 2e0 END", pa.float64(), 1.0),
        ("CASE WHEN a > 1 THEN NULL ELSE i END", pa.int32(), None),
        ("CASE WHEN a > 1 THEN DATE '2026-01-01' ELSE TIMESTAMP '2026-01-01' END",
         pa.timestamp("us"), datetime.datetime(2026, 1, 1)),
        ("CASE WHEN a > 1 THEN '2026-01-01' ELSE DATE '2026-01-02' END",
         pa.date32(), datetime.date(2026, 1, 1)),
        ("CASE DATE '2026-01-01' WHEN '2026-01-01' THEN 'x' ELSE 'y' END", pa.string(), "x"),
        ("if(a > 1, 1, 2.5)", pa.decimal128(21, 1), Decimal("1.0")),
    ],
)  # fmt: skip
def test_results_of_a_case_become_of_one_type(
    expression: str, expected: pa.DataType, found: object
) -> None:
    columns = {"a": pa.scalar(2, pa.int64()), "i": pa.scalar(7, pa.int32())}
    assert type_of(expression, **columns) == expected
    assert value(expression, **columns) == found
