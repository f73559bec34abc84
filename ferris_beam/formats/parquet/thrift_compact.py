"""Thrift structures in the compact protocol, without a schema: read, change, write.

Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md. A
structure is a dictionary from field number to `Field`; lists keep the type of their items. What is
read is written back as the same bytes, whatever the fields mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)

_INTEGERS = (I16, I32, I64)


class Field(NamedTuple):
    """A field's type on the wire and its value."""

    type: int
    value: Any


Struct = dict[int, Field]


@dataclass
class Sequence:
    """A list or set: the type of its items, and the items."""

    type: int
    items: list[Any]


class Reader:
    """Reads values from ``data``; ``position`` moves behind them."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def struct(self) -> Struct:
        fields: Struct = {}
        number = 0
        while kind := self._byte():
            delta, kind = kind >> 4, kind & 15
            number = number + delta if delta else _unzigzag(self._varint())
            fields[number] = Field(kind, self.value(kind))
        return fields

    def value(self, kind: int) -> Any:
        if kind in (TRUE, FALSE):
            return kind == TRUE
        if kind in _INTEGERS:
            return _unzigzag(self._varint())
        if kind == BINARY:
            return self._bytes(self._varint())
        if kind in (LIST, SET):
            return self._sequence()
        if kind == STRUCT:
            return self.struct()
        if kind == BYTE:
            return self._byte()
        if kind == DOUBLE:
            return self._bytes(8)
        raise ValueError(f"no type {kind} in this protocol, or one that Parquet does not use")

    def _sequence(self) -> Sequence:
        head = self._byte()
        size, kind = head >> 4, head & 15
        if size == 15:
            size = self._varint()
        if kind in (TRUE, FALSE):
            return Sequence(kind, [self._byte() for _ in range(size)])
        return Sequence(kind, [self.value(kind) for _ in range(size)])

    def _byte(self) -> int:
        self.position += 1
        return self.data[self.position - 1]

    def _bytes(self, length: int) -> bytes:
        self.position += length
        return self.data[self.position - length : self.position]

    def _varint(self) -> int:
        result = shift = 0
        while True:
            byte = self._byte()
            result |= (byte & 0x7F) << shift
            if byte < 0x80:
                return result
            shift += 7


def write_struct(fields: Struct) -> bytes:
    out = bytearray()
    _put_struct(out, fields)
    return bytes(out)


def _put_struct(out: bytearray, fields: Struct) -> None:
    last = 0
    for number in sorted(fields):
        kind, value = fields[number]
        if kind in (TRUE, FALSE):
            kind = TRUE if value else FALSE
        if number - last < 16:
            out.append((number - last) << 4 | kind)
        else:
            out.append(kind)
            _put_varint(out, _zigzag(number))
        last = number
        if kind not in (TRUE, FALSE):
            _put(out, kind, value)
    out.append(0)


def _put(out: bytearray, kind: int, value: Any) -> None:
    if kind in _INTEGERS:
        _put_varint(out, _zigzag(value))
    elif kind == BINARY:
        _put_varint(out, len(value))
        out += value
    elif kind in (LIST, SET):
        _put_sequence(out, value)
    elif kind == STRUCT:
        _put_struct(out, value)
    elif kind == DOUBLE:
        out += value
    else:
        out.append(value)


def _put_sequence(out: bytearray, sequence: Sequence) -> None:
    size = len(sequence.items)
    out.append(min(size, 15) << 4 | sequence.type)
    if size >= 15:
        _put_varint(out, size)
    for item in sequence.items:
        _put(out, sequence.type, item)


def _put_varint(out: bytearray, value: int) -> None:
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _unzigzag(value: int) -> int:
    return value >> 1 if not value & 1 else -(value + 1 >> 1)
