"""Chains of nodes that look at one batch at a time, as steps of one transform."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.execution.steps import Compute, Rename, Step
from ferris_beam.sql.execution.unnest import Explode
from ferris_beam.sql.kernel import fragment
from ferris_beam.sql.nodes import Filter, Named, Node, Project, Unnest, column
from ferris_beam.sql.text import SqlText

INPUT = "input_0"


def steps_of(nodes: Sequence[Node], schema: pa.Schema, text: SqlText | None) -> list[Step]:
    """``nodes``, from the first that is applied to the last, over batches of ``schema``: runs of
    Projects and Filters become one SELECT each."""
    steps: list[Step] = []
    run: list[Node] = []
    for node in nodes:
        if isinstance(node, Unnest):
            steps += _computed([*run, _with_list(node)], schema, text)
            steps.append(Explode(node.schema, node.outer, bool(node.position)))
            run, schema = [], node.schema
        else:
            run.append(node)
    return steps + _computed(run, schema, text)


def _computed(nodes: Sequence[Node], schema: pa.Schema, text: SqlText | None) -> list[Step]:
    if not nodes:
        return []
    if len(nodes) == 1 and isinstance(nodes[0], Project) and _only_renames(nodes[0]):
        return [Rename(tuple(each.expression.name for each in nodes[0].columns), nodes[0].schema)]
    return [Compute(fragment(select_of(nodes, schema), (schema,), text))]


def _only_renames(node: Project) -> bool:
    """Whether there is nothing to compute: then the columns go on as they are."""
    columns = [isinstance(each.expression, exp.Column) for each in node.columns]
    return bool(columns) and all(columns)


def _with_list(node: Unnest) -> Project:
    """The input's columns and the list, last."""
    kept = [Named(name, column(name)) for name in node.input.schema.names]
    lists = pa.field(node.name, pa.list_(node.schema.field(node.name).type))
    schema = pa.schema([*node.input.schema, lists])
    return Project(schema, node.input, (*kept, Named(node.name, node.expression)))


def select_of(nodes: Sequence[Node], schema: pa.Schema, table: str = INPUT) -> exp.Select:
    """One SELECT, nested as deep as there are ``nodes``, over ``table``."""
    source: exp.Expression = exp.to_table(table)
    query: exp.Select | None = None
    names = schema.names
    for node in nodes:
        if query is not None:
            source = query.subquery(table)
        if isinstance(node, Project):
            query = _select([(each.name, each.expression) for each in node.columns], source)
            names = [each.name for each in node.columns]
        elif isinstance(node, Filter):
            query = _select([(name, column(name)) for name in names], source)
            query = query.where(node.condition.copy(), copy=False)
        else:
            raise TypeError(f"{type(node).__name__} doesn't look at one batch at a time")
    assert query is not None
    return query


def _select(columns: Sequence[tuple[str, exp.Expression]], source: exp.Expression) -> exp.Select:
    aliased = [exp.alias_(each.copy(), name, quoted=True) for name, each in columns]
    return exp.Select(expressions=aliased).from_(source, copy=False)
