"""Which columns are key, headers, partition and timestamp of a message, and which its value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.batches.casting import cast_column
from ferris_beam.connectors.kafka.options import KafkaSinkOptions
from ferris_beam.connectors.kafka.writing.encoding import JsonEncoder, ValueEncoder
from ferris_beam.errors import BadRecordError, SchemaError

_SYSTEM = ("_key", "_headers", "_timestamp", "_partition", "_offset", "_topic")
UNASSIGNED = -1
"""A partition that is not said."""

_OVERHEAD = 100
"""Bytes that a batch of one message adds to its key, value and headers."""


@dataclass(frozen=True, slots=True)
class Messages:
    """Encoded messages, part by part; a part that is None is left to the broker."""

    values: Sequence[bytes | None]
    keys: Sequence[bytes | None] | None
    partitions: Sequence[int | None] | None
    timestamps: Sequence[int | None] | None
    headers: Sequence[list[tuple[str, bytes | None]] | None] | None
    nbytes: int

    def __len__(self) -> int:
        return len(self.values)

    def batches(self) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        """Partition and messages as `Producer.produce_batch` takes them, which knows neither
        headers nor timestamps, and one partition for all; `UNASSIGNED` leaves it to the key."""
        documents: list[dict[str, Any]]
        if self.keys is None:
            documents = [{"value": value} for value in self.values]
        else:
            pairs = zip(self.values, self.keys, strict=True)
            documents = [{"value": value, "key": key} for value, key in pairs]
        if self.partitions is None:
            yield UNASSIGNED, documents
            return
        places: dict[int, list[dict[str, Any]]] = {}
        for document, number in zip(documents, self.partitions, strict=True):
            places.setdefault(UNASSIGNED if number is None else number, []).append(document)
        yield from places.items()

    def one_by_one(self) -> Iterator[dict[str, Any]]:
        """As `Producer.produce` takes them."""
        for at, value in enumerate(self.values):
            message: dict[str, Any] = {"value": value}
            for name, part in (("key", self.keys), ("headers", self.headers)):
                if part is not None and part[at] is not None:
                    message[name] = part[at]
            for name, numbers in (("partition", self.partitions), ("timestamp", self.timestamps)):
                if numbers is not None and numbers[at] is not None:
                    message[name] = numbers[at]
            yield message


class MessageMaker:
    """Makes messages of rows, for one topic."""

    def __init__(
        self, options: KafkaSinkOptions, encoder: ValueEncoder, limit: int, partitions: int
    ) -> None:
        """``limit``: bytes of the largest message; ``partitions``: how many the topic has."""
        self._options = options
        self._encoder = encoder
        self._keys = JsonEncoder("null")
        self._limit = limit
        self._partitions = partitions

    def messages(self, records: pa.RecordBatch) -> Messages:
        """Raises `BadRecordError` for a row that can't be a message, `SchemaError` for columns
        that can't be what options say."""
        self._check_columns(records.schema)
        kept = [name for name in records.schema.names if name not in _SYSTEM]
        value = records.select(kept)
        keys = self._key(records)
        values = list(self._encoder.encode(value))
        if self._options.tombstones:
            for at in self._tombstones(value):
                values[at] = None
        made = Messages(
            values,
            keys,
            self._partition(records),
            self._timestamp(records),
            self._header(records),
            0,
        )
        return replace(made, nbytes=self._checked_size(made))

    def _check_columns(self, schema: pa.Schema) -> None:
        options = self._options
        named = [*options.key, options.partition, options.headers, options.timestamp]
        for name in named:
            if name is not None and name not in schema.names:
                raise SchemaError(
                    f"there is no column {name!r} to take a message's part from; there are "
                    f"{', '.join(schema.names)}"
                )

    def _key(self, records: pa.RecordBatch) -> list[bytes | None] | None:
        names = self._options.key or (("_key",) if "_key" in records.schema.names else ())
        if not names:
            return None
        if len(names) > 1:
            return list(self._keys.encode(records.select(list(names))))
        column = records.column(names[0])
        kind = column.type
        if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            return column.to_pylist()
        if pa.types.is_nested(kind) or pa.types.is_floating(kind):
            raise SchemaError(
                f"key={names[0]}: a {kind} is no key; cast the column to a text or to bytes"
            )
        try:
            return column.cast(pa.string()).cast(pa.binary()).to_pylist()
        except pa.ArrowException as error:
            raise SchemaError(f"key={names[0]}: {kind} can't be a key ({error})") from error

    def _tombstones(self, value: pa.RecordBatch) -> list[int]:
        nulls = pa.array([True] * value.num_rows)
        for name, column in zip(value.schema.names, value.columns, strict=True):
            if name not in self._options.key:
                nulls = pc.and_(nulls, column.is_null())
        return pc.indices_nonzero(nulls).to_pylist()

    def _partition(self, records: pa.RecordBatch) -> list[int | None] | None:
        name = self._options.partition
        if name is None:
            return None
        column = records.column(name)
        if not pa.types.is_integer(column.type):
            raise SchemaError(f"partition={name}: the column is {column.type}, not an integer")
        numbers: list[int | None] = column.to_pylist()
        for row, number in enumerate(numbers):
            if number is not None and not 0 <= number < self._partitions:
                raise BadRecordError(
                    f"{name}: there is no partition {number}; there are {self._partitions}",
                    "no such partition",
                    row,
                )
        return numbers

    def _timestamp(self, records: pa.RecordBatch) -> list[int | None] | None:
        name = self._options.timestamp or _there(records, "_timestamp")
        if name is None:
            return None
        column = records.column(name)
        if not pa.types.is_timestamp(column.type):
            raise SchemaError(f"timestamp={name}: the column is {column.type}, not a timestamp")
        millis = column.cast(pa.timestamp("ms", column.type.tz), safe=False).view(pa.int64())
        found: list[int | None] = millis.to_pylist()
        for row, value in enumerate(found):
            if value is not None and value < 0:
                raise BadRecordError(
                    f"{name}: a message can't be older than 1970", "before 1970", row
                )
        return found

    def _header(
        self, records: pa.RecordBatch
    ) -> list[list[tuple[str, bytes | None]] | None] | None:
        name = self._options.headers or _there(records, "_headers")
        if name is None:
            return None
        column = records.column(name)
        kind = column.type
        if not pa.types.is_map(kind):
            raise SchemaError(f"headers={name}: the column is {kind}, not a map of texts")
        wanted = pa.map_(pa.string(), pa.binary())
        try:
            return cast_column(column, wanted, name=name).column.to_pylist()
        except pa.ArrowException as error:
            raise SchemaError(f"headers={name}: {kind} is no map of texts: {error}") from error

    def _checked_size(self, made: Messages) -> int:
        """The bytes of all; raises for the first message that is too large."""
        sizes = [len(value) if value is not None else 0 for value in made.values]
        if made.keys is not None:
            sizes = [s + len(key or b"") for s, key in zip(sizes, made.keys, strict=True)]
        if made.headers is not None:
            sizes = [s + _size(header) for s, header in zip(sizes, made.headers, strict=True)]
        largest = max(sizes, default=0)
        if largest + _OVERHEAD > self._limit:
            row = sizes.index(largest)
            raise BadRecordError(
                f"a message of {largest:,} bytes is too large: the topic's max.message.bytes is "
                f"{self._limit:,}",
                "message too large",
                row,
            )
        return sum(sizes)


def _there(records: pa.RecordBatch, name: str) -> str | None:
    return name if name in records.schema.names else None


def _size(headers: Sequence[tuple[str, bytes | None]] | None) -> int:
    return sum(len(name) + len(value or b"") + 4 for name, value in headers or ())
