"""Sizes and durations as they are written."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.options import byte_size, duration
from ferris_beam.options.types import show_byte_size, show_duration


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("4096", 4096),
        ("500kB", 500_000),
        ("64MB", 64_000_000),
        ("64 mb", 64_000_000),
        ("1.5GB", 1_500_000_000),
        ("1GiB", 2**30),
        ("0.5KiB", 512),
        (7, 7),
    ],
)
def test_byte_size(text: str | int, size: int) -> None:
    assert byte_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "-1", "1.1", "64M", "64XB", "1e3", "0.0001kB", "１MB"])
def test_no_byte_size(text: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        byte_size(text)


@given(st.integers(0, 2**50))
def test_a_shown_byte_size_is_read_back(size: int) -> None:
    assert byte_size(show_byte_size(size)) == size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("5s", 5),
        ("500ms", 0.5),
        ("250us", 0.00025),
        ("1.5h", 5400),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        ("2d", 172_800),
        (timedelta(seconds=3), 3),
    ],
)
def test_duration(text: str | timedelta, seconds: float) -> None:
    assert duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "5", "s", "-5s", "5 seconds", "5s!", "9999999999d", "1h-30m"])
def test_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        duration(text)


@given(st.timedeltas(min_value=timedelta(), max_value=timedelta(days=3650)))
def test_a_shown_duration_is_read_back(value: timedelta) -> None:
    assert duration(show_duration(value)) == value
