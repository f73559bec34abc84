"""How Avro's types are spelled for the decoder, and rows that mark the ends of blocks.

Polars decodes fewer types than Avro has. But what is on the wire is the same for several: a map is
an array of key-value records, an enum and an int are longs, a logical type is nothing but its type,
null takes no bytes. So every schema is spelled in those types that Polars decodes, and what they
stand for is made of them afterwards.
"""

from __future__ import annotations

import itertools
import random
import string
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

from ferris_beam.formats.avro.container import write_long
from ferris_beam.formats.avro.schema import Kind, least_bytes

ENTRY = ("key", "value")


def column_name(at: int) -> str:
    """Of field number ``at`` of a record."""
    return f"f{at}"


def wire_schema(record: Kind) -> dict[str, Any]:
    """The schema for the decoder. Fields that take no bytes are left out."""
    schema = _spell(record, itertools.count())
    assert isinstance(schema, dict)
    return schema


def _spell(kind: Kind, numbers: Iterator[int]) -> Any:
    spelled = _spell_value(kind, numbers)
    if kind.null_at is None:
        return spelled
    return ["null", spelled] if kind.null_at == 0 else [spelled, "null"]


def _spell_value(kind: Kind, numbers: Iterator[int]) -> Any:
    if kind.name in ("int", "long", "enum"):
        return "long"
    if kind.name == "fixed":
        return {"type": "fixed", "name": f"n{next(numbers)}", "size": kind.size}
    if kind.name in ("array", "map"):
        assert kind.items is not None
        items = kind.items if kind.name == "array" else entries(kind)
        return {"type": "array", "items": _spell(items, numbers)}
    if kind.name == "record":
        fields = [
            {"name": column_name(at), "type": _spell(part, numbers)}
            for at, part in enumerate(kind.fields.values())
            if least_bytes(part)
        ]
        return {"type": "record", "name": f"n{next(numbers)}", "fields": fields}
    return kind.name


def entries(kind: Kind) -> Kind:
    """The records that a map is an array of."""
    assert kind.items is not None
    key = Kind("string", kind.arrow.key_type)
    fields = dict(zip(ENTRY, (key, kind.items), strict=True))
    return Kind("record", kind.arrow.field(0).type, fields=fields)


# ── marks ───────────────────────────────────────────────────────────────────────────────────────


class Mark(NamedTuple):
    """A random row, encoded, and how many of its first fields tell it from any other row."""

    encoded: bytes
    fields: int


class _Random(NamedTuple):
    encoded: bytes
    tells: bool
    """Whether nobody has the same value by chance."""


def mark_of(record: Kind) -> Mark:
    """A row to put behind each block: if it is read there, the block's rows filled the block."""
    values = [_random(kind) for kind in record.fields.values()]
    telling = next((at for at, value in enumerate(values) if value.tells), len(values) - 1)
    return Mark(b"".join(value.encoded for value in values), telling + 1)


def _random(kind: Kind) -> _Random:
    value = _random_value(kind)
    if kind.null_at is None:
        return value
    return _Random(write_long(1 - kind.null_at) + value.encoded, value.tells)


def _random_value(kind: Kind) -> _Random:
    draw = random.SystemRandom()
    if kind.name == "record":
        parts = [_random(part) for part in kind.fields.values()]
        return _Random(b"".join(part.encoded for part in parts), any(part.tells for part in parts))
    if kind.name in ("array", "map"):
        assert kind.items is not None
        item = _random(kind.items if kind.name == "array" else entries(kind))
        return _Random(write_long(1) + item.encoded + write_long(0), item.tells)
    if kind.name == "fixed":
        return _Random(draw.randbytes(kind.size), kind.size >= 8)
    if kind.name in ("string", "bytes"):
        text = "".join(draw.choices(string.ascii_letters, k=16)).encode()
        return _Random(write_long(len(text)) + text, True)
    if kind.name in ("int", "long", "enum"):
        return _Random(write_long(draw.getrandbits(62)), True)
    packed = {"null": b"", "boolean": b"\x01"}
    if kind.name in packed:
        return _Random(packed[kind.name], False)
    return _Random(struct.pack("<f" if kind.name == "float" else "<d", draw.random()), True)
