"""The relations of FROM: URIs, names, queries, lists and functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql import nodes
from ferris_beam.sql.kernel.types import plain
from ferris_beam.sql.plan.builder import Builder, CommonTable, Planned
from ferris_beam.sql.plan.catalog import Entry, Source
from ferris_beam.sql.plan.common_tables import plan_reference
from ferris_beam.sql.plan.refusing import counted, refuse_others
from ferris_beam.sql.plan.scope import Scope
from ferris_beam.sql.plan.unnesting import is_series, plan_unnest
from ferris_beam.sql.plan.values import plan_values
from ferris_beam.sql.plan.window_tables import is_window_table, plan_window_table
from ferris_beam.sql.statements import Endpoint
from ferris_beam.sql.syntax.relations import endpoint_of
from ferris_beam.sql.text import did_you_mean
from ferris_beam.uri import Uri


@dataclass(frozen=True)
class Relation:
    """A plan and the columns that a query sees of it."""

    node: nodes.Node
    scope: Scope


ONE_ROW = nodes.Rows(pa.schema([]), ((),))
"""What a SELECT without FROM reads."""

NOTHING = Relation(ONE_ROW, Scope())


def plan_relation(builder: Builder, item: exp.Expression, left: Relation | None) -> Relation:
    """One item of FROM, without the joins that hang on it. ``left`` is what stands before it,
    whose columns UNNEST may name."""
    if isinstance(item, exp.Table):
        refuse_others(item, ("this", "alias", "db", "catalog", "joins", "ordinality"), builder.text)
        return _table(builder, item, left)
    if isinstance(item, exp.Subquery):
        refuse_others(item, ("this", "alias", "joins", "with_"), builder.text)
        return _derived(builder, item)
    if isinstance(item, exp.Values):
        refuse_others(item, ("expressions", "alias"), builder.text)
        return _named(builder, item, lambda prefix: plan_values(builder, item, prefix), "values")
    if isinstance(item, exp.Unnest):
        return unnested(builder, item, left or NOTHING)
    if isinstance(item, exp.Lateral):
        raise builder.text.error("LATERAL needs a relation before it", item, "leave it out")
    raise builder.text.error(f"FROM can't read {item.key.upper()}", item)


def unnested(
    builder: Builder, item: exp.Expression, left: Relation, outer: bool = False
) -> Relation:
    """``left`` with the items of a list beside each row."""
    node, scope = plan_unnest(builder, item, left.node, left.scope, outer)
    return Relation(node, scope)


def _table(builder: Builder, table: exp.Table, left: Relation | None) -> Relation:
    endpoint = endpoint_of(table)
    if endpoint is not None:
        return _uri(builder, table, endpoint)
    if is_window_table(table):
        return _window_table(builder, table)
    if is_series(table):
        return unnested(builder, table, left or NOTHING)
    if not isinstance(table.this, exp.Identifier):
        raise builder.text.error(
            f"{table.this.sql()} is no function that FROM can read",
            table,
            "there are UNNEST, RANGE, GENERATE_SERIES, TUMBLE, HOP and SESSION",
        )
    return _name(builder, table)


def _name(builder: Builder, table: exp.Table) -> Relation:
    name = ".".join(part.name for part in table.parts)
    common = builder.common.get(name.lower())
    if common is not None:
        return _common(builder, table, common)
    span = (table.this.meta["start"], table.this.meta["end"] + 1) if table.this.meta else None
    known = [each.name for each in builder.catalog.entries] + list(builder.common)
    if builder.catalog.find(name) is None:
        hint = did_you_mean(name, known) or "a file or store is named by its URI in quotes"
        raise builder.text.error(f"there is no stream or table {name!r}", span, hint)
    entry = builder.catalog.require(name, span, builder.text)
    relation = _entry(builder, entry, table.alias or name)
    return _with_column_names(builder, relation, table)


def _common(builder: Builder, table: exp.Table, common: CommonTable) -> Relation:
    def plan(prefix: str) -> Planned:
        return plan_reference(builder, common, prefix)

    return _named(builder, table, plan, table.name)


def _uri(builder: Builder, table: exp.Table, endpoint: Endpoint) -> Relation:
    source = builder.catalog.source(endpoint, builder.text)
    alias = table.alias or relation_name(endpoint.uri)
    prefix = prefix_of(builder, alias)
    node = _scan(source, source.schema, prefix)
    names = tuple(source.schema.names)
    return _with_column_names(builder, Relation(node, Planned(node, names).scope(alias)), table)


def relation_name(uri: str) -> str:
    """What a URI is called where no alias is given: the last part of its path, up to a dot.

    >>> relation_name("file:///data/orders*.csv.gz"), relation_name("kafka://broker/events")
    ('orders', 'events')
    """
    path = Uri.parse(uri).path if "://" in uri else uri
    last = path.rstrip("/").split("/")[-1].split(".")[0]
    return "".join(char for char in last if char.isalnum() or char in "_-") or "source"


def _entry(builder: Builder, entry: Entry, alias: str) -> Relation:
    prefix = prefix_of(builder, alias)
    names = tuple(entry.schema.names)
    if entry.source is not None:
        node: nodes.Node = _scan(entry.source, entry.schema, prefix)
    else:
        schema = _prefixed(entry.schema, prefix)
        node = nodes.Given(schema, entry.name, prefix, names, stream=not entry.given)
    scope = Planned(node, names).scope(alias)
    times = (f"{prefix}.{entry.time}",) if entry.time else ()
    return Relation(node, replace(scope, times=times))


def _scan(source: Source, schema: pa.Schema, prefix: str) -> nodes.Scan:
    return nodes.Scan(
        _prefixed(schema, prefix),
        source.endpoint,
        prefix,
        tuple(schema.names),
        rows=source.rows,
        nbytes=source.nbytes,
        bounded=source.bounded,
        lookup=source.lookup,
        event_time=source.event_time,
    )


def _prefixed(schema: pa.Schema, prefix: str) -> pa.Schema:
    return pa.schema([pa.field(f"{prefix}.{field.name}", plain(field.type)) for field in schema])


def prefix_of(builder: Builder, alias: str) -> str:
    """A relation's unique prefix of its columns' names; without a dot, so that it ends there."""
    return builder.names.unique(alias.replace(".", "_"))


def _derived(builder: Builder, item: exp.Subquery) -> Relation:
    if isinstance(item.this, exp.Table):  # parentheses around relations
        relation = plan_from(builder, item.this, item.this.args.get("joins") or [])
        return under_alias(relation, item.alias) if item.alias else relation
    query = item.this
    if item.args.get("with_"):
        query = query.copy()
        query.set("with_", item.args["with_"].copy())
    return _named(builder, item, lambda prefix: builder.plan(query, prefix), "query")


def _named(
    builder: Builder, item: exp.Expression, plan: Callable[[str], Planned], default: str
) -> Relation:
    """What ``plan`` makes, given the prefix of its columns, under the item's alias."""
    alias = item.alias or default
    planned = plan(prefix_of(builder, alias))
    relation = Relation(planned.node, planned.scope(alias))
    return _with_column_names(builder, relation, item)


def _with_column_names(builder: Builder, relation: Relation, item: exp.Expression) -> Relation:
    """The relation under the names of ``AS t(a, b)``."""
    columns = item.args["alias"].args.get("columns") if item.args.get("alias") else None
    if not columns:
        return relation
    fields = list(relation.scope.fields)
    if len(columns) > len(fields):
        raise builder.text.error(
            f"there are {counted(len(columns), 'name')} for {counted(len(fields), 'column')}",
            columns[len(fields)],
        )
    for index, name in enumerate(columns):
        fields[index] = replace(fields[index], name=name.name)
    return Relation(relation.node, replace(relation.scope, fields=tuple(fields)))


def _window_table(builder: Builder, table: exp.Table) -> Relation:
    call = table.this
    relation = plan_from(builder, call.expressions[0], call.expressions[0].args.get("joins") or [])
    alias = table.alias
    node, scope = plan_window_table(builder, call, relation.node, relation.scope)
    relation = Relation(node, scope)
    return under_alias(relation, alias) if alias else relation


def under_alias(relation: Relation, alias: str) -> Relation:
    """All its columns as those of one relation."""
    fields = tuple(replace(f, relation=alias) for f in relation.scope.fields if f.alone)
    return Relation(relation.node, replace(relation.scope, fields=fields))


def plan_from(builder: Builder, item: exp.Expression, joins: list[exp.Join]) -> Relation:
    """A relation and what is joined to it."""
    from ferris_beam.sql.plan.joins import plan_join  # a join reads relations

    relation = plan_relation(builder, item, None)
    for join in joins:
        relation = plan_join(builder, relation, join)
    return relation
