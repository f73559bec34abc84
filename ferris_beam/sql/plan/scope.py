"""Which columns names in a query can mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.kernel.types import spoken
from ferris_beam.sql.nodes import column
from ferris_beam.sql.plan.rewriting import at
from ferris_beam.sql.text import SqlText, did_you_mean

T = TypeVar("T")


class OuterColumn(exp.Column):
    """A column of the query around a subquery: its name is one of the outer plan's columns."""


OuterColumn.key = "column"  # it is rendered, compared and hashed as any column


@dataclass(frozen=True)
class Field:
    """A column as a query sees it: ``flat`` is its name in the plan, ``relation`` may be empty.

    ``alone``: it is meant by its bare name, and `*` shows it. The columns that USING has merged
    into one are not, but still are by `relation.name`.
    """

    relation: str
    name: str
    flat: str
    type: pa.DataType
    alone: bool = True

    @property
    def shown(self) -> str:
        return f"{self.relation}.{self.name}" if self.relation else self.name


@dataclass(frozen=True)
class Scope:
    """The columns that are visible in a query, in the order of `*`; ``outer`` is the scope of the
    query around it. ``times`` are the flat names of declared event-time columns."""

    fields: tuple[Field, ...] = ()
    outer: Scope | None = None
    times: tuple[str, ...] = ()

    def and_(self, other: Scope) -> Scope:
        """The columns of both; the outer scope is this one's."""
        return replace(
            self, fields=(*self.fields, *other.fields), times=(*self.times, *other.times)
        )

    def within(self, outer: Scope | None) -> Scope:
        """The same columns in a query around which ``outer`` is visible."""
        return replace(self, outer=outer)

    @property
    def relations(self) -> list[str]:
        return list(dict.fromkeys(field.relation for field in self.fields if field.relation))

    def relation(self, name: str) -> list[Field]:
        """The columns of a relation; none: there is no such relation."""
        return exactly_or_folded(self._by_relation.get(name.lower(), ()), name, "relation")

    def find(self, name: str) -> list[Field]:
        """What the bare name can mean."""
        return exactly_or_folded(self._by_name.get(name.lower(), ()), name, "name")

    @cached_property
    def _by_relation(self) -> dict[str, list[Field]]:
        found: dict[str, list[Field]] = {}
        for each in self.fields:
            found.setdefault(each.relation.lower(), []).append(each)
        return found

    @cached_property
    def _by_name(self) -> dict[str, list[Field]]:
        found: dict[str, list[Field]] = {}
        for each in self.fields:
            if each.alone:
                found.setdefault(each.name.lower(), []).append(each)
        return found

    def resolve(self, parts: list[exp.Identifier], text: SqlText) -> exp.Expression | None:
        """What ``parts`` of a dotted name mean: a column, or a field of one; None: nothing here.

        Raises `SqlError` for names that mean several columns, and for unknown fields of structs.
        """
        found = self._column(parts, text)
        if found is None:
            return None
        field, used = found
        result = at(column(field.flat), exp.Tuple(expressions=[p.copy() for p in parts[:used]]))
        return with_fields(result, field.type, parts[used:], field.shown, text)

    def _column(self, parts: list[exp.Identifier], text: SqlText) -> tuple[Field, int] | None:
        if len(parts) > 1:
            fields = self.relation(parts[0].name)
            inside = exactly_or_folded(fields, parts[1].name, "name")
            if inside:
                return _only(inside, parts[1], text), 2
        found = self.find(parts[0].name)
        return (_only(found, parts[0], text), 1) if found else None


def with_fields(
    value: exp.Expression,
    kind: pa.DataType,
    names: list[exp.Identifier],
    shown: str,
    text: SqlText,
) -> exp.Expression:
    """The field of a struct that ``names`` lead to, starting at ``value`` of type ``kind``."""
    for name in names:
        if not pa.types.is_struct(kind):
            hint = "" if not pa.types.is_map(kind) else f"write {shown}['{name.name}']"
            raise text.error(
                f"{shown} is {spoken(kind)}, which has no field {name.name!r}", name, hint
            )
        fields = [kind.field(index) for index in range(kind.num_fields)]
        match = exactly_or_folded(fields, name.name, "name")
        if not match:
            known = [field.name for field in fields]
            raise text.error(
                f"{shown} has no field {name.name!r}", name, did_you_mean(name.name, known)
            )
        identifier = exp.Identifier(this=match[0].name, quoted=True)
        identifier.meta.update(name.meta)
        value = exp.Dot(this=value, expression=identifier)
        kind, shown = match[0].type, f"{shown}.{match[0].name}"
    return value


def unknown_column(parts: list[exp.Identifier], scope: Scope, text: SqlText) -> Exception:
    """The error for a name that means nothing."""
    place = parts[0]
    if len(parts) > 1 and scope.relation(parts[0].name):
        known = [field.name for field in scope.relation(parts[0].name)]
        place = parts[1]
        return text.error(
            f"{parts[0].name} has no column {place.name!r}", place, _near(place.name, known)
        )
    if len(parts) > 1:
        shown = ".".join(part.name for part in parts)
        near = did_you_mean(parts[0].name, [*scope.relations])
        return text.error(f"{shown!r}: there is no relation {place.name!r}", place, near)
    known = [field.name for field in scope.fields]
    return text.error(f"there is no column {place.name!r}", place, _near(place.name, known))


def _near(name: str, known: list[str]) -> str:
    near = did_you_mean(name, known)
    if near.startswith("there are"):
        return near
    return f"{near} there are: {', '.join(dict.fromkeys(known))}" if near else ""


def _only(fields: list[Field], name: exp.Identifier, text: SqlText) -> Field:
    if len(fields) > 1:
        places = " or ".join(dict.fromkeys(field.shown for field in fields))
        raise text.error(f"{name.name!r} can mean several columns", name, f"write {places}")
    return fields[0]


def exactly_or_folded(items: Iterable[T], wanted: str, attribute: str) -> list[T]:
    """The items whose ``attribute`` is ``wanted``; where there is none, those that differ from it
    by upper and lower case only."""
    folded = [item for item in items if getattr(item, attribute).lower() == wanted.lower()]
    exact = [item for item in folded if getattr(item, attribute) == wanted]
    return exact or folded
