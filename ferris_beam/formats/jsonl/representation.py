"""How Arrow's types stand in JSON: what the writer makes of columns so that the reader, given the
same schema, gets the same values back; and what JSON can't hold."""

from __future__ import annotations

import binascii
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from ferris_beam.errors import BadRecordError, SchemaError

_FIRST_DAY, _LAST_DAY = -719_528, 2_932_896
"""Of the years 0000 to 9999, counted from 1970-01-01: those of ISO 8601 and RFC 3339."""

_WITHOUT_PLACE = (pt.is_union, pt.is_interval, pt.is_list_view, pt.is_large_list_view)

_SECONDS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


# ── types ───────────────────────────────────────────────────────────────────────────────────────


def check_writable(field: pa.Field) -> None:
    """Raises `SchemaError` for a type that JSON has no place for."""
    problem = _problem(field.type, nested=False)
    if problem:
        raise SchemaError(
            f"column {field.name!r}: JSON can't hold {problem} in {field.type}; write "
            "format=parquet, or turn them into text before"
        )


def _problem(kind: pa.DataType, nested: bool) -> str:
    """What of a type can't be written, in words."""
    if is_uuid(kind):
        return "the uuid values" if nested else ""
    if isinstance(kind, pa.BaseExtensionType):
        return _problem(kind.storage_type, nested)
    if pt.is_dictionary(kind) or pt.is_run_end_encoded(kind):
        return _problem(kind.value_type, nested)
    if pt.is_map(kind) and not is_text(kind.key_type):
        return f"keys of {kind.key_type}"
    if any(is_kind(kind) for is_kind in _WITHOUT_PLACE):
        return "the values"
    if nested and (is_binary(kind) or pt.is_duration(kind)):
        return f"the {'binary' if is_binary(kind) else 'duration'} values"
    if nested and pt.is_decimal32(kind):  # pyarrow 25 casts other decimals to zeros there
        return "the decimal32 values"
    if pt.is_nested(kind):
        problems = (_problem(kind.field(at).type, True) for at in range(kind.num_fields))
        return next((problem for problem in problems if problem), "")
    return ""


def is_binary(kind: pa.DataType) -> bool:
    return (
        pt.is_binary(kind)
        or pt.is_large_binary(kind)
        or pt.is_fixed_size_binary(kind)
        or pt.is_binary_view(kind)
    )


def is_uuid(kind: pa.DataType) -> bool:
    return isinstance(kind, pa.UuidType)


def is_text(kind: pa.DataType) -> bool:
    return pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind)


def _plain(kind: pa.DataType) -> pa.DataType:
    """The type of the same values that the encoder knows: times of any zone in UTC (offsets of old
    have seconds, which no reader takes), dates without milliseconds, no encodings, no views."""
    if isinstance(kind, pa.BaseExtensionType):
        return _plain(kind.storage_type)
    if pt.is_run_end_encoded(kind):
        return _plain(kind.value_type)
    if pt.is_dictionary(kind):
        inner = _plain(kind.value_type)
        return kind if inner == kind.value_type and not is_binary(inner) else inner
    if pt.is_timestamp(kind) and kind.tz is not None:
        return pa.timestamp(kind.unit, "UTC")
    if pt.is_date64(kind):
        return pa.date32()
    if pt.is_map(kind):
        return pa.map_(_plain(kind.key_type), _plain(kind.item_type))
    if pt.is_struct(kind):
        return pa.struct([field.with_type(_plain(field.type)) for field in kind])
    if is_list(kind):
        inner = _plain(kind.value_type)
        return kind if inner == kind.value_type else pa.list_(kind.value_field.with_type(inner))
    return kind


def is_list(kind: pa.DataType) -> bool:
    return pt.is_list(kind) or pt.is_large_list(kind) or pt.is_fixed_size_list(kind)


# ── values ──────────────────────────────────────────────────────────────────────────────────────


def represented(column: pa.Array) -> pa.Array:
    """A column as the encoder is to see it."""
    if is_uuid(column.type):
        return _each(column.storage, lambda value: str(uuid.UUID(bytes=value)).encode())
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if pt.is_run_end_encoded(column.type):
        column = pc.run_end_decode(column)
    plain = _plain(column.type)
    if plain != column.type:
        column = column.cast(plain)
    if is_binary(column.type):
        return _each(column, lambda value: binascii.b2a_base64(value, newline=False))
    return column


def _each(column: pa.Array, function: Callable[[bytes], bytes]) -> pa.Array:
    values = (None if value is None else function(value) for value in column.to_pylist())
    return pa.array(values, pa.binary()).cast(pa.string())


def check_values(field: pa.Field, column: pa.Array, non_finite_is_null: bool) -> None:
    """Raises `BadRecordError` where JSON can't hold a value of a type that it holds otherwise."""
    for leaf in _leaves(column):
        kind = leaf.type
        if pt.is_floating(kind) and not non_finite_is_null:
            finite = pc.all(pc.is_finite(leaf)).as_py()
            if finite is False:
                raise BadRecordError(
                    f"{field.name}: JSON has no NaN and no infinity; set non_finite=null to write "
                    "null, or replace them before",
                    f"{field.name}: NaN or infinity",
                )
        elif (pt.is_date(kind) or pt.is_timestamp(kind)) and not _has_four_digits(leaf):
            raise BadRecordError(
                f"{field.name}: a date outside of the years 0000 to 9999 can't be written as JSON "
                "(RFC 3339); replace it before",
                f"{field.name}: a date outside of the years 0000 to 9999",
            )


def _has_four_digits(leaf: pa.Array) -> bool:
    kind = leaf.type
    ticks = 1 if pt.is_date32(kind) else 86_400 * _SECONDS[getattr(kind, "unit", "ms")]
    whole = leaf.cast(pa.int32()).cast(pa.int64()) if ticks == 1 else leaf.cast(pa.int64())
    bounds = pc.min_max(whole)
    first, last = bounds["min"].as_py(), bounds["max"].as_py()
    return first is None or (first >= _FIRST_DAY * ticks and last < (_LAST_DAY + 1) * ticks)


def _leaves(array: pa.Array) -> Iterator[pa.Array]:
    """The arrays of values within a column that aren't nested."""
    if isinstance(array, pa.ExtensionArray):
        yield from _leaves(array.storage)
    elif pt.is_run_end_encoded(array.type):
        yield from _leaves(pc.run_end_decode(array))
    elif pt.is_dictionary(array.type):
        if not is_text(array.type.value_type):
            yield from _leaves(array.dictionary_decode())
    elif pt.is_map(array.type):
        yield from _leaves(items_of(array))
    elif pt.is_struct(array.type):
        for child in array.flatten():
            yield from _leaves(child)
    elif is_list(array.type):
        yield from _leaves(array.flatten())
    else:
        yield array


def items_of(maps: pa.MapArray) -> pa.Array:
    """The values of the maps' entries; Arrow's own ``items`` are those before it was sliced."""
    if not len(maps):
        return maps.items[:0]
    bounds = maps.offsets
    return maps.items[bounds[0].as_py() : bounds[-1].as_py()]


# ── back ────────────────────────────────────────────────────────────────────────────────────────

_DURATION = re.compile(r"(-?)PT([0-9]{1,19})(?:[.]([0-9]{1,9}))?S")


def parse_with(kind: pa.DataType) -> Callable[[pa.Array], pa.Array] | None:
    """What makes values of this type of texts, with null for what is none; None for the types that
    Arrow casts texts to."""
    if is_uuid(kind):
        return lambda texts: pa.ExtensionArray.from_storage(
            kind, _decoded(texts, kind.storage_type, _uuid_bytes)
        )
    if is_binary(kind):
        return lambda texts: _decoded(texts, kind, _from_base64)
    if pt.is_duration(kind):
        return lambda texts: _decoded(texts, kind, lambda text: _ticks(text, kind.unit))
    return None


def _decoded(texts: pa.Array, kind: pa.DataType, function: Callable[[str], Any]) -> pa.Array:
    values: list[Any] = [None if text is None else function(text) for text in texts.to_pylist()]
    if pt.is_fixed_size_binary(kind):
        width = kind.byte_width
        values = [value if value is not None and len(value) == width else None for value in values]
    return pa.array(values, kind)


def _from_base64(text: str) -> bytes | None:
    try:
        return binascii.a2b_base64(text.encode(), strict_mode=True)
    except (binascii.Error, ValueError):
        return None


def _uuid_bytes(text: str) -> bytes | None:
    try:
        return uuid.UUID(text).bytes
    except ValueError:
        return None


def _ticks(text: str, unit: str) -> int | None:
    """ISO 8601 of seconds, as arrow-rs writes them: PT5.25S, with a sign ahead, and P0D."""
    if text == "P0D":
        return 0
    found = _DURATION.fullmatch(text)
    if found is None:
        return None
    sign, seconds, fraction = found.groups("")
    nanoseconds = int(seconds) * 10**9 + int(fraction.ljust(9, "0"))
    ticks, rest = divmod(nanoseconds * _SECONDS[unit], 10**9)
    return None if rest or ticks >= 1 << 63 else -ticks if sign else ticks
