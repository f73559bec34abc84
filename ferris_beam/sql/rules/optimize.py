"""All rules, in the order in which one makes room for the next."""

from __future__ import annotations

from ferris_beam.sql.nodes import Node
from ferris_beam.sql.rules.common_factors import common_factors
from ferris_beam.sql.rules.compute_constants import compute_constants
from ferris_beam.sql.rules.fold_constants import fold_constants
from ferris_beam.sql.rules.infer_filters import infer_filters
from ferris_beam.sql.rules.merge_projects import merge_projects
from ferris_beam.sql.rules.order_joins import order_joins
from ferris_beam.sql.rules.outer_joins import outer_joins
from ferris_beam.sql.rules.prune_columns import prune_columns
from ferris_beam.sql.rules.push_aggregates import CanAggregate, push_aggregates
from ferris_beam.sql.rules.push_filters import push_filters
from ferris_beam.sql.rules.push_into_scan import push_into_scan
from ferris_beam.sql.rules.push_limits import push_limits
from ferris_beam.sql.rules.remove_distinct import remove_distinct
from ferris_beam.sql.rules.size_scans import size_scans
from ferris_beam.sql.rules.strategy import BROADCAST_LIMIT, choose_strategies

RULES = (
    size_scans,
    prune_columns,  # first: all the others have less to look at
    compute_constants,
    fold_constants,
    common_factors,
    outer_joins,
    push_filters,
    order_joins,
    infer_filters,
    push_filters,
    push_into_scan,
    remove_distinct,
    merge_projects,
    push_limits,
    prune_columns,
    merge_projects,
)


def optimize(
    node: Node,
    *,
    broadcast_limit: float = BROADCAST_LIMIT,
    can_aggregate: CanAggregate | None = None,
) -> Node:
    """A cheaper plan of the same rows, in which every join has its strategy.

    ``broadcast_limit``: up to how many bytes, by estimate, one side of a join is held by every
    worker. ``can_aggregate`` asks a source whether it computes an aggregation; without it none is
    asked.
    """
    schema = node.schema
    for rule in RULES:
        node = rule(node)
        assert node.schema.names == schema.names, rule.__name__
    if can_aggregate is not None:
        node = push_aggregates(node, can_aggregate)
    return merge_projects(choose_strategies(node, broadcast_limit))
