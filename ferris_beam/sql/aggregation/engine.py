"""Aggregate functions of the engine that have no state of ours: of all rows of a group at once."""

from __future__ import annotations

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


def engine_function(call: Call, arguments: tuple[pa.Field, ...], where: str) -> EngineFunction:
    """``arguments``: the columns of the call's arguments that are no literals, in the order of
    the expression's walk."""
    state = Collected(arguments, where=where)
    inner = call.expression.copy()
    if isinstance(inner, exp.Filter):
        inner = inner.this
    names = {field.metadata[b"sql"].decode(): str(n) for n, field in enumerate(arguments)}
    inner = inner.transform(lambda node: column(names[node.sql()]) if node.sql() in names else node)
    rows = pa.schema(
        [pa.field(_GROUP, pa.int64()), *(f.with_name(str(n)) for n, f in enumerate(arguments))]
    )
    select = (
        exp.Select(expressions=[column(_GROUP), exp.alias_(inner, _VALUE, quoted=True)])
        .from_("input_0")
        .group_by(column(_GROUP))
    )
    return EngineFunction(state, fragment(select, [rows], call.text), call.type)
