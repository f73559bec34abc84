"""Small plans, for the doctests of the rules."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
from sqlglot import exp, parse_one

from ferris_beam.sql.nodes import (
    Aggregate,
    Filter,
    Given,
    Join,
    Lookup,
    Named,
    Node,
    Project,
    Scan,
    Sort,
    column,
    walk,
)
from ferris_beam.sql.plan.rewriting import bare

_ORDERS = pa.schema({"o.id": pa.int64(), "o.amount": pa.int64(), "o.status": pa.string()})


def orders() -> Given:
    return Given(_ORDERS, "orders", "o", ("id", "amount", "status"))


def stream(name: str) -> Given:
    return Given(_ORDERS, name, "o", ("id", "amount", "status"), stream=True)


def expression(text: str) -> exp.Expression:
    """Columns are quoted: ``"o.id" > 5``."""
    return bare(parse_one(text, dialect="postgres"))


def project(node: Node, **columns: str) -> Project:
    """All of them are BIGINT."""
    named = tuple(Named(name, expression(text)) for name, text in columns.items())
    return Project(pa.schema([(name, pa.int64()) for name in columns]), node, named)


def filter_above_project() -> Node:
    below = project(orders(), number='"o.id"')
    return Filter(below.schema, below, expression('"number" > 5'))


def project_above_project() -> Node:
    return project(project(orders(), number='"o.id"'), n='"number" + 1')


def filter_never_true() -> Node:
    return Filter(_ORDERS, orders(), expression("1 = 2"))


def names(node: Node) -> str:
    return " ".join(type(each).__name__ for each in walk(node))


def filter_by_branches() -> Node:
    text = '("o.id" = 1 AND "o.amount" = 2) OR ("o.amount" = 3 AND "o.id" = 1)'
    return Filter(_ORDERS, orders(), expression(text))


def scan() -> Scan:
    """Of no endpoint."""
    return Scan(_ORDERS, None, "o", ("id", "amount", "status"))


def filter_above_scan() -> Node:
    return Filter(_ORDERS, scan(), expression('"o.id" > 5 AND "o.amount" + 1 > 2'))


def limit_above_scan() -> Node:
    return Sort(_ORDERS, scan(), (), limit=10)


def items() -> Given:
    schema = pa.schema({"i.order": pa.int64(), "i.price": pa.int64()})
    return Given(schema, "items", "i", ("order", "price"))


def join_with_filter() -> Join:
    left = Filter(_ORDERS, orders(), expression('"o.id" = 7'))
    right = items()
    keys = ((column("o.id"), column("i.order")),)
    return Join(pa.schema([*left.schema, *right.schema]), left, right, "inner", keys)


def scan_of(rows: float | None = None, nbytes: float | None = None) -> Scan:
    return replace(scan(), rows=rows, nbytes=nbytes)


def join_of_scans(left: float, right: float) -> Join:
    """With so many rows on either side."""
    other = pa.schema({"i.order": pa.int64(), "i.price": pa.int64()})
    items = Scan(other, None, "i", ("order", "price"), rows=right)
    keys = ((column("o.id"), column("i.order")),)
    return Join(pa.schema([*_ORDERS, *other]), scan_of(rows=left), items, "inner", keys)


def join_with_lookup() -> Join:
    join = join_of_scans(left=10, right=1000)
    assert isinstance(join.right, Scan)
    return replace(join, right=replace(join.right, lookup=Lookup(cache=100, seconds=60.0)))


def count_above_scan() -> Node:
    schema = pa.schema([("status", pa.string()), ("orders", pa.int64())])
    calls = (Named("orders", exp.Count(this=exp.Star())),)
    return Aggregate(schema, scan(), (Named("status", column("o.status")),), calls)


def filter_above_left_join() -> Node:
    join = replace(join_with_filter(), kind="left")
    return Filter(join.schema, join, expression('"i.price" > 5'))


def three_relations() -> Node:
    """Of which the first two have nothing in common."""
    left, middle = items(), Given(pa.schema({"c.id": pa.int64()}), "c", "c", ("id",))
    crossed = Join(pa.schema([*left.schema, *middle.schema]), left, middle, "inner", ())
    keys = (
        (column("i.order"), column("o.id")),
        (column("c.id"), column("o.amount")),
    )
    schema = pa.schema([*crossed.schema, *_ORDERS])
    return Join(schema, crossed, orders(), "inner", keys)


def distinct_above_distinct() -> Node:
    inner = distinct(orders(), "o.id", "o.status")
    return distinct(inner, "o.id", "o.status")


def distinct(node: Node, *names: str) -> Aggregate:
    schema = pa.schema([node.schema.field(name) for name in names])
    return Aggregate(schema, node, tuple(Named(name, column(name)) for name in names), ())
