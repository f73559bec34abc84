"""Sums: exact, or nearly, in every order; never a wrapped number."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.errors import FatalError
from tests.sql.aggregation.stages import aggregate, cut, once, run

_BIG = st.integers(-(2**63), 2**63 - 1)


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.none() | _BIG, max_size=30), seed=st.integers(0, 99))
def test_integers_are_exact_or_refused(values: list[int | None], seed: int) -> None:
    rows = pa.record_batch({"v": pa.array(values, pa.int64())})
    node = aggregate(rows.schema, ["sum(v)"])
    present = [value for value in values if value is not None]
    total = sum(present) if present else None
    if total is None or -(2**63) <= total < 2**63:
        assert run(node, cut(rows, seed)).to_pylist() == [{"c0": total}]
    else:
        with pytest.raises(FatalError, match="too large"):
            run(node, cut(rows, seed))


@pytest.mark.parametrize("kind", [pa.int8(), pa.int32(), pa.uint8(), pa.uint32(), pa.uint64()])
def test_integers_of_every_width(kind: pa.DataType) -> None:
    most = 2 ** (kind.bit_width - (not pa.types.is_unsigned_integer(kind))) - 1
    values = [most // 3, most // 2, 1, 0, None]
    rows = pa.record_batch({"v": pa.array(values, kind)})
    if most < 2**63:
        assert once("sum(v)", rows) == [most // 3 + most // 2 + 1]
    else:
        assert once("avg(v)", rows) == [pytest.approx((most // 3 + most // 2 + 1) / 4, rel=1e-15)]


_DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=3).filter(
    lambda value: abs(value) < Decimal(10) ** 34
)


@settings(max_examples=60, deadline=None)
@given(values=st.lists(_DECIMALS, min_size=1, max_size=30), seed=st.integers(0, 99))
def test_decimals_are_exact(values: list[Decimal], seed: int) -> None:
    rows = pa.record_batch({"v": pa.array(values, pa.decimal128(37, 3))})
    node = aggregate(rows.schema, ["sum(v)"])
    (found,) = run(node, cut(rows, seed)).to_pylist()
    assert Fraction(found["c0"]) == sum(map(Fraction, values))
    assert node.schema.field("c0").type == pa.decimal128(38, 3)


def test_a_sum_of_more_than_38_digits_is_refused() -> None:
    most = Decimal("9" * 37)
    rows = pa.record_batch({"v": pa.array([most] * 20, pa.decimal128(37, 0))})
    with pytest.raises(FatalError, match=r"sum\(.*v.*\) is too large .*: sum it as a DOUBLE"):
        once("sum(v)", rows)
    both = pa.record_batch({"v": pa.array([most, most.copy_negate()] * 20, pa.decimal128(37, 0))})
    assert once("sum(v)", both) == [0]


def test_the_mean_of_decimals_is_rounded_half_up() -> None:
    rows = pa.record_batch({"v": pa.array([Decimal("0.01"), Decimal("0.02"), Decimal("0.02")])})
    (found,) = once("avg(v)", rows)
    assert found == Decimal("0.016667")


_FLOATS = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)


@settings(max_examples=100, deadline=None)
@given(values=st.lists(_FLOATS, min_size=1, max_size=40), seed=st.integers(0, 99))
def test_floats_are_summed_as_if_exactly(values: list[float], seed: int) -> None:
    rows = pa.record_batch({"v": pa.array(values, pa.float64())})
    (found,) = once("sum(v)", rows.take(pa.array(range(len(values)))))
    exact = math.fsum(values)
    largest = max(map(abs, values))
    assert found == pytest.approx(exact, rel=1e-12, abs=largest * 1e-25)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1e16, 1.0, -1e16], 1.0),
        ([0.1] * 10, 1.0),
        ([1e308, 1e308, -1e308, -1e308, 5.0], 5.0),
        ([math.inf, 1.0], math.inf),
        ([math.inf, -math.inf], math.nan),
        ([math.nan, 1.0], math.nan),
        ([5e-324, 5e-324], 1e-323),
        ([-0.0], 0.0),
    ],
)
def test_sums_of_hard_floats(values: list[float], expected: float) -> None:
    rows = pa.record_batch({"v": pa.array(values * 1, pa.float64())})
    (found,) = once("sum(v)", rows)
    assert found == pytest.approx(expected, rel=1e-15, nan_ok=True)


def test_moments_keep_their_digits_far_from_zero() -> None:
    values = [1e9 + place % 7 for place in range(7_000)]
    rows = pa.record_batch({"v": values})
    assert once(["var_pop(v)", "stddev_pop(v)"], rows) == pytest.approx([4.0, 2.0], rel=1e-9)
