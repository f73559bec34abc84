"""Messages to the rows of a batch: value, system columns, rejected messages, event times."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from confluent_kafka import Message

from ferris_beam.connector import Reject
from ferris_beam.connectors.kafka.decoding.base import Decoded, ValueDecoder
from ferris_beam.connectors.kafka.reading.columns import (
    system_column,
    system_fields,
    timestamps,
)
from ferris_beam.errors import ConfigurationError, SchemaError
from ferris_beam.formats.text import Flaw


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of some messages; ``times`` are the event times in microseconds since 1970."""

    records: pa.RecordBatch
    rejects: Sequence[Reject]
    times: np.ndarray


class RowMaker:
    """Makes rows of messages; ``schema`` has the value's columns, then those of the system."""

    def __init__(
        self,
        decoder: ValueDecoder,
        system: Sequence[str],
        key_format: str,
        tombstones: str,
        event_time: str | None,
    ) -> None:
        self._decoder = decoder
        self._system = system_fields(system, key_format)
        self._keeps_tombstones = tombstones == "null"
        self._event_time = event_time
        names = [*decoder.schema.names, *(field.name for field in self._system)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ConfigurationError(
                f"messages have the column {twice[0]!r} of their own; leave it out of metadata="
            )
        self.schema = pa.schema([*decoder.schema, *self._system])
        if event_time is not None:
            _check_time(self.schema, event_time)

    def rows(self, messages: Sequence[Message]) -> Rows:
        values: list[Any] = list(map(Message.value, messages))
        present = None
        if None in values:
            present = np.array([value is not None for value in values], bool)
            values = [value for value in values if value is not None]
        decoded = self._decoder.decode(values)
        bad = dict(decoded.bad)
        if present is not None:
            numbers = np.flatnonzero(present)
            bad = {int(numbers[at]): flaw for at, flaw in bad.items()}
        records, kept = self._together(decoded, present, bad, messages)
        rejects = [_reject(messages[at], bad[at]) for at in sorted(bad)] if bad else []
        return Rows(records, rejects, self._times(records, kept))

    def _together(
        self,
        decoded: Decoded,
        present: np.ndarray | None,
        bad: dict[int, Flaw],
        messages: Sequence[Message],
    ) -> tuple[pa.RecordBatch, Sequence[Message]]:
        """The rows of good messages and of those without a value, and these messages."""
        records, kept = decoded.records, messages
        if bad or present is not None:
            chosen = np.ones(len(messages), bool)
            chosen[list(bad)] = False
            if present is not None and not self._keeps_tombstones:
                chosen &= present
            kept = [messages[at] for at in np.flatnonzero(chosen).tolist()]
            if present is not None and self._keeps_tombstones:
                records = _with_nulls(records, present[chosen])
        if not self._system:
            return records, kept
        columns, kept, records = self._system_columns(records, kept, bad, messages)
        return pa.record_batch([*records.columns, *columns], schema=self.schema), kept

    def _system_columns(
        self,
        records: pa.RecordBatch,
        kept: Sequence[Message],
        bad: dict[int, Flaw],
        messages: Sequence[Message],
    ) -> tuple[list[pa.Array], Sequence[Message], pa.RecordBatch]:
        try:
            return [system_column(field, kept) for field in self._system], kept, records
        except pa.ArrowInvalid:
            fine = np.array([_is_text(message.key()) for message in kept], bool)
            number_of = {id(message): at for at, message in enumerate(messages)}
            for at in np.flatnonzero(~fine).tolist():
                bad[number_of[id(kept[at])]] = Flaw("its key is not UTF-8; set key_format=bytes")
            kept = [kept[at] for at in np.flatnonzero(fine).tolist()]
            columns = [system_column(field, kept) for field in self._system]
            return columns, kept, records.filter(pa.array(fine))

    def _times(self, records: pa.RecordBatch, kept: Sequence[Message]) -> np.ndarray:
        if self._event_time is None:
            found = timestamps(kept)
            return found[found >= 0] * 1000
        column = records.column(self._event_time).drop_null()
        if pa.types.is_date(column.type):
            column = column.cast(pa.timestamp("us"))
        micros = column.cast(pa.timestamp("us", column.type.tz), safe=False).view(pa.int64())
        return micros.to_numpy()


class Watermark:
    """The highest event time of a partition so far, and what is promised because of it."""

    def __init__(self, out_of_orderness: int, max_future: int, mark: str) -> None:
        """``out_of_orderness`` and ``max_future`` in microseconds; ``mark`` as `advance` gave
        it."""
        self._late, self._future = out_of_orderness, max_future
        self.highest = int(mark) if mark else None

    def advance(self, times: np.ndarray) -> None:
        """Times too far ahead of the clock don't count."""
        believed = times[times <= time.time() * 1_000_000 + self._future]
        if len(believed):
            top = int(believed.max())
            self.highest = top if self.highest is None else max(self.highest, top)

    @property
    def mark(self) -> str:
        return "" if self.highest is None else str(self.highest)

    @property
    def promised(self) -> int | None:
        return None if self.highest is None else self.highest - self._late


def _check_time(schema: pa.Schema, name: str) -> None:
    at = schema.get_field_index(name)
    if at < 0:
        raise ConfigurationError(
            f"event_time={name}: there is no such column; there are {', '.join(schema.names)}"
        )
    kind = schema.field(at).type
    if not (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
        raise SchemaError(
            f"event_time={name}: the column is {kind}, not a timestamp; say so with "
            f"types={name}:timestamptz"
        )


def _with_nulls(records: pa.RecordBatch, present: np.ndarray) -> pa.RecordBatch:
    """A row of nulls wherever ``present`` is false."""
    places = pa.array(np.cumsum(present) - 1, mask=~present)
    nullable = pa.schema([field.with_nullable(True) for field in records.schema])
    if not records.num_rows:
        columns = [pa.nulls(len(present), field.type) for field in records.schema]
    else:
        columns = [column.take(places) for column in records.columns]
    if not columns:
        return records
    return pa.record_batch(columns, schema=nullable)


def _is_text(key: bytes | str | None) -> bool:
    try:
        pc.cast(pa.array([key], pa.binary()), pa.string())
    except pa.ArrowInvalid:
        return False
    return True


def _reject(message: Message, flaw: Flaw) -> Reject:
    """The value's bytes; where there are none to show, the whole message in JSON."""
    offset = message.offset() or 0
    value = message.value()
    payload = value if isinstance(value, bytes) and value else _document(message)
    place = f"offset {offset:,} of {message.topic()} [{message.partition()}]"
    return Reject(offset, place, flaw.reason, payload, flaw.category)


def _document(message: Message) -> bytes:
    def text(part: bytes | str | None) -> str | None:
        return b64encode(part).decode() if isinstance(part, bytes) else part

    return json.dumps(
        {"key_base64": text(message.key()), "value_base64": text(message.value())}
    ).encode()
