"""Random small plans over random small tables."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random

import pyarrow as pa
from sqlglot import exp, parse_one

from ferris_beam.sql.nodes import (
    Aggregate,
    Filter,
    Join,
    Named,
    Node,
    Ordering,
    Over,
    Project,
    Scan,
    Sort,
    Union,
    column,
)

_INTS = (None, 0, 1, 1, 2)
_TEXTS = (None, "", "1", "2", "x", "xy", "é")
_FLOATS = (None, -0.0, 0.0, 1.5, math.nan, math.inf)
_TYPES = {"a": pa.int64(), "b": pa.int64(), "s": pa.string(), "f": pa.float64()}


def parsed(text: str) -> exp.Expression:
    return parse_one(text, dialect="postgres")


@dataclass
class Plans:
    """Draws plans; every column that it makes has a new name."""

    random: Random
    count: int = 0
    aliases: int = field(default=0)

    def plan(self, depth: int) -> Node:
        if depth == 0:
            return self.scan()
        kinds = (
            "filter",
            "filter",
            "project",
            "join",
            "join",
            "aggregate",
            "union",
            "over",
            "sort",
        )
        return getattr(self, self.random.choice(kinds))(depth - 1)

    def name(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def scan(self) -> Scan:
        self.aliases += 1
        rows = self.random.choice([0, 3, 5, 7])
        values = {"a": _INTS, "b": _INTS, "s": _TEXTS, "f": _FLOATS}
        columns = {name: self.random.choices(drawn, k=rows) for name, drawn in values.items()}
        table = pa.table({name: pa.array(found, _TYPES[name]) for name, found in columns.items()})
        alias = f"t{self.aliases}"
        schema = pa.schema([(f"{alias}.{name}", type) for name, type in _TYPES.items()])
        size = self.random.choice([None, 10.0, 1e9])
        return Scan(schema, table, alias, tuple(_TYPES), rows=size)

    def some(self, node: Node, type: pa.DataType) -> str | None:
        found = [each.name for each in node.schema if each.type == type]
        return self.random.choice(found) if found else None

    def condition(self, schema: Node, depth: int = 2) -> exp.Expression:
        """Three-valued, sometimes constant, sometimes failing."""
        if depth and self.random.random() < 0.4:
            one, other = self.condition(schema, depth - 1), self.condition(schema, depth - 1)
            kind = self.random.choice(["({} AND {})", "({} OR {})", "(NOT {} AND {})"])
            return parsed(kind.format(f"({one.sql('postgres')})", f"({other.sql('postgres')})"))
        return parsed(self.comparison(schema))

    def comparison(self, node: Node) -> str:
        number, other = self.some(node, pa.int64()), self.some(node, pa.int64())
        text, real = self.some(node, pa.string()), self.some(node, pa.float64())
        value = self.random.randint(-1, 3)
        sign = self.random.choice(["=", "<>", "<", "<=", ">", ">="])
        choices = ["1 = 1", "1 = 2", "NULL"] if self.random.random() < 0.1 else []
        if number:
            choices += [
                f'"{number}" {sign} {value}',
                f'"{number}" {sign} "{other}"',
                f'"{number}" IS NULL',
                f'"{number}" IN (1, {value})',
                f'"{number}" NOT IN (0, {value})',
                f'"{number}" BETWEEN {value} AND 2',
                f'"{number}" + 1 {sign} {value}',
                f'"{number}" {sign} 1.5',
            ]
        if text:
            choices += [
                f"\"{text}\" {sign} 'x'",
                f"\"{text}\" LIKE 'x%'",
                f'CAST("{text}" AS BIGINT) {sign} {value}',
                f"LOWER(\"{text}\") = 'x'",
            ]
        if real:
            choices += [f'"{real}" {sign} {value}', f'"{real}" {sign} 1.5', f'"{real}" IS NOT NULL']
        return self.random.choice(choices or ["1 = 1"])

    def filter(self, depth: int) -> Node:
        below = self.plan(depth)
        return Filter(below.schema, below, self.condition(below))

    def project(self, depth: int) -> Node:
        below = self.plan(depth)
        columns, fields = [], []
        for each in below.schema:
            if self.random.random() < 0.8:
                name = self.name("p")
                columns.append(Named(name, column(each.name)))
                fields.append(pa.field(name, each.type))
        number, text = self.some(below, pa.int64()), self.some(below, pa.string())
        if number:
            name = self.name("p")
            columns.append(Named(name, parsed(f'"{number}" + 1')))
            fields.append(pa.field(name, pa.int64()))
        if text and self.random.random() < 0.3:
            name = self.name("p")
            columns.append(Named(name, parsed(f'CAST("{text}" AS BIGINT)')))
            fields.append(pa.field(name, pa.int64()))
        if not columns:
            return below
        return Project(pa.schema(fields), below, tuple(columns))

    def join(self, depth: int) -> Node:
        left, right = self.plan(depth), self.plan(self.random.randint(0, depth))
        kind = self.random.choice(["inner", "inner", "left", "right", "full", "semi", "anti"])
        fields = [*left.schema] if kind in ("semi", "anti") else [*left.schema, *right.schema]
        keys = []
        one, other = self.some(left, pa.int64()), self.some(right, pa.int64())
        if one and other and self.random.random() < 0.8:
            keys.append((column(one), column(other)))
        both = Filter(pa.schema([*left.schema, *right.schema]), left, exp.true())
        residual = self.condition(both, 1) if self.random.random() < 0.5 else None
        if kind == "full" and not keys:
            residual = None  # DuckDB has no such join
        null_aware = kind == "anti" and len(keys) == 1 and self.random.random() < 0.5
        return Join(
            pa.schema(fields), left, right, kind, tuple(keys), residual, null_aware=null_aware
        )

    def aggregate(self, depth: int) -> Node:
        below = self.plan(depth)
        keys, calls, fields = [], [], []
        for each in self.random.sample(list(below.schema), min(2, len(below.schema))):
            if self.random.random() < 0.7:
                name = self.name("k")
                keys.append(Named(name, column(each.name)))
                fields.append(pa.field(name, each.type))
        number = self.some(below, pa.int64())
        if number and (not keys or self.random.random() < 0.6):
            for text in (f'MIN("{number}")', "COUNT(*)"):
                name = self.name("c")
                calls.append(Named(name, parsed(text)))
                fields.append(pa.field(name, pa.int64()))
        if not (keys or calls):
            return below
        return Aggregate(pa.schema(fields), below, tuple(keys), tuple(calls))

    def union(self, depth: int) -> Node:
        below = self.plan(depth)
        other = self.plan(depth)
        types = list(below.schema.types)
        names = [self.some(other, type) for type in types]
        if None in names:
            return below
        fields = [pa.field(self.name("u"), type) for type in types]
        columns = tuple(Named(self.name("u"), column(str(name))) for name in names)
        schema = pa.schema([(each.name, type) for each, type in zip(columns, types, strict=True)])
        return Union(pa.schema(fields), (below, Project(schema, other, columns)))

    def over(self, depth: int) -> Node:
        below = self.plan(depth)
        number, by = self.some(below, pa.int64()), self.random.choice(below.schema.names)
        if number is None:
            return below
        name = self.name("w")
        call = parsed(f'MAX("{number}") OVER (PARTITION BY "{by}")')
        schema = below.schema.append(pa.field(name, pa.int64()))
        return Over(schema, below, (column(by),), (Named(name, call),))

    def sort(self, depth: int) -> Node:
        """By all columns, so that a limit cuts the same rows off."""
        if self.random.random() < 0.3:
            scan = self.scan()
            return Sort(scan.schema, scan, (), limit=2)
        below = self.plan(depth)
        limit = self.random.choice([None, None, 5])
        order = tuple(Ordering(column(name)) for name in below.schema.names)
        return Sort(below.schema, below, order, limit, 0 if limit is None else 1)
