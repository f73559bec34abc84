"""CAST: exact, rounded as PostgreSQL does, or a row fault."""

from __future__ import annotations

import datetime
import math
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.errors import BadRecordError, SqlError
from tests.sql.kernel.evaluating import column, one_row, type_of, value, values

UTC = datetime.timezone.utc
INTEGERS = {"TINYINT": 8, "SMALLINT": 16, "INTEGER": 32, "BIGINT": 64}


@given(st.floats(), st.sampled_from(list(INTEGERS)))
def test_floats_become_integers_or_are_refused(number: float, wanted: str) -> None:
    bits = INTEGERS[wanted]
    table = one_row(a=pa.scalar(number))
    if math.isfinite(number):
        rounded = int(Decimal(number).to_integral_value(ROUND_HALF_EVEN))
        if -(2 ** (bits - 1)) <= rounded < 2 ** (bits - 1):
            assert values(f"CAST(a AS {wanted})", table) == [rounded]
            return
    with pytest.raises(BadRecordError, match="does not fit"):
        values(f"CAST(a AS {wanted})", table)
    assert values(f"TRY_CAST(a AS {wanted})", table) == [None]


@given(
    st.decimals(-(10**18), 10**18, places=3, allow_nan=False, allow_infinity=False),
    st.sampled_from(list(INTEGERS)),
)
def test_decimals_become_integers_or_are_refused(number: Decimal, wanted: str) -> None:
    bits = INTEGERS[wanted]
    rounded = int(number.to_integral_value(ROUND_HALF_UP))
    table = column([number], pa.decimal128(25, 3))
    if -(2 ** (bits - 1)) <= rounded < 2 ** (bits - 1):
        assert values(f"CAST(a AS {wanted})", table) == [rounded]
    else:
        with pytest.raises(BadRecordError, match="does not fit"):
            values(f"CAST(a AS {wanted})", table)
        assert values(f"TRY_CAST(a AS {wanted})", table) == [None]


@given(st.decimals(-(10**20), 10**20, places=6, allow_nan=False, allow_infinity=False))
def test_decimals_with_fewer_digits_are_rounded_or_refused(number: Decimal) -> None:
    with localcontext(prec=60):
        rounded = number.quantize(Decimal("0.01"), ROUND_HALF_UP)
    table = column([number], pa.decimal128(38, 6))
    if abs(rounded) < 10**8:
        assert values("CAST(a AS DECIMAL(10, 2))", table) == [rounded]
    else:
        with pytest.raises(BadRecordError, match=r"digits|does not fit"):
            values("CAST(a AS DECIMAL(10, 2))", table)
        assert values("TRY_CAST(a AS DECIMAL(10, 2))", table) == [None]


@given(st.floats(allow_nan=False))
def test_floats_become_decimals_or_are_refused(number: float) -> None:
    table = one_row(a=pa.scalar(number))
    if abs(number) < 1e7:
        (found,) = values("CAST(a AS DECIMAL(10, 2))", table)
        assert abs(found - Decimal(number)) <= Decimal("0.005000001")
    elif abs(number) >= 1e8:
        with pytest.raises(BadRecordError):
            values("CAST(a AS DECIMAL(10, 2))", table)


@given(st.floats())
def test_doubles_become_reals_or_are_refused(number: float) -> None:
    table = one_row(a=pa.scalar(number))
    try:
        (found,) = values("CAST(a AS REAL)", table)
    except BadRecordError:
        assert abs(number) > 3.4e38
        return
    assert math.isinf(found) == math.isinf(number)


@given(st.integers(-(2**70), 2**70))
def test_texts_become_integers_or_are_refused(number: int) -> None:
    table = column([str(number)], pa.string())
    if -(2**63) <= number < 2**63:
        assert values("CAST(a AS BIGINT)", table) == [number]
    else:
        with pytest.raises(BadRecordError, match="is not a BIGINT"):
            values("CAST(a AS BIGINT)", table)
        assert values("TRY_CAST(a AS BIGINT)", table) == [None]


@given(st.decimals(-(10**40), 10**40, places=4, allow_nan=False, allow_infinity=False))
def test_texts_become_decimals_or_are_refused(number: Decimal) -> None:
    table = column([f"{number:f}"], pa.string())
    with localcontext(prec=60):
        rounded = number.quantize(Decimal("0.01"), ROUND_HALF_UP)
    try:
        assert values("CAST(a AS DECIMAL(20, 2))", table) == [rounded]
    except BadRecordError:
        assert abs(rounded) >= 10**18


@given(st.datetimes(datetime.datetime(1, 1, 2), datetime.datetime(9999, 12, 30)))
def test_timestamps_survive_text_and_lose_their_time_as_dates(moment: datetime.datetime) -> None:
    table = one_row(a=pa.scalar(moment, pa.timestamp("us")))
    written = str(moment).rstrip("0") if moment.microsecond else str(moment)
    assert values("CAST(a AS VARCHAR)", table) == [written]
    assert values("CAST(CAST(a AS VARCHAR) AS TIMESTAMP)", table) == [moment]
    assert values("CAST(a AS DATE)", table) == [moment.date()]
    assert values("CAST(CAST(a AS DATE) AS TIMESTAMP)", table) == [
        datetime.datetime.combine(moment.date(), datetime.time())
    ]


@pytest.mark.parametrize(
    ("written", "wanted", "reason"),
    [
        ("x", "INTEGER", "'x' is not an INTEGER"),
        ("", "INTEGER", "'' is not an INTEGER"),
        ("1.5.2", "DOUBLE", "'1.5.2' is not a DOUBLE"),
        ("yesterday", "DATE", "'yesterday' is not a DATE"),
        ("2026-02-30", "DATE", "'2026-02-30' is not a DATE"),
        ("2026-13-01 00:00:00", "TIMESTAMP", "'2026-13-01 00:00:00' is not a TIMESTAMP"),
        ("x", "TIMESTAMPTZ", "'x' is not a TIMESTAMP"),
        ("25:00:00", "TIME", "'25:00:00' is not a TIME"),
        ("maybe", "BOOLEAN", "'maybe' is not a BOOLEAN"),
        ("1,5", "DECIMAL(5, 2)", "'1,5' is not a DECIMAL"),
        ("99999", "DECIMAL(5, 2)", "has more than the 5 digits"),
        ("300", "TINYINT", "'300' is not a TINYINT"),
        ("-1", "UBIGINT", "'-1' is not a UBIGINT"),
    ],
)
def test_bad_texts_are_refused_with_a_reason(written: str, wanted: str, reason: str) -> None:
    table = column([written], pa.string())
    with pytest.raises(BadRecordError) as caught:
        values(f"CAST(a AS {wanted})", table)
    assert reason in caught.value.message
    assert values(f"TRY_CAST(a AS {wanted})", table) == [None]


def test_a_literal_that_can_never_be_cast_is_found_at_planning() -> None:
    with pytest.raises(SqlError, match="'x' is not an INTEGER"):
        value("CAST('x' AS INTEGER)")
    with pytest.raises(SqlError, match="'soon' is not a DATE"):
        value("a > 'soon'", a=datetime.date(2026, 1, 1))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("BOOLEAN", pa.bool_()),
        ("TINYINT", pa.int8()),
        ("SMALLINT", pa.int16()),
        ("INTEGER", pa.int32()),
        ("INT", pa.int32()),
        ("BIGINT", pa.int64()),
        ("HUGEINT", pa.decimal128(38, 0)),
        ("UTINYINT", pa.uint8()),
        ("UBIGINT", pa.uint64()),
        ("REAL", pa.float32()),
        ("FLOAT", pa.float32()),
        ("DOUBLE", pa.float64()),
        ("DOUBLE PRECISION", pa.float64()),
        ("DECIMAL(12, 3)", pa.decimal128(12, 3)),
        ("NUMERIC(5)", pa.decimal128(5, 0)),
        ("VARCHAR", pa.string()),
        ("VARCHAR(10)", pa.string()),
        ("TEXT", pa.string()),
        ("BLOB", pa.binary()),
        ("BYTEA", pa.binary()),
        ("DATE", pa.date32()),
        ("TIME", pa.time64("us")),
        ("TIMESTAMP", pa.timestamp("us")),
        ("TIMESTAMP WITH TIME ZONE", pa.timestamp("us", "UTC")),
        ("TIMESTAMPTZ", pa.timestamp("us", "UTC")),
        ("INTEGER[]", pa.list_(pa.int32())),
        ("STRUCT(x INTEGER, y VARCHAR)", pa.struct([("x", pa.int32()), ("y", pa.string())])),
        ("MAP(VARCHAR, INTEGER)", pa.map_(pa.string(), pa.int32())),
    ],
)
def test_every_type_has_a_name(wanted: str, expected: pa.DataType) -> None:
    assert type_of(f"CAST(NULL AS {wanted})") == expected
    assert value(f"CAST(NULL AS {wanted})") is None


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (
            "TIMESTAMP '2026-03-29 01:30:00' AT TIME ZONE 'Europe/Paris'",
            "2026-03-29 00:30:00+00:00",
        ),
        (
            "(TIMESTAMPTZ '2026-03-29 00:30:00+00' AT TIME ZONE 'Europe/Paris')",
            "2026-03-29 01:30:00",
        ),
        ("TIMESTAMPTZ '2026-07-01 12:00:00+02'", "2026-07-01 10:00:00+00:00"),
        ("TIMESTAMPTZ '2026-07-01 12:00:00'", "2026-07-01 12:00:00+00:00"),
        ("CAST(TIMESTAMPTZ '2026-07-01 12:00:00+02' AS TIMESTAMP)", "2026-07-01 10:00:00"),
        ("CAST(TIMESTAMP '2026-07-01 12:00:00' AS TIMESTAMPTZ)", "2026-07-01 12:00:00+00:00"),
        ("CAST(TIMESTAMP '1969-12-31 23:59:59.999999' AS DATE)", "1969-12-31"),
    ],
)  # fmt: skip
def test_time_zones(expression: str, expected: str) -> None:
    assert str(value(expression)) == expected


def test_a_zoned_time_as_text_is_in_utc() -> None:
    moment = datetime.datetime(2026, 7, 1, 12, tzinfo=UTC)
    for zone in ("UTC", "Europe/Paris"):
        table = one_row(a=pa.scalar(moment, pa.timestamp("us", zone)))
        assert values("CAST(a AS VARCHAR)", table) == ["2026-07-01 12:00:00+00"]


def test_a_local_time_that_does_not_exist_is_refused() -> None:
    table = one_row(a=datetime.datetime(2026, 3, 29, 2, 30))
    with pytest.raises(BadRecordError):
        values("a AT TIME ZONE 'Europe/Paris'", table)


def test_lists_are_rounded_like_their_items() -> None:
    table = column([[1.5, -2.5, None], None, []], pa.list_(pa.float64()))
    assert values("CAST(a AS INTEGER[])", table) == [[2, -2, None], None, []]
    assert values("CAST([a, a] AS INTEGER[][])", table)[0] == [[2, -2, None]] * 2
    with pytest.raises(BadRecordError, match="does not fit"):
        values("CAST(a AS TINYINT[])", column([[1e3]], pa.list_(pa.float64())))
    assert values("TRY_CAST(a AS TINYINT[])", column([[1e3]], pa.list_(pa.float64()))) == [[None]]


def test_seconds_between_two_times_keep_their_fraction() -> None:
    start = datetime.datetime(2026, 1, 1, microsecond=5)
    table = one_row(a=start, b=start + datetime.timedelta(hours=27, microseconds=250))
    assert values("extract(epoch FROM b - a)", table) == [97200.00025]
