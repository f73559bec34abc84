"""Batches of Arrow as COPY … FROM STDIN (FORMAT BINARY).

Source: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format", and the receive
functions in src/backend/utils/adt.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from ferris_beam.connectors.postgresql.binary import encode_scalars
from ferris_beam.connectors.postgresql.binary.conversion import (
    accepts,
    converted,
    plain,
    plain_type,
)
from ferris_beam.connectors.postgresql.binary.copying import SIGNATURE
from ferris_beam.connectors.postgresql.binary.encode_numeric import (
    decimal_pieces,
    numeric_text_pieces,
)
from ferris_beam.connectors.postgresql.binary.encode_scalars import ENCODERS, Unfit
from ferris_beam.connectors.postgresql.binary.pieces import (
    NULL_LENGTH,
    Piece,
    Words,
    content,
    joined,
    offsets_of,
    slices,
    text_pieces,
)
from ferris_beam.connectors.postgresql.binary.values import with_nulls
from ferris_beam.connectors.postgresql.types.arrow import is_text
from ferris_beam.connectors.postgresql.types.column import Column, ServerType
from ferris_beam.connectors.postgresql.types.ddl import is_list
from ferris_beam.errors import BadRecordError, SchemaError


class Encoder:
    """Rows of one schema as bytes for one table.

    ``columns`` are the table's columns that the fields of ``schema`` go into, in that order. A
    column with a `Column.cast` gets the text of its values: COPY it into a column of type text,
    and cast from there. Raises `SchemaError`, naming column and types, for what doesn't go.
    """

    def __init__(self, schema: pa.Schema, columns: Sequence[Column]) -> None:
        self._columns = tuple(columns)
        for field, column in zip(schema, self._columns, strict=True):
            if not _goes(column.wire, plain_type(field.type)):
                raise SchemaError(
                    f"column {field.name!r} of type {field.type} does not go into "
                    f"{column.name!r} of type {column.base.name}; cast it before"
                )

    def header(self) -> bytes:
        """What comes before the first row: the signature, no flags, no extension."""
        return SIGNATURE + bytes(8)

    def rows(self, records: pa.RecordBatch) -> pa.Buffer:
        """The rows of a batch; `BadRecordError` with the row for a value that its column can't
        hold."""
        if not len(records):
            return pa.py_buffer(b"")
        pieces: list[Piece] = [Words(">i2", len(self._columns))]
        for column, values in zip(self._columns, records.columns, strict=True):
            try:
                pieces += _pieces(column.wire, plain(values))
            except Unfit as unfit:
                row = int(np.flatnonzero(unfit.rows)[0])
                message = f"column {column.name!r}: {unfit.reason}"
                raise BadRecordError(message, unfit.reason, row) from None
        return content(joined(pieces, len(records)))

    def trailer(self) -> bytes:
        """What comes behind the last row."""
        return b"\xff\xff"


def _goes(base: ServerType, kind: pa.DataType) -> bool:
    """Whether a column of the server takes a plain type."""
    if pt.is_null(kind):
        return True
    if base.kind == "array":
        inner = base.element
        return inner is not None and is_list(kind) and _goes(inner, plain_type(kind.value_type))
    if base.kind == "composite":
        return (
            pt.is_struct(kind)
            and [name for name, _ in base.fields] == [field.name for field in kind]
            and all(
                _goes(inner, plain_type(field.type))
                for (_, inner), field in zip(base.fields, kind, strict=True)
            )
        )
    known = is_text(base) or base.name in ENCODERS or base.name == "numeric"
    return known and accepts(base.name, kind)


def _pieces(base: ServerType, values: pa.Array) -> list[Piece]:
    """Length and bytes of each value."""
    if base.kind == "array":
        return _array(base, values)
    if base.kind == "composite":
        return _composite(base, values)
    if base.name == "numeric" and base.builtin:
        return _numeric(values)
    name = "text" if is_text(base) and base.name != "json" else base.name
    canonical = converted(name, values)
    encode = encode_scalars.texts if is_text(base) else ENCODERS[base.name]
    return encode(canonical)


def _numeric(values: pa.Array) -> list[Piece]:
    if pt.is_integer(values.type):
        values = values.cast(pa.decimal128(20, 0))
    if pt.is_decimal(values.type):
        wide = values.type.bit_width >= 128
        return decimal_pieces(values if wide else values.cast(pa.decimal128(38, values.type.scale)))
    return numeric_text_pieces(values.cast(pa.string()))


def _array(base: ServerType, values: pa.Array) -> list[Piece]:
    """Dimensions (0 where empty), flags, the elements' type, size, lower bound, elements."""
    assert base.element is not None
    if pt.is_null(values.type):
        values = values.cast(pa.list_(pa.null()))
    elif not pt.is_list(values.type):
        values = values.cast(pa.list_(values.type.value_type))
    present = encode_scalars.present_of(values)
    sizes = pc.fill_null(pc.list_value_length(values), 0).to_numpy(zero_copy_only=False)
    elements = plain(values.flatten())  # without what lies behind NULL
    ends = np.cumsum(sizes, dtype=np.int64)
    try:
        inner = joined(_pieces(base.element, elements), len(elements))
    except Unfit as unfit:
        owners = np.searchsorted(ends, np.flatnonzero(unfit.rows), side="right")
        rows = np.isin(np.arange(len(values)), owners)
        raise Unfit(rows, unfit.reason) from None
    bounds = offsets_of(inner)[np.concatenate([[0], ends])]
    body = pa.Array.from_buffers(
        pa.binary(),
        len(values),
        [None, pa.py_buffer(bounds.astype(np.int32)), inner.buffers()[2]],
    )
    nulls = bool(elements.null_count)
    width = np.where(sizes > 0, 20, 12) + np.diff(bounds)
    header = np.zeros((len(values), 6), ">i4")
    header[:, 0] = np.where(present, width, NULL_LENGTH)
    header[:, 1], header[:, 2], header[:, 3] = sizes > 0, nulls, base.element.oid
    header[:, 4], header[:, 5] = sizes, 1
    kept = np.where(~present, 4, np.where(sizes > 0, 24, 16))
    matrix = header.view(np.uint8).reshape(len(values), 24)
    return [slices(matrix, 0, kept), body]


def _composite(base: ServerType, values: pa.Array) -> list[Piece]:
    """The number of fields; then type, length and bytes of each."""
    present = encode_scalars.present_of(values)
    rows = len(values)
    pieces: list[Piece] = [Words(">i4", len(base.fields))]
    for (_, inner), field in zip(base.fields, values.flatten(), strict=True):
        pieces.append(Words(">u4", inner.oid))
        pieces += _pieces(inner, plain(field))
    bodies = joined(pieces, rows)
    return text_pieces(with_nulls(bodies, present))
