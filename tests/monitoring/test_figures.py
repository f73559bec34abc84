from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.monitoring.figures import (
    bar,
    human_count,
    human_number,
    human_seconds,
    human_size,
)

_POWERS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}
_SECONDS = {"s": 1, "min": 60, "h": 3600}


def test_examples() -> None:
    assert human_count(1_234_567) == "1,234,567"
    assert [human_number(n) for n in (0, 999, 1000, 12_345, 999_500)] == [
        "0",
        "999",
        "1.00 k",
        "12.3 k",
        "1.00 M",
    ]
    assert human_size(27_100_000) == "27.1 MB"
    assert human_size(12) == "12 B"
    assert [human_seconds(s) for s in (0.42, 5.3, 42, 187, 3599.7, 7500)] == [
        "0.42 s",
        "5.3 s",
        "42 s",
        "3 min 07 s",
        "1 h 00 min",
        "2 h 05 min",
    ]


@given(st.integers(0, 10**17))
def test_sizes_read_back_within_half_a_percent(nbytes: int) -> None:
    number, unit = human_size(nbytes).split(" ")
    shown = float(number) * _POWERS[unit.removesuffix("B").upper().replace("K", "k")]
    assert shown == pytest.approx(nbytes, rel=0.0051)
    assert len(number.replace(".", "")) <= 3


@given(st.integers(0, 10**14))
def test_numbers_have_three_digits(number: int) -> None:
    digits, _, unit = human_number(number).partition(" ")
    assert float(digits) * _POWERS[unit] == pytest.approx(number, rel=0.0051)
    assert len(digits.replace(".", "")) <= 3


@given(st.floats(0, 10**6))
def test_durations_read_back(seconds: float) -> None:
    parts = re.findall(r"([\d.]+) (s|min|h)", human_seconds(seconds))
    shown = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    precision = 0.006 if seconds < 0.99 else 0.06 if seconds < 9.9 else 1 if seconds < 3600 else 60
    assert abs(shown - seconds) <= precision


@given(st.integers(0, 10**9), st.integers(1, 10**9), st.integers(1, 100))
def test_bars_are_in_proportion(value: int, most: int, width: int) -> None:
    shown = bar(value, most, width)
    assert len(shown) <= width
    assert bool(shown) == (value > 0)
    assert abs(min(value / most, 1) * width - len(shown)) <= 1


def test_the_largest_value_fills_its_bar() -> None:
    assert bar(7, 7, 20) == "█" * 20
    assert bar(5, 8, 1) == "▋"
    assert bar(1, 0, 10) == ""
