"""A hot key is dealt out over partitions, and the join stays what it was."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ferris_beam.sql import nodes
from ferris_beam.sql.joins import HashJoin, HotKeys, hot_keys, plan_hash_join
from ferris_beam.sql.joins.hash_join import JoinPreparation
from ferris_beam.sql.joins.matching import Side
from ferris_beam.transforms.endpoint import Endpoint
from tests.sql.joins.staged import bag, cut, partitions_of, run_stage
from tests.sql.joins.test_kinds import KINDS, in_duckdb, join_of

PARTITIONS = 8
CONDITION = 'l."l.k" = r."r.k"'


def skewed(side: str, rows: int, seed: int) -> pa.Table:
    """Half of all rows have the key 7."""
    rng = np.random.default_rng(seed)
    keys = np.where(rng.random(rows) < 0.5, 7, rng.integers(0, rows, rows))
    return pa.table({f"{side}.k": keys, f"{side}.row": np.arange(rows)})


def even(side: str, rows: int) -> pa.Table:
    return pa.table({f"{side}.k": np.arange(rows), f"{side}.row": np.arange(rows)})


def hashes_of(node: nodes.Join, side: Side, table: pa.Table) -> HotKeys:
    prepared = getattr(plan_hash_join(node), side)
    assert isinstance(prepared, JoinPreparation)
    batches = [prepared.side.prepared(batch) for batch in table.to_batches()]
    share, found = hot_keys.hot_hashes(prepared.side, batches, False)
    assert share > 0.4
    return HotKeys(side, found)


def sizes(plan: HashJoin, left: pa.Table, right: pa.Table) -> list[int]:
    inputs = [cut(left, random.Random(1), 500), cut(right, random.Random(2), 500)]
    arrived = partitions_of([plan.left, plan.right], inputs, PARTITIONS)
    return [sum(part.num_rows for parts in each for part in parts) for each in arrived]


def test_partitions_are_balanced() -> None:
    left, right = skewed("l", 20_000, 1), even("r", 20_000)
    node = join_of(left, right, "inner")
    without = sizes(plan_hash_join(node), left, right)
    assert max(without) > 12_000
    found = sizes(plan_hash_join(node, hot_keys=hashes_of(node, "left", left)), left, right)
    assert max(found) < 1.5 * sum(found) / PARTITIONS


def test_equal_rows_are_spread_by_their_place() -> None:
    """A join that needs no column but its key: all hot rows are equal."""
    left, right = skewed("l", 20_000, 1).select(["l.k"]), even("r", 20_000)
    node = join_of(left, right, "inner")
    found = sizes(plan_hash_join(node, hot_keys=hashes_of(node, "left", left)), left, right)
    assert max(found) < 1.5 * sum(found) / PARTITIONS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("side", ["left", "right"])
def test_the_result_is_the_same(kind: nodes.JoinKind, side: Side) -> None:
    left, right = skewed("l", 120, 1), skewed("r", 60, 2)
    node = join_of(left, right, kind)
    plain = plan_hash_join(node)
    assert isinstance(plain.left, JoinPreparation)
    if side not in hot_keys.may_be_salted(plain.completion.rule):  # type: ignore[attr-defined]
        pytest.skip("rows of the other side may appear alone: a copy can't know what others met")
    plan = plan_hash_join(node, hot_keys=hashes_of(node, side, left if side == "left" else right))
    inputs = [cut(left, random.Random(1)), cut(right, random.Random(2))]
    found = run_stage([plan.left, plan.right], plan.completion, inputs, node.schema, PARTITIONS)
    assert bag(found) == bag(in_duckdb(left, right, kind, CONDITION))


def test_partitions_without_rows() -> None:
    left, right = skewed("l", 120, 1), skewed("r", 0, 2)
    node = join_of(left, right, "left")
    plan = plan_hash_join(node, hot_keys=hashes_of(node, "left", left))
    inputs = [cut(left, random.Random(1)), cut(right, random.Random(2))]
    found = run_stage([plan.left, plan.right], plan.completion, inputs, node.schema, PARTITIONS)
    assert bag(found) == bag(in_duckdb(left, right, "left", CONDITION))


def test_which_side_may_be_salted() -> None:
    left, right = even("l", 3), even("r", 3)

    def salted(kind: nodes.JoinKind, **flags: bool) -> tuple[Side, ...]:
        completion = plan_hash_join(join_of(left, right, kind, **flags)).completion
        return hot_keys.may_be_salted(completion.rule)  # type: ignore[attr-defined]

    assert salted("inner") == ("left", "right")
    assert salted("left") == salted("semi") == salted("anti") == ("left",)
    assert salted("right") == ("right",)
    assert salted("full") == salted("anti", null_aware=True) == ()
    assert salted("inner", single=True) == ("left",)


def test_a_repeat_deals_the_same(tmp_path: Path) -> None:
    """The same batches, in another order and by another worker, fill the same partitions."""
    left, right = skewed("l", 500, 1), even("r", 500)
    node = join_of(left, right, "left")
    plan = plan_hash_join(node, hot_keys=hashes_of(node, "left", left))
    batches = cut(left, random.Random(1), 40)
    once = partitions_of([plan.left], [batches], PARTITIONS)
    random.Random(9).shuffle(batches)
    again = partitions_of([plan.left], [batches], PARTITIONS)
    for one, other in zip(once, again, strict=True):
        assert bag(pa.Table.from_batches(one[0])) == bag(pa.Table.from_batches(other[0]))


def scan(path: Path, side: str, nbytes: float) -> nodes.Scan:
    names = (f"{side}.k", f"{side}.row")
    schema = pa.schema([(name, pa.int64()) for name in names])
    endpoint = Endpoint.of(path.as_uri(), {}, "source")
    return nodes.Scan(schema, endpoint, side, names, nbytes=nbytes)


def test_hot_keys_are_found_in_large_sources(tmp_path: Path) -> None:
    left, right = tmp_path / "left.parquet", tmp_path / "right.parquet"
    pq.write_table(skewed("l", 5000, 1), left)
    pq.write_table(even("r", 5000), right)
    schema = pa.schema([*skewed("l", 1, 1).schema, *even("r", 1).schema])
    pairs = ((nodes.column("l.k"), nodes.column("r.k")),)

    def found(nbytes: float) -> HotKeys | None:
        node = nodes.Join(schema, scan(left, "l", nbytes), scan(right, "r", nbytes), "inner", pairs)
        preparation = plan_hash_join(node).left
        assert isinstance(preparation, JoinPreparation)
        return preparation.hot_keys

    assert found(1000.0) is None
    hot = found(1e9)
    assert hot is not None
    assert hot.salted == "left"
    assert len(hot.hashes) == 1
    assert found(1e9) == hot
