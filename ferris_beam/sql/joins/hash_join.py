"""Joins of two large sides: both are spread over partitions by their keys, and meet there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from ferris_beam.interval import Origin
from ferris_beam.sql import nodes
from ferris_beam.sql.joins.completion import HELD_BYTES, JoinCompletion
from ferris_beam.sql.joins.gathering import Gathering
from ferris_beam.sql.joins.hot_keys import HotKeys, find_hot_keys
from ferris_beam.sql.joins.matching import JoinRule, Side
from ferris_beam.sql.joins.planning import rule_of, sides_of
from ferris_beam.sql.joins.sides import JoinSide, partition_hashes
from ferris_beam.sql.text import SqlText
from ferris_beam.transforms.stage import Completion, Preparation


@dataclass(frozen=True)
class HashJoin:
    """Both ways to the partitions, and what happens there."""

    left: Preparation
    right: Preparation
    completion: Completion


def plan_hash_join(
    node: nodes.Join,
    text: SqlText | None = None,
    *,
    hot_keys: HotKeys | None = None,
    memory_limit: int = HELD_BYTES,
) -> HashJoin:
    """The stage that joins. A partition holds up to ``memory_limit`` bytes of one side at a time.

    ``hot_keys`` are found in the start of large sources if they are not given. Raises `SqlError`
    where keys can't be compared.
    """
    left, right = sides_of(node, text)
    rule = rule_of(node, left, right, text)
    if hot_keys is None:
        hot_keys = find_hot_keys(node, {"left": left, "right": right}, rule, text)
    return HashJoin(
        JoinPreparation("left", left, rule, hot_keys),
        JoinPreparation("right", right, rule, hot_keys),
        JoinCompletion(rule, left, right, memory_limit, hot_keys is not None),
    )


class JoinPreparation(Preparation):
    """Rows of one side, with their keys and the hash that decides the partition.

    Rows with a NULL key meet nothing. Where they would not show they are left out; else they are
    spread by what they hold.
    """

    def __init__(
        self, name: Side, side: JoinSide, rule: JoinRule, hot_keys: HotKeys | None = None
    ) -> None:
        self.side = side
        self.nulls_equal = rule.nulls_equal
        self.keeps_alone = rule.keeps(name) or (rule.kind == "anti" and name == "left")
        self.hot_keys = hot_keys
        self.is_salted = hot_keys is not None and hot_keys.salted == name
        # NOT IN must know of every NULL on the right: all its rows meet in one partition.
        spread = bool(side.key_columns) and not rule.null_aware
        self.key_columns = (side.hash_column,) if spread else ()

    def open(self) -> None:
        self._gathering = Gathering()

    def add(self, records: pa.RecordBatch, origin: Origin | None) -> Iterable[pa.RecordBatch]:
        return self._gathering.add(self._with_hashes(self.side.prepared(records), origin))

    def _with_hashes(self, records: pa.RecordBatch, origin: Origin | None) -> pa.RecordBatch:
        if not self.key_columns:
            return records
        keys = self.side.keys(records, self.nulls_equal)
        assert keys is not None
        hashes = partition_hashes(records, keys)
        if keys.valid is not None and not self.keeps_alone:
            records, hashes = records.filter(pa.array(keys.valid)), hashes[keys.valid]
        if self.hot_keys is not None and self.is_salted:
            hashes = self.hot_keys.dealt(records, hashes, origin)
        elif self.hot_keys is not None:
            records, hashes = self.hot_keys.repeated(records, hashes)
        return records.append_column(self.side.hash_column, pa.array(hashes))

    def flush(self) -> Iterable[pa.RecordBatch]:
        return self._gathering.flush()

    def description(self) -> str:
        hot = "" if self.hot_keys is None else f", dealt out: {self.hot_keys}"
        return f"join by {self.side.spoken}{hot}"
