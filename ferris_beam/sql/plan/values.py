"""VALUES: rows that stand in the text."""

from __future__ import annotations

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql import nodes
from ferris_beam.sql.kernel.types import spoken
from ferris_beam.sql.plan.binding import Binder
from ferris_beam.sql.plan.builder import Builder, Planned
from ferris_beam.sql.plan.refusing import counted
from ferris_beam.sql.plan.rewriting import has_query, unwrapped
from ferris_beam.sql.plan.scope import Scope
from ferris_beam.sql.plan.types import cast, common_type, types


def plan_values(builder: Builder, values: exp.Values, prefix: str) -> Planned:
    """The rows, with types that hold all values of a column; the columns are called ``col0``,
    ``col1`` and so on."""
    rows = [_cells(row) for row in values.expressions]
    width = len(rows[0])
    for row, written in zip(rows, values.expressions, strict=True):
        if len(row) != width:
            raise builder.text.error(
                f"this row has {counted(len(row), 'value')}, and the first one {width}", written
            )
    cells = [_bound(builder, cell) for row in rows for cell in row]
    kinds = types(cells, pa.schema([]), builder.text)
    columns = [
        _common(builder, cells[place::width], kinds[place::width], place) for place in range(width)
    ]
    names = tuple(f"col{place}" for place in range(width))
    flat = [f"{prefix}.{name}" if prefix else name for name in names]
    schema = pa.schema(
        [pa.field(name, kind) for name, (kind, _) in zip(flat, columns, strict=True)]
    )
    cast_rows = tuple(zip(*(cells for _, cells in columns), strict=True))
    return Planned(nodes.Rows(schema, cast_rows), names)


def _cells(row: exp.Expression) -> list[exp.Expression]:
    return list(row.expressions) if isinstance(row, exp.Tuple) else [unwrapped(row)]


def _bound(builder: Builder, cell: exp.Expression) -> exp.Expression:
    if has_query(cell):
        raise builder.text.error("VALUES takes no subqueries", cell, "write SELECT … UNION ALL …")
    return Binder(builder.text, Scope()).bind(cell)


def _common(
    builder: Builder, cells: list[exp.Expression], kinds: list[pa.DataType], place: int
) -> tuple[pa.DataType, list[exp.Expression]]:
    """The type of a column, and its cells cast to it."""
    both: pa.DataType = kinds[0]
    for cell, kind in zip(cells, kinds, strict=True):
        wider = common_type(both, kind)
        if wider is None:
            raise builder.text.error(
                f"the values of column {place + 1} are {spoken(both)} and {spoken(kind)}",
                cell,
                "cast one of them",
            )
        both = wider
    return both, [cast(cell, kind, both) for cell, kind in zip(cells, kinds, strict=True)]
