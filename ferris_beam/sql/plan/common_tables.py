"""WITH: queries that others name.

Each reference is planned on its own, so that what is asked of it reaches its sources. But where a
query is named more than once and computing it twice would shuffle twice, or give other values
(random()), it becomes a stream that is computed once.
"""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql import nodes
from ferris_beam.sql.functions import registry
from ferris_beam.sql.nodes import Node, walk
from ferris_beam.sql.plan.builder import Builder, CommonTable, Planned
from ferris_beam.sql.plan.changelog import is_bounded
from ferris_beam.sql.plan.outer import expressions_of
from ferris_beam.sql.plan.refusing import counted, refuse_others

_SHUFFLED = (nodes.Aggregate, nodes.Join, nodes.Over, nodes.Sort)


def with_common_tables(builder: Builder, query: exp.Expr) -> Builder:
    """The builder that knows the names of ``query``'s WITH; each sees those before it."""
    with_ = query.args.get("with_")
    if with_ is None:
        return builder
    refuse_others(with_, ("expressions",), builder.text)
    names: set[str] = set()
    for each in with_.expressions:
        refuse_others(each, ("this", "alias"), builder.text)
        name = each.alias.lower()
        if name in names:
            raise builder.text.error(f"WITH defines {each.alias!r} twice", each.args["alias"])
        names.add(name)
        columns = tuple(each.args["alias"].args.get("columns") or ())
        table = CommonTable(each.alias, each.this, columns, builder, _references(query, name))
        builder = replace(builder, common={**builder.common, name: table})
    return builder


def _references(query: exp.Expr, name: str) -> int:
    """How often ``name`` stands where a relation may."""
    return sum(
        isinstance(table.this, exp.Identifier) and table.name.lower() == name
        for table in query.find_all(exp.Table)
    )


def plan_reference(builder: Builder, table: CommonTable, prefix: str) -> Planned:
    """What stands for the name of ``table``."""
    if table not in builder.shared and table.references > 1 and table.around.outer is None:
        named = table.around.plan(table.query).node
        if _is_shared(named) and is_bounded(named, builder.catalog):
            builder.shared[table] = _unique(builder, table.name), named
    shared = builder.shared.get(table)
    planned = _given(shared, prefix) if shared else table.around.plan(table.query, prefix)
    names = [name.name for name in table.columns]
    if len(names) > len(planned.names):
        raise builder.text.error(
            f"there are {counted(len(names), 'name')} for {counted(len(planned.names), 'column')}",
            table.columns[len(planned.names)],
        )
    return Planned(planned.node, (*names, *planned.names[len(names) :]))


def _unique(builder: Builder, name: str) -> str:
    """The stream's name: one that no statement could have given it without quotes."""
    taken = {name for name, _ in builder.shared.values()}
    taken |= {entry.name for entry in builder.catalog.entries}
    wanted, number = f"with {name}", 2
    while wanted in taken:
        wanted, number = f"with {name} {number}", number + 1
    return wanted


def _given(shared: tuple[str, Node], prefix: str) -> Planned:
    name, node = shared
    fields = [pa.field(f"{prefix}.{field.name}", field.type) for field in node.schema]
    names = tuple(node.schema.names)
    return Planned(nodes.Given(pa.schema(fields), name, prefix, names, stream=True), names)


def _is_shared(node: Node) -> bool:
    if any(isinstance(each, _SHUFFLED) for each in walk(node)):
        return True
    return any(
        registry.is_volatile(part)
        for each in walk(node)
        for expression in expressions_of(each)
        for part in expression.walk()
        if isinstance(part, exp.Expression)
    )
