"""Keys with so many rows that one partition would get too much of the work.

The rows of a hot key on one side, the salted one, are dealt out over several partitions; the rows
of that key on the other side are repeated in all of these. That is right for each salted row, since
it still meets all its matches, and each pair is met once. It would not be right for the other
side's rows without a match (a copy can't know what the others met), so the salted side must be the
only one whose rows may appear alone: never in a full join.

Which keys are hot is found when the plan is made, from the first rows of the source, so that both
sides know it, and a restart finds the same as long as the source is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from ferris_beam.batches.words import Flags, Hashes, Strings, combine
from ferris_beam.interval import Origin
from ferris_beam.ledger import Identity
from ferris_beam.sql.joins.matching import JoinRule, Side
from ferris_beam.sql.joins.sides import JoinSide, content_hashes
from ferris_beam.sql.joins.table import SourceTable, table_of
from ferris_beam.sql.nodes import Join, Node, Scan, walk
from ferris_beam.sql.rules.estimates import estimate
from ferris_beam.sql.text import SqlText
from ferris_beam.transforms.context import Policy, Run

SALTS = 16
"""Over how many places a hot key's rows are dealt out."""

HOT_SHARE = 1 / 32
"""A key is hot that has this share of the sampled rows: a quarter of a fair partition of eight."""

SAMPLED_BYTES = 32 << 20
"""Sides that are estimated to be smaller than this are not worth a look."""

_SPLITS, _CHUNKS = 4, 2


@dataclass(frozen=True)
class HotKeys:
    """The hashes of hot keys, sorted, and the side on which they are hot."""

    salted: Side
    hashes: tuple[int, ...]

    @cached_property
    def _sorted(self) -> Hashes:
        return np.array(self.hashes, np.uint64)

    def found(self, hashes: Hashes) -> Flags:
        at = np.minimum(np.searchsorted(self._sorted, hashes), len(self.hashes) - 1)
        found: Flags = self._sorted[at] == hashes
        return found

    def dealt(self, records: pa.RecordBatch, hashes: Hashes, origin: Origin | None) -> Hashes:
        """``hashes`` on the salted side: one of `SALTS` others for each row of a hot key."""
        rows = np.flatnonzero(self.found(hashes))
        if len(rows):
            hashes[rows] = combine(hashes[rows], _salts(records, rows, origin))
        return hashes

    def repeated(self, records: pa.RecordBatch, hashes: Hashes) -> tuple[pa.RecordBatch, Hashes]:
        """The rows of the other side: those of hot keys once for each salt."""
        hot = self.found(hashes)
        if not hot.any():
            return records, hashes
        rows = np.repeat(np.arange(len(hashes)), np.where(hot, SALTS, 1))
        copies = np.arange(len(rows)) - np.searchsorted(rows, rows)
        hashes = hashes[rows]
        copied = np.flatnonzero(hot[rows])
        hashes[copied] = combine(hashes[copied], copies[copied].astype(np.uint64))
        return records.take(pa.array(rows)), hashes


def _salts(records: pa.RecordBatch, rows: np.ndarray, origin: Origin | None) -> Hashes:
    """By the place of a row in its source, which is the same in a restart; equal rows, too, go to
    different partitions then. Where the place is not known, by what the row holds."""
    if origin is None:
        hashes = content_hashes(records.take(pa.array(rows)))
    else:
        place = f"{origin.interval} {origin.parts}".encode()
        data = np.frombuffer(place + bytes(8), np.uint8)
        text = Strings(data, np.zeros(1, np.int64), np.array([len(place)]))
        hashes = text.hashes() + rows.astype(np.uint64)
    return hashes % np.uint64(SALTS)


def find_hot_keys(
    node: Join, sides: dict[Side, JoinSide], rule: JoinRule, text: SqlText | None = None
) -> HotKeys | None:
    """The hot keys of a large side that is a source, if it has any; reads the source's start."""
    inputs: dict[Side, Node] = {"left": node.left, "right": node.right}
    best: tuple[float, HotKeys] | None = None
    for side in may_be_salted(rule):
        size = estimate(inputs[side]).nbytes
        if not node.keys or size is None or size < SAMPLED_BYTES or not _is_bounded(inputs[side]):
            continue
        table = table_of(inputs[side], False, text)
        if table is None:
            continue
        sample = [sides[side].prepared(batch) for batch in _sampled(table)]
        share, hashes = hot_hashes(sides[side], sample, rule.nulls_equal)
        if hashes and (best is None or share * size > best[0]):
            best = share * size, HotKeys(side, hashes)
    return best[1] if best else None


def may_be_salted(rule: JoinRule) -> tuple[Side, ...]:
    """The sides whose hot keys may be dealt out."""
    if rule.null_aware or rule.kind == "full":
        return ()
    if rule.kind == "inner" and not rule.single:
        return ("left", "right")
    return ("right",) if rule.kind == "right" else ("left",)


def hot_hashes(
    side: JoinSide, sample: Iterable[pa.RecordBatch], nulls_equal: bool
) -> tuple[float, tuple[int, ...]]:
    """The hashes of hot keys in a sample of prepared rows, and the share of rows they have."""
    found = []
    for batch in sample:
        keys = side.keys(batch, nulls_equal)
        assert keys is not None
        found.append(keys.hashes() if keys.valid is None else keys.hashes()[keys.valid])
    if not found:
        return 0.0, ()
    hashes, counts = np.unique(np.concatenate(found), return_counts=True)
    total = max(1, int(counts.sum()))
    hot = counts > max(1, HOT_SHARE * total)
    return float(counts[hot].sum()) / total, tuple(int(each) for each in hashes[hot])


def _sampled(table: SourceTable) -> Iterator[pa.RecordBatch]:
    """The first chunks of the first splits."""
    return table.batches(Run(Identity("sample", "sample"), Policy()), _SPLITS, _CHUNKS)


def _is_bounded(node: Node) -> bool:
    return all(each.bounded for each in walk(node) if isinstance(each, Scan))
