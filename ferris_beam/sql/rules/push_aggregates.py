"""Aggregates directly over a source are computed by it, where it can with the same result.

Only what has one result is asked for. Sums of doubles depend on their order; NaN and -0.0 are equal
to different things in different stores. What a store does otherwise than we, such as ordering texts
by a collation, its reader has to know (`Reader.aggregated`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

import pyarrow as pa
import pyarrow.types as pt
from sqlglot import exp

from ferris_beam.connector import AggregateCall
from ferris_beam.sql.aggregation.calls import Call, call_of
from ferris_beam.sql.nodes import (
    Aggregate,
    AggregatedScan,
    Named,
    Node,
    Project,
    Scan,
    column,
)
from ferris_beam.sql.rules.rewrite import bottom_up
from ferris_beam.transforms.aggregation import Aggregation

CanAggregate: TypeAlias = Callable[[Scan, Aggregation], bool]
"""Whether the source of a scan computes an aggregation of its rows."""

Function: TypeAlias = Literal["count", "sum", "min", "max"]


def push_aggregates(node: Node, can: CanAggregate) -> Node:
    """``node`` with those aggregates read from the source that it ``can`` compute.

    >>> from ferris_beam.sql.rules.examples import count_above_scan, names
    >>> print(names(push_aggregates(count_above_scan(), lambda scan, aggregation: True)))
    AggregatedScan
    >>> print(names(push_aggregates(count_above_scan(), lambda scan, aggregation: False)))
    Aggregate Scan
    """

    def pushed(node: Node) -> Node:
        return _pushed(node, can) if isinstance(node, Aggregate) else node

    return bottom_up(node, pushed)


@dataclass(frozen=True)
class _Part:
    """What the source is asked for: ``function`` of its column ``source`` (None: of rows), put out
    as the column ``name`` of type ``type``."""

    function: Function
    source: str | None
    name: str
    type: pa.DataType


@dataclass(frozen=True)
class _Result:
    """A call's value, as ``expression`` over its ``parts``."""

    named: Named
    parts: tuple[_Part, ...]


def _pushed(node: Aggregate, can: CanAggregate) -> Node:
    found = _scan_below(node.input)
    if found is None or node.window is not None:
        return node
    scan, sources = found
    keys = _keys(node, scan, sources)
    results = [_result(call, node, scan, sources) for call in node.calls]
    if keys is None or None in results:
        return node
    parts = [part for result in results if result is not None for part in result.parts]
    names = [*keys, *_names(parts, taken=keys)]
    kinds = [*node.schema.types[: len(keys)], *(part.type for part in parts)]
    calls = tuple(
        AggregateCall(part.function, part.source, name)
        for part, name in zip(parts, names[len(keys) :], strict=True)
    )
    schema = pa.schema(list(zip(names, kinds, strict=True)))
    if not can(scan, Aggregation(tuple(keys), calls, schema)):
        return node
    put_out = [*(key.name for key in node.keys), *(part.name for part in parts)]
    below = pa.schema(list(zip(put_out, kinds, strict=True)))
    read = AggregatedScan(below, scan, tuple(keys), calls, tuple(names))
    if put_out == node.schema.names:
        return read
    columns = [Named(key.name, column(key.name)) for key in node.keys]
    columns += [result.named for result in results if result is not None]
    return Project(node.schema, read, tuple(columns))


def _scan_below(node: Node) -> tuple[Scan, Mapping[str, str]] | None:
    """The source directly below, through projections that only rename, and the source's own names
    of the columns that ``node`` puts out."""
    if isinstance(node, Scan):
        if node.limit is not None or not node.bounded:
            return None
        return node, dict(zip(node.schema.names, node.names, strict=True))
    found = _scan_below(node.input) if isinstance(node, Project) else None
    if found is None or not isinstance(node, Project):
        return None
    scan, known = found
    columns = {
        each.name: known[each.expression.name]
        for each in node.columns
        if isinstance(each.expression, exp.Column) and each.expression.name in known
    }
    return scan, columns


def _keys(node: Aggregate, scan: Scan, sources: Mapping[str, str]) -> list[str] | None:
    """The source's columns; None where a key is none, or is not the same in every store."""
    found = [_column(key.expression, sources) for key in node.keys]
    names = [name for name in found if name is not None and _is_key(_type(scan, name))]
    return names if len(names) == len(found) == len(set(names)) else None


def _result(
    named: Named, node: Aggregate, scan: Scan, sources: Mapping[str, str]
) -> _Result | None:
    """None where the call is of another kind."""
    kind = node.schema.field(named.name).type
    call = call_of(named.expression, kind)
    if not _is_plain(call):
        return None
    if call.name == "count" and all(isinstance(each, exp.Literal) for each in call.arguments):
        return _itself(_Part("count", None, named.name, kind))
    source = _column(call.arguments[0], sources) if len(call.arguments) == 1 else None
    if source is None or not _FITS.get(call.name, _never)(_type(scan, source)):
        return None
    if call.name == "avg":
        return _mean(source, named.name)
    return _itself(_Part(cast("Function", call.name), source, named.name, kind))


def _is_plain(call: Call) -> bool:
    special = call.distinct or call.order or call.ignore_nulls or call.user
    return not special and call.where is None and not call.expression.args.get("expressions")


def _itself(part: _Part) -> _Result:
    return _Result(Named(part.name, column(part.name)), (part,))


def _mean(source: str, name: str) -> _Result:
    """The sum of integers of 32 bits fits into 64, and is rounded to a double once."""
    total = _Part("sum", source, f"{name} sum", pa.int64())
    count = _Part("count", source, f"{name} count", pa.int64())
    divided = exp.Div(
        this=exp.Cast(this=column(total.name), to=exp.DataType.build("DOUBLE")),
        expression=exp.Nullif(this=column(count.name), expression=exp.Literal.number(0)),
    )
    return _Result(Named(name, divided), (total, count))


def _names(parts: Iterable[_Part], taken: Iterable[str]) -> list[str]:
    """A name for each that the store can give it, like ``sum_amount``."""
    found: list[str] = []
    used = set(taken)
    for part in parts:
        base = name = "_".join(filter(None, (part.function, part.source)))
        number = 1
        while name in used:
            number += 1
            name = f"{base}_{number}"
        used.add(name)
        found.append(name)
    return found


def _column(expression: exp.Expression, sources: Mapping[str, str]) -> str | None:
    return sources.get(expression.name) if isinstance(expression, exp.Column) else None


def _type(scan: Scan, name: str) -> pa.DataType:
    return scan.schema.field(scan.names.index(name)).type


def _is_exact(kind: pa.DataType) -> bool:
    return bool(pt.is_integer(kind) or pt.is_decimal(kind))


def _is_ordered(kind: pa.DataType) -> bool:
    is_text = pt.is_string(kind) or pt.is_large_string(kind)
    return bool(_is_exact(kind) or is_text or pt.is_date(kind) or pt.is_timestamp(kind))


def _is_key(kind: pa.DataType) -> bool:
    return _is_ordered(kind) or bool(pt.is_boolean(kind))


def _is_narrow(kind: pa.DataType) -> bool:
    return bool(pt.is_signed_integer(kind) and kind.bit_width <= 32)


def _always(kind: pa.DataType) -> bool:
    return True


def _never(kind: pa.DataType) -> bool:
    return False


_FITS: Mapping[str, Callable[[pa.DataType], bool]] = {
    "count": _always,
    "sum": _is_exact,
    "avg": _is_narrow,
    "min": _is_ordered,
    "max": _is_ordered,
}
