"""The header of a Protobuf message behind the id of its schema: which message of the file it is.

https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html
("wire format"): a list of indexes, the message's among those of the file, then of those inside of
it; each number, and ahead of them how many there are, in zigzag. The first message of a file,
which is the usual one, is a single zero byte.
"""

from __future__ import annotations

from collections.abc import Sequence

from ferris_beam.connectors.kafka.registry import HEADER

FIRST = b"\0"
"""The indexes of the first message of a file."""

_DEEPEST = 32


def indexes_of(value: bytes) -> tuple[tuple[int, ...], int]:
    """The indexes behind the id of a message's schema, and where its content begins.

    Raises `ValueError` where there are none.
    """
    count, at = _number(value, HEADER)
    if not count:
        return (0,), at
    if not 0 < count <= _DEEPEST:
        raise ValueError("no list of indexes")
    found = []
    for _ in range(count):
        index, at = _number(value, at)
        if index < 0:
            raise ValueError("an index below zero")
        found.append(index)
    return tuple(found), at


def header_of_indexes(indexes: Sequence[int]) -> bytes:
    if list(indexes) == [0]:
        return FIRST
    return b"".join(_zigzag(number) for number in (len(indexes), *indexes))


def _number(value: bytes, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        if at >= len(value) or shift > 28:
            raise ValueError("no number")
        byte = value[at]
        result |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return (result >> 1) ^ -(result & 1), at


def _zigzag(number: int) -> bytes:
    left = number << 1  # no index is below zero
    found = bytearray()
    while left >= 0x80:
        found.append(left & 0x7F | 0x80)
        left >>= 7
    found.append(left)
    return bytes(found)
