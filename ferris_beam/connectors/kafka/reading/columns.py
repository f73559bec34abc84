"""What a message has beside its value, as columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa
from confluent_kafka import Message

SYSTEM = {
    "key": pa.binary(),
    "headers": pa.map_(pa.string(), pa.binary()),
    "timestamp": pa.timestamp("ms", "UTC"),
    "partition": pa.int32(),
    "offset": pa.int64(),
    "topic": pa.string(),
}
"""The types of the columns, whose names begin with ``_``; ``_key`` may also be text."""


def system_fields(names: Sequence[str], key_format: str) -> list[pa.Field]:
    return [
        pa.field(f"_{name}", pa.string() if (name, key_format) == ("key", "string") else kind)
        for name, kind in SYSTEM.items()
        if name in names
    ]


def system_column(field: pa.Field, messages: Sequence[Message]) -> pa.Array:
    """Raises `pa.ArrowInvalid` for a ``_key`` that should be text and is not UTF-8."""
    return _COLUMNS[field.name](messages, field.type)


def timestamps(messages: Sequence[Message]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Milliseconds since 1970; -1 where a message has none."""
    found = map(_VALUE_OF_TIMESTAMP, map(Message.timestamp, messages))
    return np.fromiter(found, np.int64, len(messages))


_VALUE_OF_TIMESTAMP = itemgetter(1)
"""Behind its kind. Maps of C functions take half the time of a loop here."""


def _keys(messages: Sequence[Message], kind: pa.DataType) -> pa.Array:
    return pa.array([message.key() for message in messages], pa.binary()).cast(kind)


def _headers(messages: Sequence[Message], kind: pa.DataType) -> pa.Array:
    return pa.array([message.headers() or [] for message in messages], kind)


def _timestamps(messages: Sequence[Message], kind: pa.DataType) -> pa.Array:
    values = timestamps(messages)
    return pa.array(values, pa.int64(), mask=values < 0).cast(kind)


def _topics(messages: Sequence[Message], kind: pa.DataType) -> pa.Array:
    return pa.array([message.topic() for message in messages], kind)


def _partitions(messages: Sequence[Message], kind: pa.DataType) -> pa.Array:
    return pa.array([message.partition() for message in messages], kind)


def _offsets(messages: Sequence[Message], kind: pa.DataType) -> pa.Array:
    return pa.array([message.offset() for message in messages], kind)


_COLUMNS: dict[str, Callable[[Sequence[Message], pa.DataType], pa.Array]] = {
    "_key": _keys,
    "_headers": _headers,
    "_timestamp": _timestamps,
    "_partition": _partitions,
    "_offset": _offsets,
    "_topic": _topics,
}
