"""A few broken values don't decide a column's type; a mixed column stays text."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.formats.inference import PATTERNS, counts_of, matches, mostly

GOOD = {
    pa.int64(): "12",
    pa.float64(): "-1.5e3",
    pa.bool_(): "true",
    pa.date32(): "2024-02-29",
    pa.timestamp("us"): "2024-02-29 12:00:00.25",
    pa.timestamp("us", "UTC"): "2024-02-29T12:00:00+02:00",
}


@pytest.mark.parametrize(("kind", "text"), GOOD.items(), ids=map(str, GOOD))
def test_one_of_a_hundred_may_be_broken(kind: pa.DataType, text: str) -> None:
    assert mostly(pa.array([text] * 99 + ["n/a"])) == kind
    assert mostly(pa.array([text] * 98 + ["n/a"] * 2)) == pa.string()
    assert mostly(pa.array([text] * 99 + ["n/a", None, None])) == kind


def test_whole_numbers_among_fractions_are_fractions() -> None:
    assert mostly(pa.array(["1", "2.5"] * 50 + ["?"])) == pa.float64()


@pytest.mark.parametrize("text", ["007", "abc", "", "2024-2-9", "0x1F"])
def test_codes_and_words_stay_text(text: str) -> None:
    assert mostly(pa.array([text] * 100)) == pa.string()


def test_nothing_is_text() -> None:
    assert mostly(pa.array([None, None], pa.string())) == pa.string()


@given(
    st.lists(st.one_of(st.none(), st.text(max_size=3), st.sampled_from(list(GOOD.values())))),
    st.integers(1, 40),
)
def test_texts_that_repeat_are_counted_as_often_as_they_come(
    texts: list[str | None], times: int
) -> None:
    column = pa.array(texts * times, pa.string())
    halves = pa.chunked_array([column[: len(texts)], column[len(texts) :]], pa.string())
    expected = {kind: matches(column, pattern) for kind, pattern in PATTERNS.items()}
    assert counts_of(column) == counts_of(halves) == expected
