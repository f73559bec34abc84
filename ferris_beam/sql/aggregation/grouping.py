"""Which rows belong together: a number for each group, shared by all that is computed of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from ferris_beam.sql.aggregation.arrays import Flags, Integers, is_null
from ferris_beam.sql.aggregation.codes import Coded, begin_runs, codes_of, combined

_SPARSE = 8
"""Codes that leave more gaps than this for each row are sorted, not counted."""


@dataclass(frozen=True, eq=False)
class Groups:
    """``codes`` holds the group of each row, ``0 <= code < count``; a group may have no row."""

    codes: Integers
    count: int

    @cached_property
    def sizes(self) -> Integers:
        """How many rows each group has."""
        return np.bincount(self.codes, minlength=self.count)

    @cached_property
    def order(self) -> Integers:
        """The rows by group; within a group in no order."""
        if self.count <= 1 << 15:
            return np.argsort(self.codes.astype(np.int16), kind="stable")  # by radix
        return np.argsort(self.codes)

    @cached_property
    def offsets(self) -> Integers:
        """Where each group begins in `order`, and at last where the last one ends."""
        return np.concatenate([[0], np.cumsum(self.sizes)])

    @cached_property
    def members(self) -> Integers:
        """One row of each group; -1 for a group without rows."""
        rows = np.full(self.count, -1, np.int64)
        rows[self.codes] = np.arange(len(self.codes))
        return rows

    def where(self, chosen: Flags) -> Groups:
        """The same groups with fewer rows."""
        return Groups(self.codes[chosen], self.count)

    def of_valid(self, *columns: pa.Array) -> tuple[Groups, tuple[pa.Array, ...]]:
        """Without the rows in which one of ``columns`` is NULL."""
        if not any(column.null_count for column in columns):
            return self, columns
        missing = np.zeros(len(self.codes), np.bool_)
        for column in columns:
            missing |= is_null(column)
        mask = pa.array(~missing)
        return self.where(~missing), tuple(column.filter(mask) for column in columns)


def group(columns: Sequence[pa.Array], rows: int, panes: Coded | None = None) -> Groups:
    """The groups of rows that are equal in all ``columns`` (and in their pane); without columns
    there is one."""
    coded = [] if panes is None else [panes]
    coded += [codes_of(column) for column in columns]
    if not coded:
        return Groups(np.zeros(rows, np.int64), min(1, rows))
    return of_codes(combined(coded))


def of_codes(coded: Coded) -> Groups:
    """Groups without gaps, in the order of their codes."""
    codes, count = coded
    if count > max(1024, _SPARSE * len(codes)):
        return _by_sorting(codes)
    sizes = np.bincount(codes, minlength=count)
    present = np.flatnonzero(sizes)
    if len(present) < count:
        numbers = np.zeros(count, np.int64)
        numbers[present] = np.arange(len(present))
        codes, sizes = numbers[codes], sizes[present]
    groups = Groups(codes, len(present))
    vars(groups).update(sizes=sizes)
    return groups


def _by_sorting(codes: Integers) -> Groups:
    order = np.argsort(codes)
    begins = begin_runs(codes[order])
    numbers = np.empty(len(codes), np.int64)
    numbers[order] = np.cumsum(begins) - 1
    groups = Groups(numbers, int(np.count_nonzero(begins)))
    vars(groups).update(order=order, members=order[begins])
    return groups
