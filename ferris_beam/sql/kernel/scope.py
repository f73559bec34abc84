"""What names mean inside a query: the relations of its FROM, and the parameters of lambdas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
from sqlglot import exp

PARAMETERS = "ferris_parameters"
"""The relation that stands for a lambda's parameters while types are looked for."""


@dataclass(frozen=True)
class Scope:
    """``relations`` by alias, ``parameters`` of lambdas, ``outer`` of a subquery."""

    relations: Mapping[str, pa.Schema] = field(default_factory=dict)
    parameters: Mapping[str, pa.DataType] = field(default_factory=dict)
    outer: Scope | None = None

    def type_of(self, name: str, relation: str = "") -> pa.DataType | None:
        """The type of a column or a parameter, None where it isn't known."""
        if not relation and name in self.parameters:
            return self.parameters[name]
        for alias, schema in self.relations.items():
            if relation in ("", alias):
                at = schema.get_field_index(name)
                if at >= 0:
                    return schema.field(at).type
        return self.outer.type_of(name, relation) if self.outer is not None else None

    def with_parameters(self, parameters: Mapping[str, pa.DataType]) -> Scope:
        return Scope(self.relations, {**self.parameters, **parameters}, self.outer)

    def tables_for(self, expression: exp.Expr) -> dict[str, pa.Schema]:
        """The relations, cut down to the columns that ``expression`` names."""
        names = {found.name for found in expression.find_all(exp.Identifier)}
        tables: dict[str, pa.Schema] = {}
        for alias, schema in self._all():
            fields = [each for each in schema if each.name in names]
            if fields:
                tables.setdefault(alias, pa.schema(fields))
        return tables

    def _all(self) -> Iterator[tuple[str, pa.Schema]]:
        if self.parameters:
            yield PARAMETERS, pa.schema(list(self.parameters.items()))
        yield from self.relations.items()
        if self.outer is not None:
            yield from self.outer._all()
