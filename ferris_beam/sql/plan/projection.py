"""The SELECT list: stars become columns, every item gets its name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlglot import exp

from ferris_beam.sql.nodes import column
from ferris_beam.sql.plan.binding import Binder
from ferris_beam.sql.plan.clauses import name_of_call
from ferris_beam.sql.plan.refusing import refuse_others
from ferris_beam.sql.plan.rewriting import at, unwrapped
from ferris_beam.sql.plan.scope import Field
from ferris_beam.sql.text import did_you_mean


@dataclass(frozen=True)
class Item:
    """A bound expression of the SELECT list and the name of its column; ``hidden``: it is there
    to be ordered by only."""

    name: str
    expression: exp.Expression
    hidden: bool = False


def items_of(select: exp.Select, binder: Binder) -> list[Item]:
    """The items of the list, in order. Their aliases become known to ``binder``."""
    result: list[Item] = []
    for written in select.expressions:
        star = _star(written)
        if star is not None:
            result += _expanded(written, star, binder)
            continue
        inner = written.this if isinstance(written, exp.Alias) else written
        bound = binder.bind(inner)
        name = written.alias if isinstance(written, exp.Alias) else _name(inner, bound, binder)
        name = name or f"column{len(result) + 1}"
        result.append(Item(name, bound))
        if isinstance(written, exp.Alias):
            binder.aliases.setdefault(name.lower(), bound)
    if not result:
        raise binder.text.error("the SELECT list is empty", select)
    return result


def _name(written: exp.Expression, bound: exp.Expression, binder: Binder) -> str:
    """A column goes by the name that its relation has for it, in upper and lower case, too."""
    if isinstance(written, exp.Column) and isinstance(bound, exp.Column):
        for field in binder.scope.find(written.name) or binder.scope.relation(written.table):
            if field.flat == bound.name:
                return field.name
    return name_of(written)


def name_of(written: exp.Expression) -> str:
    """The name of an item without an alias: its column's, field's or function's, as PostgreSQL
    has it; empty where nothing names it."""
    inner = written.this if isinstance(written, exp.Subquery) else unwrapped(written)
    if isinstance(inner, exp.Alias):
        return str(inner.alias)
    if isinstance(inner, exp.Select):
        return name_of(inner.expressions[0])
    if isinstance(inner, (exp.Cast, exp.Bracket)):
        return name_of(inner.this)
    if isinstance(inner, exp.Column):
        return str(inner.name)
    if isinstance(inner, exp.Dot):
        return str(inner.expression.name)
    if isinstance(inner, (exp.Window, exp.Filter, exp.WithinGroup, exp.IgnoreNulls)):
        return name_of(inner.this)
    if isinstance(inner, exp.Case):
        return "case"
    return "" if isinstance(inner, exp.Binary | exp.Unary) else name_of_call(inner).lower()


def _star(written: exp.Expression) -> exp.Star | None:
    if isinstance(written, exp.Star):
        return written
    if isinstance(written, exp.Column) and isinstance(written.this, exp.Star):
        return written.this
    return None


def _expanded(written: exp.Expression, star: exp.Star, binder: Binder) -> list[Item]:
    """The columns of a star, after EXCEPT, REPLACE and RENAME."""
    refuse_others(star, ("except_", "replace", "rename"), binder.text)
    fields = _fields(written, binder)
    items = [Item(field.name, at(column(field.flat), star)) for field in fields]
    for name in _names(star, "except_"):
        items = _without(items, name, fields, binder)
    for alias in star.args.get("replace") or ():
        place = _place(items, alias.args["alias"], fields, binder)
        items[place] = replace(items[place], expression=binder.bind(alias.this))
    for alias in star.args.get("rename") or ():
        old = alias.this if not isinstance(alias.this, exp.Column) else alias.this.this
        place = _place(items, old, fields, binder)
        items[place] = replace(items[place], name=alias.alias)
    if not items:
        raise binder.text.error("no column is left of the star", star)
    return items


def _fields(written: exp.Expression, binder: Binder) -> list[Field]:
    if isinstance(written, exp.Star):
        fields = [field for field in binder.scope.fields if field.alone]
        if not fields:
            raise binder.text.error("a star needs FROM", written)
        return fields
    table = written.args["table"]
    fields = binder.scope.relation(table.name)
    if written.args.get("db") or (not fields and binder.scope.find(table.name)):
        raise binder.text.error("the fields of a struct have no star", written, "name the fields")
    if not fields:
        near = did_you_mean(table.name, binder.scope.relations)
        raise binder.text.error(f"there is no relation {table.name!r}", table, near)
    return fields


def _names(star: exp.Star, part: str) -> Iterable[exp.Identifier]:
    for each in star.args.get(part) or ():
        yield each.this if isinstance(each, exp.Column) else each


def _without(
    items: list[Item], name: exp.Identifier, fields: list[Field], binder: Binder
) -> list[Item]:
    place = _place(items, name, fields, binder)
    shown = items[place].name
    return [item for item in items if item.name != shown]


def _place(items: list[Item], name: exp.Identifier, fields: list[Field], binder: Binder) -> int:
    """Where the star's column of this name stands."""
    exact = [index for index, item in enumerate(items) if item.name == name.name]
    folded = [i for i, item in enumerate(items) if item.name.lower() == name.name.lower()]
    for found in (exact, folded):
        if found:
            return found[0]
    known = [field.name for field in fields]
    raise binder.text.error(
        f"the star has no column {name.name!r}", name, did_you_mean(name.name, known)
    )
