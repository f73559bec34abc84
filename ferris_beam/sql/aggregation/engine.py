"""Aggregate functions of the engine that have no state of ours: of all rows of a group at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.aggregation.arrays import memory_of, take
from ferris_beam.sql.aggregation.calls import Call
from ferris_beam.sql.aggregation.collected import Collected, exploded
from ferris_beam.sql.aggregation.grouping import Groups
from ferris_beam.sql.aggregation.state import Columns, Function, State
from ferris_beam.sql.kernel import Fragment, Kernel, fragment
from ferris_beam.sql.nodes import column

_GROUP, _VALUE = "group", "value"


@dataclass(frozen=True)
class EngineFunction(Function):
    """``select`` computes it of the rows that were collected, for each group that has any."""

    state: Collected
    select: Fragment
    type: pa.DataType

    @property
    def states(self) -> tuple[State, ...]:
        return (self.state,)

    def finish(self, *states: Columns) -> pa.Array:
        groups, columns = exploded(states[0][0])
        names = [_GROUP, *(str(place) for place in range(len(columns)))]
        rows = pa.RecordBatch.from_arrays([pa.array(groups.codes), *columns], names=names)
        found = Kernel(self.select).run([rows])
        places = Groups(memory_of(found[_GROUP], "i8"), groups.count).members
        return take(found[_VALUE], places).cast(self.type)


def engine_function(
    call: Call, columns: Mapping[exp.Expression, pa.Field], where: str
) -> EngineFunction:
    """``columns``: those of the input that hold the call's arguments, by their expressions.

    Raises `SqlError` for a function that the engine doesn't know.
    """
    state = Collected(tuple(columns.values()), where=where)
    names = {each.sql(): str(place) for place, each in enumerate(columns)}
    inner = call.expression.copy()
    if isinstance(inner, exp.Filter):
        inner = inner.this
    inner = inner.transform(lambda node: column(names[node.sql()]) if node.sql() in names else node)
    rows = [field.with_name(str(place)) for place, field in enumerate(state.arguments)]
    select = (
        exp.Select(expressions=[column(_GROUP), exp.alias_(inner, _VALUE, quoted=True)])
        .from_("input_0")
        .group_by(column(_GROUP))
    )
    schema = pa.schema([pa.field(_GROUP, pa.int64()), *rows])
    return EngineFunction(state, fragment(select, [schema], call.text), call.type)
