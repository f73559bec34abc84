"""How large the result of a node may be, by rules of thumb.

They decide only which side of a join is held in memory, so they rather say too much than too
little: a filter never keeps less than a hundredth.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch

import pyarrow as pa
import pyarrow.types as pt
from sqlglot import exp

from ferris_beam.sql.nodes import (
    Aggregate,
    AggregatedScan,
    Filter,
    Given,
    Join,
    Node,
    Rows,
    Scan,
    Sort,
    Union,
    Unnest,
)
from ferris_beam.sql.rules.expressions import conjuncts, disjuncts

EXPANSION = 3.0
"""How much larger rows are in memory than stored: compressed Parquet 2 to 5, gzip 3 to 6, plain
text about 1."""
TEXT_BYTES = 24
NESTED_BYTES = 100
_LEAST = 0.01
_ITEMS = 5.0


@dataclass(frozen=True)
class Estimate:
    """None: not known."""

    rows: float | None
    nbytes: float | None

    def __str__(self) -> str:
        return "unknown size" if self.nbytes is None else f"about {_in_words(self.nbytes)}"


UNKNOWN = Estimate(None, None)


def estimate(node: Node) -> Estimate:
    """Rows, and bytes in memory.

    >>> from ferris_beam.sql.rules.examples import scan_of
    >>> print(estimate(scan_of(rows=1000)))
    about 40 kB
    """
    rows = _rows(node)
    return UNKNOWN if rows is None else Estimate(rows, rows * row_bytes(node.schema))


def row_bytes(schema: pa.Schema) -> float:
    """The width of a row in memory."""
    return sum(_bytes(field.type) for field in schema) or 1.0


def _bytes(type: pa.DataType) -> float:
    if pt.is_dictionary(type):
        return type.index_type.bit_width / 8
    if pt.is_nested(type):
        return NESTED_BYTES
    return type.bit_width / 8 if pt.is_primitive(type) or pt.is_decimal(type) else TEXT_BYTES


@singledispatch
def _rows(node: Node) -> float | None:
    return _rows(node.inputs[0]) if node.inputs else None


@_rows.register
def _(node: Scan) -> float | None:
    rows = node.rows
    if rows is None and node.nbytes is not None:
        rows = node.nbytes * EXPANSION / row_bytes(node.schema)
    if rows is None:
        return None if node.limit is None else float(node.limit)
    rows *= selectivity(node.predicate)
    return rows if node.limit is None else min(rows, float(node.limit))


@_rows.register
def _(node: Given) -> float | None:
    return node.rows


@_rows.register
def _(node: Rows) -> float | None:
    return float(len(node.rows))


@_rows.register
def _(node: Filter) -> float | None:
    return _times(_rows(node.input), selectivity(node.condition))


@_rows.register
def _(node: Unnest) -> float | None:
    return _times(_rows(node.input), _ITEMS)


@_rows.register
def _(node: Aggregate) -> float | None:
    if not node.keys and node.window is None:
        return 1.0
    return _times(_rows(node.input), 0.5)


@_rows.register
def _(node: AggregatedScan) -> float | None:
    return _times(_rows(node.scan), 0.5) if node.keys else 1.0


@_rows.register
def _(node: Sort) -> float | None:
    rows = _rows(node.input)
    if node.limit is None:
        return rows
    return float(node.limit) if rows is None else min(rows, float(node.limit))


@_rows.register
def _(node: Union) -> float | None:
    counts = [_rows(branch) for branch in node.branches]
    return None if None in counts else sum(count or 0.0 for count in counts)


@_rows.register
def _(node: Join) -> float | None:
    left, right = _rows(node.left), _rows(node.right)
    if left is None or (node.kind in ("semi", "anti") or node.single):
        return left
    if right is None:
        return None
    if not node.keys:
        return left * right
    # The usual key belongs to one row of one side.
    return left + right if node.kind == "full" else max(left, right)


def selectivity(condition: exp.Expression | None) -> float:
    """Which part of the rows a condition keeps.

    >>> from sqlglot import parse_one
    >>> selectivity(parse_one("a = 1 AND b > 2"))
    0.03
    """
    result = 1.0
    for part in conjuncts(condition):
        result *= _part(part)
    return round(max(result, _LEAST), 4)


def _part(part: exp.Expression) -> float:
    if isinstance(part, exp.Or):
        return min(1.0, sum(selectivity(branch) for branch in disjuncts(part)))
    if isinstance(part, exp.Not):
        return max(1.0 - selectivity(part.this), 0.1)
    if isinstance(part, exp.EQ | exp.Is):
        return 0.9 if part.args.get("negate") else 0.1
    if isinstance(part, exp.In):
        return min(0.5, 0.1 * len(part.expressions))
    if isinstance(part, exp.GT | exp.GTE | exp.LT | exp.LTE | exp.Between):
        return 0.3
    if isinstance(part, exp.Like):
        return 0.7 if part.args.get("negate") else 0.3
    return 0.9 if isinstance(part, exp.NEQ) else 0.5


def _times(rows: float | None, factor: float) -> float | None:
    return None if rows is None else rows * factor


def _in_words(nbytes: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if nbytes < 1000:
            return f"{nbytes:.0f} {unit}"
        nbytes /= 1000
    return f"{nbytes:.0f} TB"
