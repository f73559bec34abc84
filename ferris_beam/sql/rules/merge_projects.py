"""Two Projects, one above the other, become one; one that changes nothing goes."""

from __future__ import annotations

from collections import Counter

from sqlglot import exp

from ferris_beam.sql.nodes import Named, Node, Project
from ferris_beam.sql.rules.expressions import by_name, is_column, replaced
from ferris_beam.sql.rules.fallible import is_repeatable
from ferris_beam.sql.rules.literals import value_of
from ferris_beam.sql.rules.rewrite import bottom_up


def merge_projects(node: Node) -> Node:
    """
    >>> from ferris_beam.sql.rules.examples import names, project_above_project
    >>> print(names(merge_projects(project_above_project())))
    Project Given
    """
    return bottom_up(node, _merged)


def _merged(node: Node) -> Node:
    if not isinstance(node, Project):
        return node
    if isinstance(node.input, Project) and _may_merge(node, node.input):
        values = by_name(node.input.columns)
        columns = tuple(
            Named(each.name, replaced(each.expression, values)) for each in node.columns
        )
        return _merged(Project(node.schema, node.input.input, columns))
    return node.input if _changes_nothing(node) else node


def _may_merge(upper: Project, lower: Project) -> bool:
    """What the lower one computes may not be computed more often by that."""
    uses = Counter(
        used.name for each in upper.columns for used in each.expression.find_all(exp.Column)
    )
    return all(
        is_column(each.expression)
        or value_of(each.expression) is not NotImplemented
        or (uses[each.name] <= 1 and is_repeatable(each.expression))
        for each in lower.columns
    )


def _changes_nothing(node: Project) -> bool:
    if node.schema.names != node.input.schema.names or node.schema.types != node.input.schema.types:
        return False
    return all(
        isinstance(each.expression, exp.Column) and each.expression.name == each.name
        for each in node.columns
    )
