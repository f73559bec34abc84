"""Protobuf: all messages of one type at once, column by column.

A reader of Protobuf needs no writer's schema: fields are known by their numbers, and those that
the reader does not know are skipped. So all versions are decoded with the announced type; the id
of a message only says whether it is of that type.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from ferris_beam.connectors.kafka.decoding.base import Decoded, ValueDecoder
from ferris_beam.connectors.kafka.options import KafkaSourceOptions
from ferris_beam.connectors.kafka.protobuf.messages import (
    MessageType,
    name_at,
    registered_files,
    type_of_class,
    type_of_file,
)
from ferris_beam.connectors.kafka.protobuf.wire import FIRST, indexes_of
from ferris_beam.connectors.kafka.registry import (
    HEADER,
    NoSuchSchemaError,
    Registered,
    Registry,
    id_of,
)
from ferris_beam.errors import FatalError, SchemaError
from ferris_beam.formats.jsonl.representation import items_of
from ferris_beam.formats.text import Flaw

_SIMPLE = HEADER + len(FIRST)
_LIMITS = (-(1 << 63), (1 << 63) - 1)


class ProtobufDecoder(ValueDecoder):
    """Messages of one type; with a ``registry`` they begin with the id of their schema."""

    def __init__(self, announced: pa.Schema, registry: Registry | None) -> None:
        """``announced`` as `MessageType.announcement` makes it."""
        self._type = MessageType.announced(announced)
        self._handler = self._type.handler()
        self._registry = registry
        self._known: dict[bytes, Flaw | None] = {}
        self.schema = announced.remove_metadata()

    def decode(self, values: Sequence[bytes]) -> Decoded:
        if self._registry is None:
            return self._decode(values, range(len(values)), {})
        heads = {value[:_SIMPLE] for value in values}
        if all(head[HEADER:] == FIRST and self._flaw_of(head) is None for head in heads):
            return self._decode([value[_SIMPLE:] for value in values], range(len(values)), {})
        contents, numbers = [], []
        bad: dict[int, Flaw] = {}
        for number, value in enumerate(values):
            content = self._content(value)
            if isinstance(content, Flaw):
                bad[number] = content
            else:
                contents.append(content)
                numbers.append(number)
        return self._decode(contents, numbers, bad)

    # ── headers ─────────────────────────────────────────────────────────────────────────────

    def _content(self, value: bytes) -> bytes | Flaw:
        if id_of(value[:HEADER]) is None:
            return Flaw("does not begin with a zero byte and the id of a schema")
        try:
            _, at = indexes_of(value)
        except ValueError as error:
            return Flaw(f"behind the id of its schema: {error}")
        return self._flaw_of(value[:at]) or value[at:]

    def _flaw_of(self, header: bytes) -> Flaw | None:
        """What is wrong with messages that begin so; ``header`` is whole."""
        if header not in self._known:
            id = id_of(header[:HEADER])
            assert self._registry is not None
            if id is None:
                return Flaw("does not begin with a zero byte and the id of a schema")
            try:
                files = registered_files(self._registry.schema(id))
            except NoSuchSchemaError:  # it may be registered later
                return Flaw(f"the registry has no schema {id}", "schema")
            except FatalError as error:  # it is no Protobuf
                self._known[header] = Flaw(error.message, "schema")
            else:
                name = name_at(files, indexes_of(header)[0])
                self._known[header] = self._other_type(id, name)
        return self._known[header]

    def _other_type(self, id: int, name: str | None) -> Flaw | None:
        if name is None:
            return Flaw(f"schema {id} has no message of this index", "schema")
        if name != self._type.name:
            return Flaw(f"it is a {name}, not a {self._type.name}", "schema")
        return None

    # ── contents ────────────────────────────────────────────────────────────────────────────

    def _decode(
        self, contents: Sequence[bytes], numbers: Sequence[int], bad: dict[int, Flaw]
    ) -> Decoded:
        """In halves where that is needed to find the bad ones."""
        parts = [pa.RecordBatch.from_pylist([], schema=self.schema)]
        spans = [(0, len(contents))] if contents else []
        while spans:
            first, last = spans.pop()
            try:
                parts.append(self._records(contents[first:last]))
            except ValueError as error:
                if last - first == 1:
                    bad[numbers[first]] = Flaw(f"not a {self._type.name}: {error}")
                else:
                    middle = (first + last) // 2
                    spans += [(middle, last), (first, middle)]
        if len(parts) == 2:
            return Decoded(parts[1], bad)
        table = pa.Table.from_batches(parts).combine_chunks()
        return Decoded((table.to_batches() or parts)[0], bad)

    def _records(self, contents: Sequence[bytes]) -> pa.RecordBatch:
        """Raises `ValueError` where one can't be decoded."""
        made = self._handler.list_to_record_batch(list(contents))
        columns = []
        for field, column in zip(self.schema, made.columns, strict=True):
            fitted = column if column.type == field.type else column.cast(field.type)
            _check_limits(field.name, fitted)
            columns.append(fitted)
        return pa.record_batch(columns, schema=self.schema)


def _check_limits(name: str, column: pa.Array) -> None:
    """Times that no int64 of microseconds holds come as the highest one there is."""
    for leaf in _times(column):
        if pc.any(pc.is_in(leaf.cast(pa.int64()), pa.array(_LIMITS, pa.int64()))).as_py():
            raise ValueError(f"{name}: a time that is out of range")


def _times(column: pa.Array) -> Iterator[pa.Array]:
    """The arrays of timestamps and durations within a column."""
    kind = column.type
    if pt.is_timestamp(kind) or pt.is_duration(kind):
        yield column
    elif pt.is_struct(kind):
        for child in column.flatten():
            yield from _times(child)
    elif pt.is_map(kind):
        yield from _times(items_of(column))
    elif pt.is_list(kind):
        yield from _times(column.flatten())


# ── schemas ─────────────────────────────────────────────────────────────────────────────────────


def declared_type(options: KafkaSourceOptions) -> MessageType | None:
    """What options say without a registry."""
    if options.message is not None and ":" in options.message:
        return type_of_class(options.message)
    if options.schema_file is not None:
        return type_of_file(options.schema_file, options.message)
    return None


def registered_type(registered: Sequence[Registered], name: str | None) -> MessageType:
    """The latest of schemas, which must all have this message, by default their first."""
    found = [
        MessageType.found(registered_files(each), name, f"schema {each.id}")
        for each in sorted(registered, key=lambda each: each.id)
    ]
    names = sorted({each.name for each in found})
    if len(names) > 1:
        raise SchemaError(
            f"the schemas {', '.join(str(each.id) for each in registered)} have different "
            f"messages: {', '.join(names)}; read the topics one by one, or name one with message="
        )
    return found[-1]
