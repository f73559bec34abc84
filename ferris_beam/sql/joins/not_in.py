"""NOT IN: a row whose comparison with any row of the other side is unknown is not put out either.

``x NOT IN (…, NULL)`` is never true, and neither is ``NULL NOT IN`` of anything but the empty set.
Further conditions (those of a correlated subquery) decide which rows the set holds: they must be
true, unknown is not enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from ferris_beam.batches.words import Flags, Positions
from ferris_beam.sql.joins.index import Candidates, Pairs
from ferris_beam.sql.joins.keys import Keys

Confirm = Callable[[Positions, Positions], Pairs]
"""Keeps those pairs that meet the other conditions."""


def certainly_out(
    alone: Flags,
    left: tuple[pa.RecordBatch, Sequence[str], Keys],
    right: tuple[pa.RecordBatch, Sequence[str], Keys],
    confirm: Confirm | None,
    limit: int,
) -> Flags:
    """Which of the rows ``alone`` (those of ``left`` without a match) are in no way in ``right``.

    Each side is given by its rows, the names of its key columns, and its keys.
    """
    (left_rows, left_names, left_keys), (right_rows, right_names, right_keys) = left, right
    if right_rows.num_rows == 0:
        return alone
    if confirm is None and len(left_names) == 1:
        if right_keys.valid is not None and not right_keys.valid.all():
            return np.zeros_like(alone)
        return alone if left_keys.valid is None else alone & left_keys.valid
    columns = list(
        zip(_columns(left_rows, left_names), _columns(right_rows, right_names), strict=True)
    )
    out = alone.copy()
    for asked, rows in _with_nulls(out, left_keys, right_keys, limit):
        for one, other in columns:
            maybe = _may_be_equal(one, asked, other, rows)
            asked, rows = asked[maybe], rows[maybe]
        if confirm is not None:
            asked, rows = confirm(asked, rows)
        out[asked] = False
    return out


def _columns(records: pa.RecordBatch, names: Sequence[str]) -> list[Keys]:
    return [Keys.of([records.column(name)], records.num_rows) for name in names]


def _may_be_equal(one: Keys, asked: Positions, other: Keys, rows: Positions) -> Flags:
    found = one.equal(asked, other, rows)
    for keys, places in ((one, asked), (other, rows)):
        if keys.valid is not None:
            found |= ~keys.valid[places]
    return found


def _with_nulls(alone: Flags, left: Keys, right: Keys, limit: int) -> Iterator[Pairs]:
    """The pairs of which one has a NULL in its key."""
    if left.valid is not None:
        asked = np.flatnonzero(alone & ~left.valid)
        yield from _product(asked, np.arange(right.num_rows), limit)
    if right.valid is not None:
        yield from _product(np.flatnonzero(alone), np.flatnonzero(~right.valid), limit)


def _product(asked: Positions, rows: Positions, limit: int) -> Iterator[Pairs]:
    starts, counts = np.zeros(len(asked), np.int64), np.full(len(asked), len(rows), np.int64)
    for places, found in Candidates(starts, counts, rows).pairs(limit):
        yield asked[places], found
