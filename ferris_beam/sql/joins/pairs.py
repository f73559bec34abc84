"""Pairs of rows that match, in parts of a bounded size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from ferris_beam.batches.words import Flags, Positions
from ferris_beam.sql.joins.index import Pairs


def where(flags: Flags, asked: Positions, rows: Positions) -> Pairs:
    """The pairs for which ``flags`` is true."""
    return (asked, rows) if flags.all() else (asked[flags], rows[flags])


def gathered(pairs: Iterable[Pairs], limit: int) -> Iterator[Pairs]:
    """The same pairs in as few parts as ``limit`` allows."""
    held: list[Pairs] = []
    count = 0
    for asked, rows in pairs:
        for part in _cut((asked, rows), limit):
            if held and count + len(part[0]) > limit:
                yield _joined(held)
                held, count = [], 0
            held.append(part)
            count += len(part[0])
    if held:
        yield _joined(held)


def _cut(pairs: Pairs, limit: int) -> Iterator[Pairs]:
    """A pair of arrays that is short enough goes on as it is: it may be one that is known again."""
    asked, rows = pairs
    if 0 < len(asked) <= limit:
        yield pairs
        return
    for begin in range(0, len(asked), limit):
        yield asked[begin : begin + limit], rows[begin : begin + limit]


def _joined(parts: list[Pairs]) -> Pairs:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate([one for one, _ in parts]), np.concatenate([other for _, other in parts])
