"""What is wrong with a single node, whatever the columns are."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sqlglot import exp

from ferris_beam.sql import functions
from ferris_beam.sql.syntax.fault import Fault
from ferris_beam.sql.text import span_of

_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)\s*")
_UNIT_NAMES = """
    MICROSECOND MILLISECOND SECOND MINUTE HOUR DAY WEEK MONTH QUARTER YEAR DECADE CENTURY
"""
_UNITS = frozenset(_UNIT_NAMES.split())


def _check_select(node: exp.Select) -> None:
    if not node.expressions:
        at = node.meta["start"], node.meta["end"] + 1
        raise Fault("SELECT names no columns", at, "SELECT * takes all of them")


def _check_in(node: exp.In) -> None:
    if not any(node.args.get(name) for name in ("expressions", "query", "unnest", "field")):
        raise Fault("IN () holds nothing", span_of(node), "write the values it may have")


def _check_distinct(node: exp.Distinct) -> None:
    call = node.parent
    if isinstance(call, exp.Anonymous) and _is_scalar(call):
        raise Fault(f"{call.name} is no aggregate, so DISTINCT has no meaning", span_of(call))
    if any(isinstance(each, exp.Star) for each in node.expressions):
        hint = "write DISTINCT and the columns, or COUNT(*) over SELECT DISTINCT *"
        raise Fault("DISTINCT * in a function is not supported", span_of(node), hint)


def _is_scalar(call: exp.Anonymous) -> bool:
    found = functions.find(call.name)
    return found is not None and found.kind == "scalar"


def _check_window(node: exp.Window) -> None:
    if isinstance(node.this, exp.Anonymous) and _is_scalar(node.this):
        hint = "OVER stands behind aggregates and functions such as row_number()"
        raise Fault(f"{node.this.name} is no window function", span_of(node.this), hint)
    if isinstance(node.this, exp.Func) and node.this.find(exp.Order):
        hint = "the order of a window stands in OVER (ORDER BY …)"
        raise Fault("ORDER BY in a function with OVER is not supported", span_of(node.this), hint)


def _check_interval(node: exp.Interval) -> None:
    count = node.this
    if node.unit and isinstance(count, exp.Literal) and not _NUMBER.fullmatch(count.name):
        raise Fault(f"'{count.name}' is no number", span_of(node), "INTERVAL '5' MINUTE")
    if node.unit and not _is_unit(node.unit.name.upper()):
        hint = "write MICROSECOND, MILLISECOND, SECOND, MINUTE, HOUR, DAY, WEEK, MONTH or YEAR"
        raise Fault(f"{node.unit.name} is no unit of time", span_of(node), hint)


def _is_unit(name: str) -> bool:
    return name in _UNITS or (name.endswith("S") and name[:-1] in _UNITS) or name == "CENTURIES"


def _check_join(node: exp.Join) -> None:
    if node.method not in ("", "NATURAL"):
        raise Fault(f"{node.method} JOIN is not supported", span_of(node))
    if not _has_condition(node):
        hint = "CROSS JOIN, or a comma, pairs every row with every other"
        raise Fault("JOIN needs ON or USING (…)", span_of(node.this), hint)


def _has_condition(join: exp.Join) -> bool:
    """A join with UNNEST or LATERAL needs none."""
    if join.kind == "CROSS" or isinstance(join.this, (exp.Unnest, exp.Lateral)):
        return True
    return bool(join.args.get("on") or join.args.get("using") or join.method)


def _check_lateral(node: exp.Lateral) -> None:
    if node.args.get("cross_apply") is not None:
        raise Fault("APPLY is not supported", span_of(node), "write CROSS JOIN UNNEST(…)")


CHECKS: Mapping[type[exp.Expr], Callable[[Any], None]] = {
    exp.Select: _check_select,
    exp.In: _check_in,
    exp.Distinct: _check_distinct,
    exp.Window: _check_window,
    exp.Interval: _check_interval,
    exp.Join: _check_join,
    exp.Lateral: _check_lateral,
}
