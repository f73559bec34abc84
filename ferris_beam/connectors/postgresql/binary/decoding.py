"""PostgreSQL's binary values to Arrow, column by column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.connectors.postgresql.binary import scalars
from ferris_beam.connectors.postgresql.binary.cells import Cells, TaggedCells
from ferris_beam.connectors.postgresql.binary.nested import arrays, composites
from ferris_beam.connectors.postgresql.binary.numeric import numerics
from ferris_beam.connectors.postgresql.binary.text import decode_text
from ferris_beam.connectors.postgresql.binary.values import Faults, Positions, Values
from ferris_beam.connectors.postgresql.types.arrow import is_text
from ferris_beam.connectors.postgresql.types.column import Column, ServerType, schema_of
from ferris_beam.errors import BadRecordError, FatalError

_DECODERS: dict[str, scalars.Decoder] = {
    "bool": scalars.booleans,
    "int2": scalars.fixed(">i2"),
    "int4": scalars.fixed(">i4"),
    "int8": scalars.fixed(">i8"),
    "oid": scalars.fixed(">u4"),
    "float4": scalars.fixed(">f4"),
    "float8": scalars.fixed(">f8"),
    "numeric": numerics,
    "bytea": scalars.binaries,
    "date": scalars.dates,
    "time": scalars.times,
    "timestamp": scalars.timestamps,
    "timestamptz": scalars.timestamps,
    "interval": scalars.intervals,
    "uuid": scalars.uuids,
    "jsonb": scalars.jsonb,
}


def decode_column(
    column: Column,
    data: npt.NDArray[np.uint8],
    starts: Positions,
    lengths: npt.NDArray[np.integer],
) -> pa.Array:
    """The values of one column; `BadRecordError`, naming column and row, for one that Arrow's
    type can't hold."""
    faults = Faults()
    found = _column(column, Values(data, starts, lengths), faults)
    for row, reason in faults.reasons.items():
        raise BadRecordError(f"column {column.name!r}: {reason}", reason, row)
    return found


def decode_columns(
    columns: Sequence[Column],
    data: npt.NDArray[np.uint8],
    cells: Sequence[Cells] | Sequence[TaggedCells],
) -> tuple[pa.RecordBatch, dict[int, str]]:
    """All rows, and which are bad: the reason by the row's index, with the column's name.

    A value at fault is NULL in the batch; a caller must take such rows out. Cells of pgoutput may
    be in text format (`TaggedCells.text`); one that was not sent (length -2) is NULL here.
    """
    bad: dict[int, str] = {}
    found = []
    for number, column in enumerate(columns):
        faults = Faults()
        found.append(_cells(column, data, cells[number], faults))
        for row, reason in faults.reasons.items():
            bad.setdefault(row, f"column {column.name!r}: {reason}")
    return pa.RecordBatch.from_arrays(found, schema=schema_of(tuple(columns))), bad


def _cells(
    column: Column, data: npt.NDArray[np.uint8], cell: Cells | TaggedCells, faults: Faults
) -> pa.Array:
    values = Values(data, cell.starts, cell.lengths)
    if isinstance(cell, Cells) or not cell.text.any():
        return _column(column, values, faults)
    written = Values(data, cell.starts, np.where(cell.text, cell.lengths, -1))
    texts = decode_text(column.base, column.type, written, faults)
    if (cell.text | ~values.present).all():
        return texts
    sent = Values(data, cell.starts, np.where(cell.text, -1, cell.lengths))
    return pc.if_else(pa.array(cell.text), texts, _column(column, sent, faults))


def _column(column: Column, values: Values, faults: Faults) -> pa.Array:
    return _decode(column.wire, column.type, values, faults)


def _decode(base: ServerType, to: pa.DataType, values: Values, faults: Faults) -> pa.Array:
    if is_text(base):
        return scalars.texts(to, values, faults)
    if base.kind == "array":
        return arrays(base, to, values, faults, _decode)
    if base.kind == "composite":
        return composites(base, to, values, faults, _decode)
    decoder = _DECODERS.get(base.name) if base.builtin else None
    if decoder is None:
        raise FatalError(f"there is no decoder for the type {base.name}: cast it to text")
    return decoder(to, values, faults)
