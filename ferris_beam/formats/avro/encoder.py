"""Columns to Avro's encoding, row by row, but without a loop over rows.

The encoding of a row is that of its fields in a row. So each column is encoded as an array of byte
strings, and Arrow joins them: the data of the joined array is the content of a block. The items of
a list are joined by taking other offsets into the same data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from ferris_beam.formats.avro.columns import uuid_texts
from ferris_beam.formats.avro.mapping import UUID, is_list, is_text

_BYTES = pa.large_binary()
_NOTHING = pa.scalar(b"", _BYTES)
_NULL, _VALUE = 0, 2
"""The branch of a union with null first, as a long."""

Mask: TypeAlias = "np.ndarray[Any, np.dtype[np.bool_]] | None"
Matrix: TypeAlias = "np.ndarray[Any, np.dtype[np.uint8]]"


def encoded_rows(records: pa.RecordBatch) -> pa.LargeBinaryArray:
    """The rows, each as the record of `mapping.avro_schema`."""
    parts = [part for column in records.columns for part in _nullable(column)]
    return _joined(parts, records.num_rows)


def _joined(parts: Sequence[pa.Array], rows: int) -> pa.LargeBinaryArray:
    if not parts:
        return pa.repeat(_NOTHING, rows)
    return parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, _NOTHING)


def _nullable(column: pa.Array) -> list[pa.Array]:
    """A column of the union of null and its type, as arrays that stand in a row."""
    if pt.is_run_end_encoded(column.type):
        column = pc.run_end_decode(column)
    if pt.is_null(column.type):
        return []
    valid = column.is_valid().to_numpy(zero_copy_only=False) if column.null_count else None
    return _values(column, valid, union=True)


def _values(column: pa.Array, valid: Mask, union: bool) -> list[pa.Array]:
    """``valid`` has no False where not ``union``."""
    kind = column.type
    if pt.is_dictionary(kind):
        return [_dictionary(column)]
    column = _simplified(column)
    kind = column.type
    if pt.is_integer(kind):
        return [_longs(column.fill_null(0).to_numpy(), valid, union)]
    if pt.is_large_binary(kind):
        lengths = _zero_filled(pc.binary_length(column))
        return [
            _longs(lengths, valid, union),
            column.fill_null(b"") if valid is not None else column,
        ]
    if pt.is_decimal(kind):
        return _decimals(column, valid, union)
    if pt.is_struct(kind):
        return _structs(column, valid, union)
    if is_list(kind) or pt.is_map(kind):
        return _lists(column, valid, union)
    return [_fixed(_matrix(column), valid, union)]


def _simplified(column: pa.Array) -> pa.Array:
    """The same values in one of few types: integers, binary, decimals, fixed, nested."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        storage = column.storage
        return (uuid_texts(storage) if kind.extension_name == UUID else storage).cast(_BYTES)
    if is_text(kind) or pt.is_binary(kind) or pt.is_binary_view(kind):
        return column.cast(_BYTES)
    if pt.is_uint64(kind):
        return column.cast(pa.decimal128(20, 0))
    if pt.is_date64(kind):
        column = column.cast(pa.date32())
    if pt.is_temporal(kind) and getattr(kind, "unit", None) == "s":
        ms = pa.time32("ms") if pt.is_time(kind) else pa.timestamp("ms", kind.tz)
        column = column.cast(ms)
    if pt.is_temporal(kind):
        return column.view(pa.int32() if column.type.bit_width == 32 else pa.int64())
    if pt.is_float16(kind):
        return column.cast(pa.float32())
    return column


def _dictionary(column: pa.DictionaryArray) -> pa.Array:
    """Each value is encoded once."""
    if not len(column.dictionary):  # below a null struct indices may point anywhere
        return pa.repeat(pa.scalar(bytes([_NULL]), _BYTES), len(column))
    values = _joined(_nullable(column.dictionary), len(column.dictionary))
    taken = values.take(column.indices)
    return taken.fill_null(bytes([_NULL])) if taken.null_count else taken


# ── numbers, and what is of one length ──────────────────────────────────────────────────────────


def _longs(values: np.ndarray[Any, Any], valid: Mask, union: bool) -> pa.Array:
    """Zig-zag, then seven bits a byte, the lowest first."""
    signed = values.astype(np.int64, copy=False)
    rest = ((signed << 1) ^ (signed >> 63)).view(np.uint64)
    widest = max(1, -(-int(rest.max(initial=0)).bit_length() // 7))
    lengths = np.ones(len(rest), np.uint8)
    for at in range(1, widest):
        lengths += rest >= np.uint64(1 << (7 * at))
    matrix = np.empty((len(rest), widest + union), np.uint8)
    for at in range(widest):
        byte = (rest & np.uint64(0x7F)).astype(np.uint8)
        matrix[:, at + union] = byte | ((lengths > at + 1).astype(np.uint8) << 7)
        rest = rest >> np.uint64(7)
    return _ragged(matrix, lengths, valid, union)


def _fixed(values: Matrix, valid: Mask, union: bool) -> pa.Array:
    rows, width = values.shape
    if not union:
        return _strings(values, np.full(rows, width, np.int64))
    matrix = np.empty((rows, width + 1), np.uint8)
    matrix[:, 1:] = values
    return _ragged(matrix, np.full(rows, width, np.int64), valid, union)


def _ragged(matrix: Matrix, lengths: np.ndarray[Any, Any], valid: Mask, union: bool) -> pa.Array:
    """The first ``lengths`` bytes of each row, behind the branch of the union if it is one."""
    total = lengths.astype(np.int64)
    if union:
        matrix[:, 0] = _VALUE
        total += 1
        if valid is not None:
            matrix[~valid, 0] = _NULL
            total[~valid] = 1
    if len(total) and int(total.min()) == matrix.shape[1]:
        return _strings(matrix, total)
    return _strings(matrix[np.arange(matrix.shape[1]) < total[:, None]], total)


def _strings(data: Matrix, lengths: np.ndarray[Any, Any]) -> pa.LargeBinaryArray:
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(data))]
    return pa.Array.from_buffers(_BYTES, len(lengths), buffers)


def _matrix(column: pa.Array) -> Matrix:
    """Booleans, floats and fixed binary as they are in memory; anything where null."""
    if pt.is_boolean(column.type):
        values = column.fill_null(False).to_numpy(zero_copy_only=False)
        return values.astype(np.uint8).reshape(-1, 1)
    width = column.type.bit_width // 8
    data = np.frombuffer(column.buffers()[1] or b"", np.uint8)
    first = column.offset * width
    return data[first : first + len(column) * width].reshape(-1, width)


def _decimals(column: pa.Array, valid: Mask, union: bool) -> list[pa.Array]:
    """Two's complement, big-endian, without bytes that only repeat the sign."""
    width = 32 if column.type.precision > 38 else 16
    kind = (pa.decimal256 if width == 32 else pa.decimal128)(
        column.type.precision, column.type.scale
    )
    values = _matrix(column.cast(kind))[:, ::-1]
    if valid is not None:
        values = np.where(valid[:, None], values, 0).astype(np.uint8)
    sign = np.where(values[:, :1] > 127, 255, 0)
    needless = (values[:, :-1] == sign) & ((values[:, 1:] > 127) == (sign > 127))
    lengths = width - np.cumprod(needless, axis=1).sum(axis=1)
    kept = np.arange(width) >= (width - lengths)[:, None]
    if valid is not None:
        kept &= valid[:, None]
    head = _longs(lengths, valid, union)
    return [head, _strings(values[kept], kept.sum(axis=1))]


# ── nested ──────────────────────────────────────────────────────────────────────────────────────


def _structs(column: pa.StructArray, valid: Mask, union: bool) -> list[pa.Array]:
    fields = [column.field(at) for at in range(column.type.num_fields)]
    parts = [part for field in fields for part in _nullable(field)]
    if not union:
        return parts
    branch = _fixed(np.empty((len(column), 0), np.uint8), valid, union)
    if valid is None:
        return [branch, *parts]
    joined = _joined(parts, len(column))
    return [branch, pc.if_else(pa.array(valid), joined, _NOTHING)]


def _lists(column: pa.Array, valid: Mask, union: bool) -> list[pa.Array]:
    """The number of items, the items, and a zero unless there are none."""
    encode: Callable[[pa.Array], pa.Array] = _items
    if pt.is_map(column.type):
        encode = _entries if is_text(column.type.key_type) else _items
        entry = pa.struct([("key", column.type.key_type), ("value", column.type.item_type)])
        column = column.cast(pa.list_(entry))
    lengths, items = _zero_filled(pc.list_value_length(column)), encode(column.flatten())
    ends = np.concatenate(([0], np.cumsum(lengths)))
    offsets = np.frombuffer(items.buffers()[1], np.int64)[items.offset :][ends]
    buffers = [None, pa.py_buffer(offsets), items.buffers()[2]]
    joined = pa.Array.from_buffers(_BYTES, len(column), buffers)
    some = (lengths > 0).astype(np.int64)
    return [_longs(lengths, valid, union), joined, _strings(np.zeros(some.sum(), np.uint8), some)]


def _items(items: pa.Array) -> pa.LargeBinaryArray:
    return _joined(_nullable(items), len(items))


def _entries(entries: pa.StructArray) -> pa.LargeBinaryArray:
    """Those of a map: its keys are texts that can't be null."""
    key = _values(entries.field(0), None, union=False)
    return _joined([*key, *_nullable(entries.field(1))], len(entries))


def _zero_filled(lengths: pa.Array) -> np.ndarray[Any, Any]:
    found: np.ndarray[Any, Any] = lengths.fill_null(0).to_numpy()
    return found.astype(np.int64)
