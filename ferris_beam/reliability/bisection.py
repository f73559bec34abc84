"""From a batch that was refused down to the rows that are at fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import pyarrow as pa

from ferris_beam.errors import BadRecordError


def write_good_rows(
    records: pa.RecordBatch, write: Callable[[pa.RecordBatch], None]
) -> Iterator[tuple[int, BadRecordError]]:
    """Writes all rows that ``write`` takes; yields index and error of each that it refuses.

    ``write`` must be atomic. Where its error names the row, what is before and behind it is tried
    next; otherwise the batch is halved: k bad rows of n cost O(k·log n) writes.
    """
    waiting = [(0, records)]
    while waiting:
        start, part = waiting.pop()
        try:
            write(part)
        except BadRecordError as error:
            if part.num_rows <= 1:
                yield start, error
                continue
            for cut in reversed(_cuts(part, error)):
                offset, length = cut
                waiting.append((start + offset, part.slice(offset, length)))


def _cuts(part: pa.RecordBatch, error: BadRecordError) -> list[tuple[int, int]]:
    """(offset, length) of the pieces to try next, in order, none of them the whole."""
    rows = part.num_rows
    if error.row is not None and 0 <= error.row < rows:
        borders = [0, error.row, error.row + 1, rows]
    else:
        borders = [0, rows // 2, rows]
    return [(a, b - a) for a, b in pairwise(borders) if b > a]
