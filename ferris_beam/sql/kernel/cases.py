"""CASE by types: its results become of one type, that of the first result or a wider one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.types as pt
from sqlglot import exp

from ferris_beam.sql.kernel.arithmetic import digits_of, wider
from ferris_beam.sql.kernel.comparisons import align, refuse_other_than_conditions
from ferris_beam.sql.kernel.expressions import as_type, integer_of, set_type, text_of
from ferris_beam.sql.kernel.types import is_number, is_text

if TYPE_CHECKING:
    from ferris_beam.sql.kernel.checking import Checker

_DIGITS = 38


def check_if(checker: Checker, node: exp.Expr) -> exp.Expr:
    """IF(condition, value, other) as a CASE."""
    if isinstance(node.parent, exp.Case):
        return node
    step = exp.If(this=node.this, true=node.args["true"])
    return check_case(checker, exp.Case(ifs=[step], default=node.args.get("false")))


def check_case(checker: Checker, node: exp.Expr) -> exp.Expr:
    steps = node.args["ifs"]
    if node.this is not None:
        align(checker, node, [node.this, *(step.this for step in steps)])
    else:
        for step in steps:
            refuse_other_than_conditions(checker, step.this, "WHEN")
    results = [step.args["true"] for step in steps]
    if node.args.get("default") is not None:
        results.append(node.args["default"])
    types = [checker.type_of(result) for result in results]
    common = common_type(results, types)
    if common is None:
        return node
    for result, given in zip(results, types, strict=True):
        if given != common:
            result.replace(as_type(result.copy(), given, common))
    return set_type(node, common)


def common_type(values: Sequence[exp.Expr], types: Sequence[pa.DataType]) -> pa.DataType | None:
    """A type that holds all values exactly (floats beside other numbers: DOUBLE); None where the
    engine has to decide. A literal takes the type of the others where it fits."""
    others = [
        given
        for value, given in zip(values, types, strict=True)
        if not pt.is_null(given) and integer_of(value) is None and text_of(value) is None
    ]
    literals = [
        given
        for value, given in zip(values, types, strict=True)
        if integer_of(value) is not None or text_of(value) is not None
    ]
    numbers = [number for number in map(integer_of, values) if number is not None]
    common = _widest(others) if others else _widest(literals)
    if common is None or not literals or not others:
        return common
    if pt.is_integer(common) and len(numbers) == len(literals) and _all_fit(numbers, common):
        return common
    if len(numbers) < len(literals) and not is_text(common):
        return common if not numbers else None
    return _widest([*others, *literals])


def _all_fit(numbers: Sequence[int], type: pa.DataType) -> bool:
    signed = pt.is_signed_integer(type)
    bits = type.bit_width - signed
    return all((-(1 << bits) if signed else 0) <= number < (1 << bits) for number in numbers)


def _widest(types: Sequence[pa.DataType]) -> pa.DataType | None:
    found: pa.DataType | None = None
    for given in types:
        found = given if found is None else _wider_of(found, given)
        if found is None:
            return None
    return found


def _wider_of(left: pa.DataType, right: pa.DataType) -> pa.DataType | None:
    if left == right:
        return left
    if is_number(left) and is_number(right):
        return _wider_number(left, right)
    if {left, right} == {pa.date32(), pa.timestamp("us")}:
        return pa.timestamp("us")
    return None


def _wider_number(left: pa.DataType, right: pa.DataType) -> pa.DataType:
    if pt.is_floating(left) or pt.is_floating(right):
        return pa.float64()
    if pt.is_integer(left) and pt.is_integer(right):
        return wider(left, right)
    (left_whole, left_scale), (right_whole, right_scale) = digits_of(left), digits_of(right)
    scale = max(left_scale, right_scale)
    return pa.decimal128(min(_DIGITS, max(left_whole, right_whole) + scale), scale)
