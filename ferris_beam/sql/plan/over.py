"""Window functions: one Over node for each PARTITION BY."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from ferris_beam.sql.nodes import Named, Node, column
from ferris_beam.sql.plan.builder import Builder
from ferris_beam.sql.plan.clauses import shown, window_functions
from ferris_beam.sql.plan.rewriting import at, rewrite


def plan_over(
    builder: Builder, node: Node, expressions: Sequence[exp.Expression]
) -> tuple[Node, list[exp.Expression]]:
    """``node`` with the values of all window functions beside its columns, and the expressions
    with columns in their place."""
    names: dict[exp.Expression, str] = {}
    groups: dict[tuple[exp.Expression, ...], list[Named]] = {}
    for expression in expressions:
        for window in window_functions(expression):
            _refuse_nested(builder, window)
            if window in names:
                continue
            names[window] = builder.names.unique(shown(window).lower())
            partition = tuple(window.args.get("partition_by") or ())
            groups.setdefault(partition, []).append(Named(names[window], window))
    for partition, calls in groups.items():
        node = builder.construct.over(node, partition, calls)

    def replaced(part: exp.Expression) -> exp.Expression | None:
        return at(column(names[part]), part) if isinstance(part, exp.Window) else None

    return node, [rewrite(each, replaced) for each in expressions]


def _refuse_nested(builder: Builder, window: exp.Window) -> None:
    for inner in window_functions(window):
        if inner is not window:
            raise builder.text.error(
                "a window function can't stand in another one",
                inner,
                "compute the inner one in a derived table",
            )
