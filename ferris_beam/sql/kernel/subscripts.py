"""Subscripts: of lists (from 1; negative ones from the end), of maps and of structs.

sqlglot counts literal subscripts from 0 after parsing, and those that it has no type for as they
were written: `with_own_subscripts` undoes that, before anything else touches the expression.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.types as pt
from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.expressions import apply_index_offset

from ferris_beam.sql.kernel.expressions import set_type
from ferris_beam.sql.kernel.rendering import call

if TYPE_CHECKING:
    from ferris_beam.sql.kernel.checking import Checker

_COUNTED = "offset"
"""What sqlglot calls the number that subscripts start from."""


def with_own_subscripts(expression: exp.Expression) -> exp.Expression:
    """A copy whose subscripts are those that were written."""
    result: exp.Expression = expression.copy()
    dialect = DuckDB()
    for node in result.find_all(exp.Bracket):
        offset = dialect.INDEX_OFFSET - node.args.get(_COUNTED, 0)
        if offset:
            counted = apply_index_offset(node.this, node.expressions, offset, dialect=dialect)
            node.set("expressions", counted)
            node.set(_COUNTED, dialect.INDEX_OFFSET)
    return result


def check_bracket(checker: Checker, node: exp.Expression) -> exp.Expression:
    """Of a map: the value of the key, or NULL. All else is written as it stands."""
    if len(node.expressions) != 1 or isinstance(node.expressions[0], exp.Slice):
        return node
    given = checker.type_of(node.this)
    if not pt.is_map(given):
        return node
    found = call("map_extract", node.this, node.expressions[0])
    return set_type(call("array_element", found, exp.Literal.number(1)), given.item_type)
