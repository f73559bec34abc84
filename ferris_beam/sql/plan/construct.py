"""Nodes made of their parts: their schemas are found here, and what doesn't fit is refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql import nodes
from ferris_beam.sql.kernel.types import plain, spoken
from ferris_beam.sql.nodes import Named, Node, Ordering, Window
from ferris_beam.sql.plan.aggregate_types import aggregate_types, window_function_types
from ferris_beam.sql.plan.rewriting import conjunction
from ferris_beam.sql.plan.types import cast, common_type, types
from ferris_beam.sql.text import SqlText


def fields_of(names: Iterable[str], kinds: Iterable[pa.DataType]) -> list[pa.Field]:
    return [pa.field(name, kind) for name, kind in zip(names, kinds, strict=True)]


def wide(schema: pa.Schema, outer: pa.Schema | None) -> pa.Schema:
    """``schema``, and the columns of the query around it, which expressions may name too."""
    if outer is None:
        return schema
    return pa.schema([*schema, *(field for field in outer if field.name not in schema.names)])


class Construct:
    """Makes nodes. ``outer`` are the columns of the queries around the one that is planned."""

    def __init__(self, text: SqlText, outer: pa.Schema | None = None) -> None:
        self.text = text
        self.outer = outer

    def types(self, expressions: Sequence[exp.Expression], input: Node) -> list[pa.DataType]:
        return types(expressions, wide(input.schema, self.outer), self.text)

    def project(self, input: Node, columns: Sequence[Named]) -> nodes.Project:
        kinds = self.types([each.expression for each in columns], input)
        schema = pa.schema(fields_of((each.name for each in columns), kinds))
        return nodes.Project(schema, input, tuple(columns))

    def filter(self, input: Node, condition: exp.Expression, clause: str) -> Node:
        """The rows for which ``condition`` is true; ``clause`` is where it was written."""
        return self.filter_all(input, [condition], clause)

    def filter_all(self, input: Node, conditions: Sequence[exp.Expression], clause: str) -> Node:
        """The rows for which all of them are true; ``input`` where there is none."""
        self._check_conditions(conditions, self.types(conditions, input), clause)
        condition = conjunction(conditions)
        return input if condition is None else nodes.Filter(input.schema, input, condition)

    def _check_conditions(
        self, conditions: Sequence[exp.Expression], kinds: Sequence[pa.DataType], clause: str
    ) -> None:
        for condition, kind in zip(conditions, kinds, strict=True):
            if not (pa.types.is_boolean(kind) or pa.types.is_null(kind)):
                raise self.text.error(
                    f"{clause} needs a condition, and this is {spoken(kind)}",
                    condition,
                    "compare it with something",
                )

    def aggregate(
        self,
        input: Node,
        keys: Sequence[Named],
        calls: Sequence[Named],
        window: Window | None = None,
    ) -> nodes.Aggregate:
        fields = []
        if window is not None:
            (time,) = self.types([window.time], input)
            fields += [pa.field(window.start, time), pa.field(window.end, time)]
        kinds = self.types([key.expression for key in keys], input)
        fields += fields_of((key.name for key in keys), kinds)
        schema = wide(input.schema, self.outer)
        found = aggregate_types([call.expression for call in calls], schema, self.text)
        fields += fields_of((call.name for call in calls), found)
        return nodes.Aggregate(pa.schema(fields), input, tuple(keys), tuple(calls), window)

    def over(
        self, input: Node, partition: Sequence[exp.Expression], calls: Sequence[Named]
    ) -> nodes.Over:
        schema = wide(input.schema, self.outer)
        kinds = window_function_types([call.expression for call in calls], schema, self.text)
        fields = [*input.schema, *fields_of((call.name for call in calls), kinds)]
        return nodes.Over(pa.schema(fields), input, tuple(partition), tuple(calls))

    def sort(
        self, input: Node, order: Sequence[Ordering], limit: int | None = None, offset: int = 0
    ) -> Node:
        return nodes.Sort(input.schema, input, tuple(order), limit, offset)

    def unnest(
        self,
        input: Node,
        expression: exp.Expression,
        name: str,
        outer: bool = False,
        position: str = "",
    ) -> nodes.Unnest:
        (kind,) = self.types([expression], input)
        kind = plain(kind)
        if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or _fixed(kind)):
            raise self.text.error(f"UNNEST needs a list, and this is {spoken(kind)}", expression)
        fields = [*input.schema, pa.field(name, kind.value_type)]
        if position:
            fields.append(pa.field(position, pa.int64()))
        return nodes.Unnest(pa.schema(fields), input, expression, name, outer, position)

    def join(
        self,
        left: Node,
        right: Node,
        kind: nodes.JoinKind,
        keys: Sequence[tuple[exp.Expression, exp.Expression]] = (),
        residual: exp.Expression | None = None,
        nulls_equal: bool = False,
    ) -> nodes.Join:
        fields = list(left.schema)
        if kind not in ("semi", "anti"):
            fields += list(right.schema)
        cast_keys = tuple(self._key(left, right, pair) for pair in keys)
        join = nodes.Join(
            pa.schema(fields), left, right, kind, cast_keys, residual, nulls_equal=nulls_equal
        )
        if residual is not None:
            self._check_residual(join, residual)
        return join

    def _check_residual(self, join: nodes.Join, residual: exp.Expression) -> None:
        both = pa.schema([*join.left.schema, *join.right.schema])
        kinds = types([residual], wide(both, self.outer), self.text)
        self._check_conditions([residual], kinds, "ON")

    def _key(
        self, left: Node, right: Node, pair: tuple[exp.Expression, exp.Expression]
    ) -> tuple[exp.Expression, exp.Expression]:
        (first,) = self.types([pair[0]], left)
        (second,) = self.types([pair[1]], right)
        both = common_type(first, second)
        if both is None:
            raise self.text.error(
                f"{spoken(first)} and {spoken(second)} can't be compared",
                exp.Tuple(expressions=[pair[0].copy(), pair[1].copy()]),
                "cast one of them to the type of the other",
            )
        return cast(pair[0], first, both), cast(pair[1], second, both)


def _fixed(kind: pa.DataType) -> bool:
    return bool(pa.types.is_fixed_size_list(kind))
