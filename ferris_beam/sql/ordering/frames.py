"""Frames that the engine can't compute, found when the plan is made."""

from __future__ import annotations

import pyarrow as pa
from sqlglot import exp

from ferris_beam.errors import FatalError
from ferris_beam.sql import functions, nodes
from ferris_beam.sql.kernel import Kernel
from ferris_beam.sql.ordering.window_query import function_name, moves
from ferris_beam.sql.text import SqlText

HINT = (
    "let the frame start at UNBOUNDED PRECEDING, or take a function that can forget a value: "
    "count, sum, avg, min, max, array_agg, median"
)


def refuse_moving_frames(node: nodes.Over, kernel: Kernel, text: SqlText | None) -> None:
    """Raises `SqlError` for an aggregate that can't take back the rows that leave its frame.

    DataFusion says so only when it meets a row: it is given one of NULLs.
    """
    moving = [call.expression for call in node.calls if moves(call.expression)]
    if not moving:
        return
    schema = node.input.schema
    row = pa.RecordBatch.from_arrays([pa.nulls(1, field.type) for field in schema], schema=schema)
    try:
        kernel.run([row])
    except FatalError as error:
        if "retract_batch" not in str(error):
            raise
        names = ", ".join(sorted({_spoken(call) for call in moving}))
        text = text or SqlText(moving[0].sql())
        message = f"{names} can't be computed over a frame whose start moves"
        raise text.error(message, moving[0], HINT) from error


def _spoken(call: exp.Expression) -> str:
    """The name under which docs/functions.md has it."""
    name = function_name(call)
    known = functions.find(name)
    return known.name if known is not None else name
