"""Variance, covariance, correlation and the line of least squares.

States hold the number of rows, means, and sums of products of differences from the mean, never
sums of squares, which lose all digits when the mean is large. They merge by the formulas of
Chan, Golub and LeVeque (1979), for any number of states at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ferris_beam.sql.aggregation.arrays import floats_of, memory_of, nullable
from ferris_beam.sql.aggregation.grouping import Groups
from ferris_beam.sql.aggregation.state import Columns, Function, State
from ferris_beam.sql.aggregation.sums import pair_sum

Floats = npt.NDArray[np.float64]
Moments = tuple[Floats, ...]
"""Of one variable: n, mean, Σ(x-x̄)²; of two: n, x̄, ȳ, Σ(x-x̄)², Σ(y-ȳ)², Σ(x-x̄)(y-ȳ)."""


@dataclass(frozen=True)
class Deviations(State):
    """The moments of one or two numbers, over the rows in which none is NULL."""

    @property
    def types(self) -> tuple[pa.DataType, ...]:
        return (pa.float64(),) * (3 if len(self.arguments) == 1 else 6)

    def partial(self, groups: Groups, arguments: Columns) -> list[pa.Array]:
        groups, values = groups.of_valid(*arguments)
        numbers = [floats_of(value) for value in values]
        counts = groups.sizes.astype(np.float64)
        means = [_divided(pair_sum(groups, number)[0], counts) for number in numbers]
        differences = [
            number - mean[groups.codes] for number, mean in zip(numbers, means, strict=True)
        ]
        sums = [_sum(groups, a * b) for a, b in _pairs(differences)]
        return [pa.array(column) for column in (counts, *means, *sums)]

    def merge(self, groups: Groups, columns: Columns) -> list[pa.Array]:
        parts = [memory_of(column, np.float64) for column in columns]
        present = parts[0] > 0
        groups = groups.where(present)
        weights, *parts = (part[present] for part in parts)
        width = len(self.arguments)
        counts = _sum(groups, weights)
        means, differences = [], []
        for mean in parts[:width]:
            some = np.zeros(groups.count)
            some[groups.codes] = mean
            shift = _divided(_sum(groups, weights * (mean - some[groups.codes])), counts)
            means.append(np.where(counts > 0, some + shift, 0.0))
            differences.append(mean - means[-1][groups.codes])
        sums = [
            _sum(groups, part + weights * a * b)
            for part, (a, b) in zip(parts[width:], _pairs(differences), strict=True)
        ]
        return [pa.array(column) for column in (counts, *means, *sums)]


def _pairs(columns: list[Floats]) -> list[tuple[Floats, Floats]]:
    if len(columns) == 1:
        return [(columns[0], columns[0])]
    x, y = columns
    return [(x, x), (y, y), (x, y)]


def _sum(groups: Groups, values: Floats) -> Floats:
    return np.bincount(groups.codes, values, groups.count).astype(np.float64, copy=False)


def _divided(values: Floats, by: Floats) -> Floats:
    """0 where there is nothing to divide by."""
    return np.divide(values, by, out=np.zeros(len(values)), where=by > 0)


@dataclass(frozen=True)
class MomentFunction(Function):
    """``name`` is one of `FORMULAS`."""

    moments: Deviations
    name: str
    type: pa.DataType

    @property
    def states(self) -> tuple[State, ...]:
        return (self.moments,)

    def finish(self, *states: Columns) -> pa.Array:
        moments = tuple(memory_of(column, np.float64) for column in states[0])
        least, formula = FORMULAS[self.name]
        with np.errstate(all="ignore"):
            values = formula(moments)
        missing = moments[0] < least
        if self.name in _NULL_WITHOUT_SPREAD:
            missing = missing | np.isnan(values) & ~np.isnan(sum(moments[1:]))
            missing |= np.isinf(values)
        return nullable(values, missing, self.type)


Formula = Callable[[Moments], Floats]


def _correlation(m: Moments) -> Floats:
    found = m[5] / (np.sqrt(m[3]) * np.sqrt(m[4]))
    return np.clip(found, -1.0, 1.0)


def _determination(m: Moments) -> Floats:
    """1 for points on a horizontal line (SQL:2003)."""
    return np.where((m[4] > 0) & (m[3] == 0), 1.0, _correlation(m) ** 2)


_NULL_WITHOUT_SPREAD = {"corr", "regr_slope", "regr_intercept", "regr_r2"}

FORMULAS: dict[str, tuple[int, Formula]] = {
    "var_samp": (2, lambda m: m[2] / (m[0] - 1)),
    "var_pop": (1, lambda m: m[2] / m[0]),
    "stddev_samp": (2, lambda m: np.sqrt(m[2] / (m[0] - 1))),
    "stddev_pop": (1, lambda m: np.sqrt(m[2] / m[0])),
    "covar_samp": (2, lambda m: m[5] / (m[0] - 1)),
    "covar_pop": (1, lambda m: m[5] / m[0]),
    "corr": (1, _correlation),
    # regr_…(y, x): the first variable is y
    "regr_count": (0, lambda m: m[0]),
    "regr_avgy": (1, lambda m: m[1]),
    "regr_avgx": (1, lambda m: m[2]),
    "regr_syy": (1, lambda m: m[3]),
    "regr_sxx": (1, lambda m: m[4]),
    "regr_sxy": (1, lambda m: m[5]),
    "regr_slope": (1, lambda m: m[5] / m[4]),
    "regr_intercept": (1, lambda m: m[1] - m[5] / m[4] * m[2]),
    "regr_r2": (1, _determination),
}
"""By name: how many rows it needs, and what it is of the moments."""
