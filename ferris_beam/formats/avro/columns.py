"""Decoded columns as the Arrow types that Avro's stand for."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from ferris_beam.formats.avro.schema import Kind, least_bytes
from ferris_beam.formats.avro.wire import entries

_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
_UUID_DASHES = [8, 13, 18, 23]
_UUID_LENGTH = 36


def without_content(kind: Kind, rows: int) -> pa.Array:
    """A column of a type whose values take no bytes: nulls, or records of such."""
    if kind.name == "null":
        return pa.nulls(rows)
    children = [without_content(part, rows) for part in kind.fields.values()]
    return pa.Array.from_buffers(kind.arrow, rows, [None], children=children)


def converted(column: pa.Array, kind: Kind) -> pa.Array:
    """What the wire's values stand for. Raises `pa.ArrowInvalid` where they are none of those."""
    if kind.name == "record":
        return _record(column, kind)
    if kind.name in ("array", "map"):
        return _repeated(column, kind)
    if kind.name == "enum":
        return _enum(column, kind)
    if pt.is_decimal(kind.arrow):
        return _decimal(column, kind)
    if kind.name == "fixed":
        fixed = _fixed(column, kind.size)
        return uuid_texts(fixed) if pt.is_string(kind.arrow) else fixed
    if kind.name == "int":
        return column.cast(pa.int32()).cast(kind.arrow)
    return column.cast(kind.arrow)


def _record(column: pa.StructArray, kind: Kind) -> pa.Array:
    decoded = iter([column.field(at) for at in range(column.type.num_fields)])
    children = [
        converted(next(decoded), part) if least_bytes(part) else without_content(part, len(column))
        for part in kind.fields.values()
    ]
    return pa.Array.from_buffers(kind.arrow, len(column), [_validity(column)], children=children)


def _repeated(column: pa.LargeListArray, kind: Kind) -> pa.Array:
    assert kind.items is not None
    offsets = column.offsets.cast(pa.int32())
    if kind.name == "map":
        pairs = converted(column.values, entries(kind))
        mask = column.is_null() if column.null_count else None
        return pa.MapArray.from_arrays(
            offsets, pairs.field(0), pairs.field(1), type=kind.arrow, mask=mask
        )
    items = converted(column.values, kind.items)
    buffers = [_validity(column), offsets.buffers()[1]]
    return pa.Array.from_buffers(kind.arrow, len(column), buffers, children=[items])


def _enum(column: pa.Array, kind: Kind) -> pa.Array:
    codes = column.cast(pa.int32())
    return pa.DictionaryArray.from_arrays(codes, pa.array(kind.symbols)).dictionary_decode()


def _fixed(column: pa.Array, size: int) -> pa.Array:
    values, valid = _bytes_of(column, size)
    return pa.Array.from_buffers(pa.binary(size), len(column), [valid, pa.py_buffer(values)])


def _bytes_of(column: pa.Array, size: int) -> tuple[np.ndarray, pa.Buffer | None]:
    """The values of a column of ``size`` bytes each as a matrix; zeros where null."""
    data = np.frombuffer(column.buffers()[2] or b"", np.uint8)
    offsets = column.buffers()[1]
    starts = np.frombuffer(offsets, np.int64)[column.offset : column.offset + len(column)]
    if not column.null_count:
        first = int(starts[0]) if len(starts) else 0
        return data[first : first + len(column) * size].reshape(-1, size), None
    valid = column.is_valid().to_numpy(zero_copy_only=False)
    values = np.zeros((len(column), size), np.uint8)
    values[valid] = data[starts[valid, None] + np.arange(size)]
    return values, _validity(column)


def uuid_texts(column: pa.FixedSizeBinaryArray) -> pa.StringArray:
    """16 bytes as RFC 9562 writes them."""
    data = np.frombuffer(column.buffers()[1] or b"", np.uint8)
    values = data[column.offset * 16 : (column.offset + len(column)) * 16].reshape(-1, 16)
    text = np.full((len(column), _UUID_LENGTH), ord("-"), np.uint8)
    digits = np.delete(np.arange(_UUID_LENGTH), _UUID_DASHES)
    text[:, digits[0::2]] = _HEX[values >> 4]
    text[:, digits[1::2]] = _HEX[values & 15]
    offsets = np.arange(len(column) + 1, dtype=np.int32) * _UUID_LENGTH
    buffers = [_validity(column), pa.py_buffer(offsets), pa.py_buffer(text)]
    return pa.Array.from_buffers(pa.string(), len(column), buffers)


def _decimal(column: pa.Array, kind: Kind) -> pa.Array:
    """Two's complement, big-endian, of as few bytes as the writer liked."""
    width = kind.arrow.bit_width // 8
    offsets = np.frombuffer(column.buffers()[1], np.int64)
    offsets = offsets[column.offset : column.offset + len(column) + 1]
    lengths, data = np.diff(offsets), np.frombuffer(column.buffers()[2] or b"", np.uint8)
    values = np.zeros((len(column), width), np.uint8)
    for length in np.unique(lengths[lengths > 0]):
        rows = np.flatnonzero(lengths == length)
        found = data[offsets[rows, None] + np.arange(length)]
        extension = np.where(found[:, :1] > 127, 255, 0).astype(np.uint8)
        if length > width and (found[:, :-width] != extension).any():
            raise pa.ArrowInvalid(f"a decimal of {length} bytes does not fit {kind.arrow}")
        kept = found[:, ::-1][:, :width]
        values[rows] = extension
        values[rows, : kept.shape[1]] = kept
    buffers = [_validity(column), pa.py_buffer(values)]
    result = pa.Array.from_buffers(kind.arrow, len(column), buffers)
    result.validate(full=True)
    return result


def _validity(column: pa.Array) -> pa.Buffer | None:
    return column.is_valid().buffers()[1] if column.null_count else None
