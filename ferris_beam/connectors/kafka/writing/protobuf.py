"""Protobuf values, each behind the id of its schema and the message's place in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from ferris_beam.batches.casting import cast_column, explain
from ferris_beam.connectors.kafka.protobuf.compiler import compiled
from ferris_beam.connectors.kafka.protobuf.declaring import proto_of
from ferris_beam.connectors.kafka.protobuf.messages import MessageType, registered_files
from ferris_beam.connectors.kafka.protobuf.wire import header_of_indexes
from ferris_beam.connectors.kafka.registry import NoSuchSchemaError, Registry, header_of
from ferris_beam.connectors.kafka.writing.encoding import ValueEncoder
from ferris_beam.errors import BadRecordError
from ferris_beam.formats.jsonl.representation import items_of

_KIND = "PROTOBUF"


class _Message:
    """What encodes rows of one schema."""

    def __init__(self, type: MessageType, header: bytes) -> None:
        self.handler: Any = type.handler()
        self.schema = type.schema()
        self.header = pa.scalar(header, pa.binary())


class RegisteredProtobufEncoder(ValueEncoder):
    """Registers the schema of the rows, when it is new, under the subject that ``subject`` makes
    of the message's name."""

    def __init__(self, registry: Registry, message: str, subject: Callable[[str], str]) -> None:
        self._registry = registry
        self._message = message
        self._subject = subject(message)
        self._messages: dict[pa.Schema, _Message] = {}

    def encode(self, records: pa.RecordBatch) -> Sequence[bytes]:
        message = self._message_of(records.schema)
        columns = [_fitted(records.column(field.name), field) for field in message.schema]
        made = message.handler.record_batch_to_array(
            pa.record_batch(columns, schema=message.schema)
        )
        nothing = pa.scalar(b"", pa.binary())
        return pc.binary_join_element_wise(message.header, made, nothing).to_pylist()

    def _message_of(self, schema: pa.Schema) -> _Message:
        plain = schema.remove_metadata()
        found = self._messages.get(plain)
        if found is None:
            found = self._messages[plain] = self._registered(plain)
        return found

    def _registered(self, schema: pa.Schema) -> _Message:
        try:
            latest = registered_files(self._registry.latest(self._subject))
        except NoSuchSchemaError:
            latest = None
        text = proto_of(schema, self._message, latest)
        files = compiled(text, {}, f"the schema of the rows, for the subject {self._subject},")
        type = MessageType.found(files, self._message, self._subject)
        id = self._registry.register(self._subject, text, _KIND)
        return _Message(type, header_of(id) + header_of_indexes(type.indexes))


def _fitted(column: pa.Array, field: pa.Field) -> pa.Array:
    """Of exactly the type that the handler knows: it writes nothing for any other one.

    Raises `BadRecordError` for what Protobuf can't tell from something else.
    """
    cast = cast_column(column, field.type, name=field.name)
    if len(cast.bad):
        failure = explain(column, cast.bad, field)[0]
        raise BadRecordError(failure.reason, failure.reason, failure.row)
    for items in _items(cast.column):
        if items.null_count:
            reason = f"{field.name}: a list or a map in Protobuf holds no nulls"
            raise BadRecordError(reason, reason)
    return cast.column


def _items(column: pa.Array) -> Iterator[pa.Array]:
    """The items of all lists and maps within a column."""
    kind = column.type
    if pt.is_struct(kind):
        for child in column.flatten():
            yield from _items(child)
    elif pt.is_map(kind):
        yield items_of(column)
        yield from _items(items_of(column))
    elif pt.is_list(kind):
        yield column.flatten()
        yield from _items(column.flatten())
