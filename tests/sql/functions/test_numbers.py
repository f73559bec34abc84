"""Functions of doubles: the values of Python's math, and errors where it has none."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.errors import BadRecordError
from tests.sql.functions.running import select

NUMBERS = st.floats(-1e3, 1e3) | st.sampled_from([0.0, -1.0, 1.0, 2.0, 8.0, 100.0])
FUNCTIONS = ["acos", "acosh", "asin", "cosh", "sinh", "exp", "log10", "log2"]


@pytest.mark.parametrize("name", [*FUNCTIONS, "ln"])
@given(numbers=st.lists(NUMBERS | st.none(), min_size=1, max_size=5))
@settings(deadline=None, max_examples=25)
def test_values_are_those_of_python_and_errors_where_it_has_none(
    name: str, numbers: list[float | None]
) -> None:
    run = math.log if name == "ln" else getattr(math, name)
    column = pa.array(numbers, pa.float64())
    try:
        expected = [None if number is None else run(number) for number in numbers]
    except (ValueError, OverflowError):
        with pytest.raises(BadRecordError, match=rf"{name}\(.*has no value|is not finite"):
            select(f"{name}(x)", x=column)
    else:
        found = select(f"{name}(x)", x=column).to_pylist()
        for ours, theirs in zip(found, expected, strict=True):
            assert ours == (theirs if theirs is None else pytest.approx(theirs, rel=1e-12))


def test_what_is_infinite_or_nan_already_may_stay_so() -> None:
    column = pa.array([math.inf, math.nan, None])
    found = select("exp(x)", x=column).to_pylist()
    assert found[0] == math.inf
    assert math.isnan(found[1])
    assert found[2] is None


@pytest.mark.parametrize("call", ["power(x, 400)", "power(x - 10, -1)", "power(-x, 0.5)"])
def test_powers_that_are_no_numbers(call: str) -> None:
    with pytest.raises(BadRecordError, match="overflow or bad argument: power"):
        select(call, x=pa.array([10.0]))


@pytest.mark.parametrize(
    ("call", "expected"), [("log(1000)", 3.0), ("log(2, 8)", 3.0), ("log(3, 81)", 4.0)]
)
def test_logarithms_of_powers_are_whole(call: str, expected: float) -> None:
    assert select(call)[0].as_py() == expected
