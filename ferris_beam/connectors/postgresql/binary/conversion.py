"""Arrow's many types to the one that each type of the server is encoded from."""

from __future__ import annotations

import binascii
import io

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from ferris_beam.connectors.postgresql.binary.encode_scalars import CANONICAL, Unfit
from ferris_beam.connectors.postgresql.binary.values import Mask
from ferris_beam.formats.avro.columns import uuid_texts
from ferris_beam.formats.jsonl.writer import JsonLinesWriter

_INTEGERS = ("int2", "int4", "int8", "oid")
_UUID_DIGITS = 32
_DOCUMENT = len('{"v":'), len("}")


def plain(values: pa.Array) -> pa.Array:
    """Without encodings, views, 64-bit offsets and extension types, UUIDs excepted."""
    kind = values.type
    if pt.is_dictionary(kind):
        return plain(values.dictionary_decode())
    if pt.is_run_end_encoded(kind):
        return plain(pc.run_end_decode(values))
    if isinstance(values, pa.ExtensionArray) and not is_uuid(kind):
        return plain(values.storage)
    if pt.is_large_string(kind) or pt.is_string_view(kind):
        return values.cast(pa.string())
    if is_bytes(kind) and kind != pa.binary():
        return values.cast(pa.binary())
    return values


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type that `plain` makes of one."""
    return plain(pa.nulls(0, kind)).type


def is_uuid(kind: pa.DataType) -> bool:
    return isinstance(kind, pa.UuidType)


def is_bytes(kind: pa.DataType) -> bool:
    return any(
        check(kind)
        for check in (pt.is_binary, pt.is_large_binary, pt.is_binary_view, pt.is_fixed_size_binary)
    )


def accepts(name: str, kind: pa.DataType) -> bool:
    """Whether values of a plain type go into a scalar type of the server as they are meant."""
    number = pt.is_integer(kind) or pt.is_decimal(kind)
    if pt.is_null(kind) or name in ("json", "jsonb"):
        return True
    if name in _INTEGERS:
        return number
    if name in ("float4", "float8"):
        return number or pt.is_floating(kind)
    if name == "numeric":
        return number or pt.is_floating(kind) or pt.is_string(kind)
    checks = {
        "bool": pt.is_boolean,
        "bytea": is_bytes,
        "uuid": lambda kind: is_uuid(kind) or pt.is_string(kind),
        "date": pt.is_date,
        "time": pt.is_time,
        "timestamp": lambda kind: pt.is_timestamp(kind) or pt.is_date(kind),
        "timestamptz": lambda kind: pt.is_timestamp(kind) or pt.is_date(kind),
        "interval": lambda kind: pt.is_interval(kind) or pt.is_duration(kind),
    }
    check = checks.get(name)
    if check is not None:
        return bool(check(kind))
    return pt.is_string(kind) or is_uuid(kind) or number or pt.is_boolean(kind)  # a text


def converted(name: str, values: pa.Array) -> pa.Array:
    """Plain values as `CANONICAL` of the server's type, strings for texts; raises `Unfit`."""
    kind = values.type
    if name in ("json", "jsonb") and not (pt.is_string(kind) or pt.is_null(kind)):
        return _documents(values)
    if name == "uuid" and not pt.is_null(kind):
        return values.storage if is_uuid(kind) else _uuids(values)
    if is_uuid(kind):
        return uuid_texts(values.storage)
    if pt.is_duration(kind):
        return _intervals(values)
    if name in ("timestamp", "timestamptz", "time") and not pt.is_null(kind):
        return _times(CANONICAL[name], values)
    return _cast(values, CANONICAL.get(name, pa.string()))


def _cast(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """A cast that loses nothing; `Unfit` for the first value of which it would."""
    if values.type == kind:
        return values
    try:
        return values.cast(kind, safe=not pt.is_floating(kind))
    except pa.ArrowInvalid as error:
        raise Unfit(_first_bad(values, kind), f"the value doesn't fit: {error}") from None


def _first_bad(values: pa.Array, kind: pa.DataType) -> Mask:
    """Halves what may be at fault until one value is left."""
    start, end = 0, len(values)
    while end - start > 1:
        middle = (start + end) // 2
        try:
            values[start:middle].cast(kind)
            start = middle
        except pa.ArrowInvalid:
            end = middle
    return np.arange(len(values)) == start


def _times(to: pa.DataType, values: pa.Array) -> pa.Array:
    """Microseconds, as PostgreSQL has them: nanoseconds behind those are dropped. Timestamps
    without a zone count as UTC, as everywhere on these connections."""
    if pt.is_date(values.type):
        values = _cast(values, pa.timestamp("s"))
    if pt.is_timestamp(values.type):  # the same instants under the zone that is wanted
        values = values.cast(pa.int64()).cast(pa.timestamp(values.type.unit, to.tz))
    if values.type.unit == "ns":
        numbers = values.cast(pa.int64())
        floored = pc.subtract(numbers, _modulo(numbers, 1000))
        values = floored.cast(values.type)
    return _cast(values, to)


def _modulo(numbers: pa.Array, divisor: int) -> pa.Array:
    """What is above the next lower multiple."""
    found = np.mod(numbers.fill_null(0).to_numpy(zero_copy_only=False), divisor)
    return pa.array(found)


def _intervals(values: pa.Array) -> pa.Array:
    nanoseconds = _cast(values, pa.duration("ns"))
    parts = np.zeros(len(values), [("months", "i4"), ("days", "i4"), ("nanoseconds", "i8")])
    parts["nanoseconds"] = nanoseconds.fill_null(0).to_numpy(zero_copy_only=False).view("i8")
    bitmap = None
    if values.null_count:
        present = values.is_valid().to_numpy(zero_copy_only=False)
        bitmap = pa.py_buffer(np.packbits(present, bitorder="little"))
    kind = pa.month_day_nano_interval()
    return pa.Array.from_buffers(kind, len(values), [bitmap, pa.py_buffer(parts)])


def _uuids(values: pa.Array) -> pa.Array:
    """Texts with or without hyphens and braces, in either case, as uuid_in takes them."""
    digits = pc.replace_substring_regex(values, "[-{}]", "")
    good = pc.match_substring_regex(digits, f"^[0-9a-fA-F]{{{_UUID_DIGITS}}}$")
    bad = ~pc.fill_null(good, True).to_numpy(zero_copy_only=False)
    if bad.any():
        raise Unfit(bad, "the text is not a UUID")
    present = values.is_valid().to_numpy(zero_copy_only=False)
    data = binascii.unhexlify("".join(digits.fill_null("0" * _UUID_DIGITS).to_pylist()))
    bitmap = pa.py_buffer(np.packbits(present, bitorder="little"))
    return pa.Array.from_buffers(pa.binary(16), len(values), [bitmap, pa.py_buffer(data)])


def _documents(values: pa.Array) -> pa.Array:
    """Each value as JSON."""
    lines = io.BytesIO()
    records = pa.RecordBatch.from_arrays([values], ["v"])
    JsonLinesWriter(lines, records.schema).write(records)
    before, behind = _DOCUMENT
    texts = [line[before:-behind] for line in lines.getvalue().splitlines()]
    mask = ~values.is_valid().to_numpy(zero_copy_only=False)
    return pa.array(texts, pa.binary(), mask=mask).cast(pa.string())
