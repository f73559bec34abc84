"""Numbers, dates and words as people write them."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.errors import OptionError
from ferris_beam.formats.csv.date_format import DateFormat
from tests.formats.memory import Unit


def column(values: list[str], **options: Any) -> Unit:
    return Unit(("v\n" + "".join(f'"{value}"\n' for value in values)).encode(), **options)


# ── numbers ─────────────────────────────────────────────────────────────────────────────────────

GERMAN = {"decimal": ",", "thousands": "dot"}


@pytest.mark.parametrize(
    ("values", "options", "expected"),
    [
        (["1.234,56", "-1234,5", "7"], GERMAN, [1234.56, -1234.5, 7.0]),
        (["1.234", "-12", "12.345.678"], GERMAN, [1234, -12, 12345678]),
        (["1 234,5", "2"], {"decimal": ",", "thousands": "space"}, [1234.5, 2.0]),
        (["1\u202f234,5"], {"decimal": ",", "thousands": "\u202f"}, [1234.5]),
        (["1'234.5"], {"thousands": "'"}, [1234.5]),
        (["12,34,567", "1"], {"thousands": "comma"}, [1234567, 1]),
        (["1,5e3", ",5", " 2,5 "], {"decimal": ","}, [1500.0, 0.5, 2.5]),
        (["1.5", "2"], {"decimal": ","}, ["1.5", "2"]),
        (["01.02.2024"], GERMAN, ["01.02.2024"]),
        (["1.2345"], GERMAN, ["1.2345"]),
    ],
)
def test_numbers(values: list[str], options: dict[str, Any], expected: list[object]) -> None:
    assert [row["v"] for row in column(values, **options).rows()] == expected


@given(st.lists(st.decimals(-(10**12), 10**12, places=2), min_size=1, max_size=8))
def test_numbers_of_any_size(values: list[Decimal]) -> None:
    german = str.maketrans(",.", ".,")
    texts = [f"{value:,}".translate(german) for value in values]
    assert column(texts, **GERMAN, types={"v": "decimal(15,2)"}).rows() == [
        {"v": value} for value in values
    ]
    assert column(texts, **GERMAN, types={"v": "double"}).rows() == [
        {"v": float(value)} for value in values
    ]


def test_what_is_no_number_here_is_rejected_as_it_is_written() -> None:
    file = column(["1,5", "1.5", "x", "1.234,5"], types={"v": "double"}, **GERMAN)
    assert [row["v"] for row in file.rows()] == [1.5, 1234.5]
    assert file.reasons() == ["v: '1.5' is not a double", "v: 'x' is not a double"]
    file = column(["1.000", "1,0", "99.999.999.999.999.999.999"], types={"v": "int64"}, **GERMAN)
    assert [row["v"] for row in file.rows()] == [1000]
    assert len(file.reasons()) == 2


def test_marks_must_differ() -> None:
    with pytest.raises(OptionError, match="decimal and thousands are both ','"):
        column(["1"], decimal=",", thousands=",")


def test_numbers_too_large_are_rejected_not_changed() -> None:
    file = column(["1e400", "-1e400", "inf", "-Infinity", "1.5"], types={"v": "double"})
    assert [row["v"] for row in file.rows()] == [float("inf"), float("-inf"), 1.5]
    assert file.reasons() == ["v: '1e400' is not a double", "v: '-1e400' is not a double"]
    assert column(["1e39", "1"], types={"v": "float32"}).reasons() == ["v: '1e39' is not a float"]
    digits = "1" * 45
    wide = column([digits, "7"], types={"v": "decimal(38,0)"})
    assert wide.rows() == [{"v": Decimal(7)}]
    assert wide.reasons() == [f"v: '{digits}' is not a decimal128(38, 0)"]


# ── dates ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "shape", "expected"),
    [
        ("31.1.2024", "%d.%m.%Y", date(2024, 1, 31)),
        ("01/31/24", "%D", date(2024, 1, 31)),
        ("31 Jan 69", "%-d %b %y", date(1969, 1, 31)),
        ("January 5, 2024", "%B %d, %Y", date(2024, 1, 5)),
        ("Wed 31-jan-2024", "%a %d-%b-%Y", date(2024, 1, 31)),
        ("20240131", "%Y%m%d", date(2024, 1, 31)),
    ],
)
def test_dates(text: str, shape: str, expected: date) -> None:
    file = column([text, ""], date_format=(shape,))
    assert file.schema.field("v").type == pa.date32()
    assert file.rows() == [{"v": expected}, {"v": None}]


@pytest.mark.parametrize(
    ("text", "shape", "expected"),
    [
        ("31.01.2024 7:05", "%d.%m.%Y %H:%M", datetime(2024, 1, 31, 7, 5)),
        ("01/31/2024 12:00:01 AM", "%m/%d/%Y %I:%M:%S %p", datetime(2024, 1, 31, 0, 0, 1)),
        ("01/31/2024 12 pm", "%m/%d/%Y %I %p", datetime(2024, 1, 31, 12)),
        ("2024-01-31 10:00:00.5", "%F %T.%f", datetime(2024, 1, 31, 10, 0, 0, 500_000)),
        (
            "31/Jan/2024:10:00:00 +0100",
            "%d/%b/%Y:%H:%M:%S %z",
            datetime(2024, 1, 31, 9, tzinfo=timezone.utc),
        ),
    ],
)
def test_timestamps(text: str, shape: str, expected: datetime) -> None:
    file = column([text], timestamp_format=(shape,))
    assert file.rows() == [{"v": expected}]


@given(
    st.lists(st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31)), min_size=1, max_size=5),
    st.sampled_from(["%d.%m.%Y %H:%M:%S.%f", "%b %d %Y %I:%M:%S.%f %p", "%Y%m%dT%H%M%S.%f"]),
)
def test_what_strftime_writes_is_read(values: list[datetime], shape: str) -> None:
    texts = [f"{value.strftime(shape)}" for value in values]
    assert column(texts, timestamp_format=(shape,)).rows() == [{"v": value} for value in values]


def test_days_that_are_none_are_rejected() -> None:
    texts = ["30.02.2024", "31.01.2024", "2024-01-31", "31.01.2024 10:00"]
    file = column(texts, date_format=("%d.%m.%Y",), types={"v": "date"})
    assert file.rows() == [{"v": date(2024, 1, 31)}]
    assert [reason.partition("'")[2].partition("'")[0] for reason in file.reasons()] == [
        "30.02.2024",
        "2024-01-31",
        "31.01.2024 10:00",
    ]
    for hour in ("13:00 PM", "0:30 AM"):
        assert column(
            [f"2024-01-31 {hour}"], timestamp_format=("%F %I:%M %p",), types={"v": "timestamp"}
        ).reasons()


def test_the_first_of_several_formats_that_fits_counts() -> None:
    file = column(["01/02/2024", "31/12/2024", "2024-05-06"], date_format=("%d/%m/%Y", "%F"))
    assert [row["v"] for row in file.rows()] == [
        date(2024, 2, 1),
        date(2024, 12, 31),
        date(2024, 5, 6),
    ]


def test_a_few_odd_dates_do_not_hinder_the_type() -> None:
    file = column(["31.01.2024"] * 99 + ["n/a"], date_format=("%d.%m.%Y",))
    assert file.schema.field("v").type == pa.date32()
    assert file.reasons() == ["v: 'n/a' is not a date32[day]"]


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ("%Y-%m", "a day"),
        ("%Y-%m-%d %M", "its hour"),
        ("%Y-%m-%d %I", "%I needs %p"),
        ("%Y-%m-%d %H.%f", "need seconds"),
        ("%Y-%m-%d %H %S", "need minutes"),
        ("%Y-%m-%d %Q", "%Q is no directive; there are %Y"),
        ("%Y-%m-%d %d", "%d stands in it twice"),
    ],
)
def test_formats_that_make_no_sense_are_refused(shape: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        DateFormat.parse(shape)
    with pytest.raises(ValueError, match="timestamp_format"):
        column(["x"], timestamp_format=(shape,))
    with pytest.raises(ValueError, match="use timestamp_format"):
        column(["x"], date_format=("%F %T",))


# ── words ───────────────────────────────────────────────────────────────────────────────────────


def test_words_for_true_and_false() -> None:
    words = {"true_values": ("yes", "y"), "false_values": ("no",)}
    file = column(["yes", "no", "y", ""], **words)
    assert [row["v"] for row in file.rows()] == [True, False, True, None]
    strict = column(["yes", "no", "true", "Y"], types={"v": "bool"}, **words)
    assert [row["v"] for row in strict.rows()] == [True, False]
    assert strict.reasons() == ["v: 'true' is not a bool", "v: 'Y' is not a bool"]
    german = column(["ja", "nein"], true_values=("ja",), false_values=("nein",), decimal=",")
    assert [row["v"] for row in german.rows()] == [True, False]
