"""No rule changes what a plan means."""

from __future__ import annotations

from collections import Counter
from random import Random

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from ferris_beam.sql.nodes import Node
from ferris_beam.sql.rules.optimize import RULES, optimize
from ferris_beam.sql.rules.strategy import choose_strategies
from tests.sql.interpreter import run
from tests.sql.rules.random_plans import Plans


def rows(table: pa.Table) -> Counter[str]:
    """-0.0 is 0.0; which of them a group shows is nobody's business."""
    return Counter(str(row).replace("-0.0", "0.0") for row in table.to_pylist())


def expected(plan: Node) -> Counter[str] | None:
    """None: a row of it fails. Then a plan may fail, or have dropped that row early enough."""
    try:
        return rows(run(plan))
    except duckdb.ConversionException:
        return None


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False), st.integers(1, 4))
def test_an_optimized_plan_has_the_same_rows(random: Random, depth: int) -> None:
    plan = Plans(random).plan(depth)
    wanted = expected(plan)
    optimized = optimize(plan)
    assert optimized.schema.names == plan.schema.names
    event(f"fails: {wanted is None}")
    if wanted is not None:
        assert rows(run(optimized)) == wanted


@pytest.mark.parametrize(
    "rule", [*dict.fromkeys(RULES), choose_strategies], ids=lambda r: r.__name__
)
def test_each_rule_alone(rule: object) -> None:
    assert callable(rule)
    for seed in range(25):
        plan = Plans(Random(seed)).plan(3)
        wanted = expected(plan)
        changed = rule(plan)
        assert changed.schema.names == plan.schema.names
        if wanted is not None:
            assert rows(run(changed)) == wanted, seed
