"""Subscripts: of lists (from 1; negative ones from the end), of maps and of structs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.types as pt
from sqlglot import exp

from ferris_beam.sql.kernel.expressions import cast_to, checked_call, set_type, text_of
from ferris_beam.sql.kernel.rendering import call

if TYPE_CHECKING:
    from ferris_beam.sql.kernel.checking import Checker


def check_bracket(checker: Checker, node: exp.Expr) -> exp.Expr:
    """Of a map: the value of the key, or NULL; of a struct, a field. All else as it stands."""
    if len(node.expressions) != 1 or isinstance(node.expressions[0], exp.Slice):
        return node
    given = checker.type_of(node.this)
    if pt.is_struct(given) and node.expressions[0].is_string:
        return _field(checker, node.this, node.expressions[0].name)
    if not pt.is_map(given):
        return node
    found = call("map_extract", node.this, node.expressions[0])
    return set_type(call("array_element", found, exp.Literal.number(1)), given.item_type)


def check_dot(checker: Checker, node: exp.Expr) -> exp.Expr:
    return _field(checker, node.this, node.expression.name)


def check_column(checker: Checker, node: exp.Expr) -> exp.Expr:
    """``s.x``, where ``s`` is no relation but a column: a field of a struct."""
    relation = node.text("table")
    if not relation or checker.scope.type_of(node.name, relation) is not None:
        return node
    parent = checker.scope.type_of(relation)
    if parent is None or not pt.is_struct(parent):
        return node
    return _field(checker, exp.column(node.args["table"]), node.name)


def check_call(checker: Checker, node: exp.Expr) -> exp.Expr:
    """``get_field(struct, 'name')``, and the seconds of a span, which DataFusion counts whole."""
    if node.name.lower() == "date_part" and len(node.expressions) == 2:
        return _part(checker, node)
    if node.name.lower() != "get_field" or len(node.expressions) != 2:
        return node
    struct, name = node.expressions
    return _field(checker, struct, name.name) if name.is_string else node


def _part(checker: Checker, node: exp.Expr) -> exp.Expr:
    part, time = node.expressions
    if text_of(part) != "epoch" or not pt.is_duration(checker.type_of(time)):
        return node
    micros = cast_to(cast_to(cast_to(time, pa.duration("us")), pa.int64()), pa.float64())
    second = cast_to(exp.Literal.number(1_000_000), pa.float64())
    return checked_call("divide", pa.float64(), micros, second)


def _field(checker: Checker, struct: exp.Expr, name: str) -> exp.Expr:
    """NULL where the struct is: DataFusion gives whatever is stored under it."""
    given = checker.type_of(struct)
    found = call("get_field", struct, exp.Literal.string(name))
    if not pt.is_struct(given):
        return found
    present = exp.Not(this=exp.Is(this=exp.paren(struct), expression=exp.null()))
    guarded = exp.Case(ifs=[exp.If(this=present, true=found)])
    at = given.get_field_index(name)
    return guarded if at < 0 else set_type(guarded, given.field(at).type)
