"""A column of every Arrow type, with nulls and the values at which stores go wrong."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa

_UTC = dt.timezone.utc
_LATE = dt.datetime(2262, 4, 11, 23, 47, 16, 854775, _UTC)
_EARLY = dt.datetime(1677, 9, 22, 0, 12, 43, 145226, _UTC)
_TIMES = [None, dt.datetime(1970, 1, 1), dt.datetime(2024, 2, 29, 12, 30, 15)]

ARROW_TYPES: dict[str, pa.Array] = {
    "null": pa.nulls(3),
    "bool": pa.array([True, False, None]),
    **{
        f"int{bits}": pa.array(
            [-(2 ** (bits - 1)), -1, 0, None, 2 ** (bits - 1) - 1], getattr(pa, f"int{bits}")()
        )
        for bits in (8, 16, 32, 64)
    },
    **{
        f"uint{bits}": pa.array([0, 1, None, 2**bits - 1], getattr(pa, f"uint{bits}")())
        for bits in (8, 16, 32, 64)
    },
    "float16": pa.array([0.5, -2.0, None], pa.float16()),
    "float32": pa.array([0.1, -3.4e38, None, 1e-45], pa.float32()),
    "float64": pa.array([0.1, -1.7976931348623157e308, None, 5e-324], pa.float64()),
    "float64 not finite": pa.array([float("inf"), float("-inf"), float("nan"), None]),
    "decimal128": pa.array([Decimal("0.01"), None, Decimal("-12345678.90")], pa.decimal128(10, 2)),
    "decimal256": pa.array([Decimal("1" * 40 + ".5"), None], pa.decimal256(50, 1)),
    "string": pa.array(["", "é — 漢 😀", None, 'a "b", c\nd\te\\', " x "], pa.string()),
    "large_string": pa.array(["a", None, "ü"], pa.large_string()),
    "string_view": pa.array(["a", None, "longer than twelve bytes"], pa.string_view()),
    "binary": pa.array([b"", b"\x00\xff\n", None], pa.binary()),
    "large_binary": pa.array([b"\x80", None], pa.large_binary()),
    "fixed_size_binary": pa.array([b"\x00\x01\xff", None], pa.binary(3)),
    "date32": pa.array([dt.date(1, 1, 1), dt.date(2024, 2, 29), None], pa.date32()),
    "date64": pa.array([dt.date(1969, 12, 31), dt.date(2024, 2, 29), None], pa.date64()),
    "time32[s]": pa.array([dt.time(0), dt.time(23, 59, 59), None], pa.time32("s")),
    "time32[ms]": pa.array([dt.time(12, 0, 0, 1000), None], pa.time32("ms")),
    "time64[us]": pa.array([dt.time(23, 59, 59, 999999), None], pa.time64("us")),
    "time64[ns]": pa.array([1, None, 86_399_999_999_999], pa.time64("ns")),
    "timestamp[s]": pa.array(_TIMES, pa.timestamp("s")),
    "timestamp[ms]": pa.array([*_TIMES, dt.datetime(1969, 12, 31, 23, 59)], pa.timestamp("ms")),
    "timestamp[us]": pa.array(
        [*_TIMES, dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31)], pa.timestamp("us")
    ),
    "timestamp[ns]": pa.array([0, None, 1_700_000_000_123_456_789, -1], pa.timestamp("ns")),
    "timestamp[us, UTC]": pa.array([_EARLY, None, _LATE], pa.timestamp("us", "UTC")),
    "timestamp[us, zone]": pa.array([_EARLY, None], pa.timestamp("us", "Europe/Berlin")),
    "duration": pa.array([dt.timedelta(microseconds=-1), None, dt.timedelta(3)], pa.duration("us")),
    "month_day_nano": pa.array([pa.MonthDayNano([1, -2, 3]), None]),
    "list": pa.array([[1, None], [], None], pa.list_(pa.int32())),
    "large_list": pa.array([["a"], None, []], pa.large_list(pa.string())),
    "fixed_size_list": pa.array([[1.5, 2.5], None], pa.list_(pa.float64(), 2)),
    "struct": pa.array(
        [{"a": 1, "b": "x"}, {"a": None, "b": None}, None],
        pa.struct([("a", pa.int64()), ("b", pa.string())]),
    ),
    "map": pa.array([[("k", 1)], [], None], pa.map_(pa.string(), pa.int64())),
    "dictionary": pa.array(["a", "b", None, "a"]).dictionary_encode(),
}
