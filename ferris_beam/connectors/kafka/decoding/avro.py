"""Avro: all messages of one schema at a time, decoded as a block of a file is.

Values of other schemas than the announced one are resolved by column, as Avro's specification
("schema resolution") has it: columns by name, missing ones by their default, numbers and texts
promoted; columns that were not announced are left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
import pyarrow as pa

from ferris_beam.batches.casting import cast_column, explain
from ferris_beam.connectors.kafka.decoding.base import Decoded, ValueDecoder
from ferris_beam.connectors.kafka.registry import (
    HEADER,
    NoSuchSchemaError,
    Registered,
    Registry,
    id_of,
)
from ferris_beam.errors import FatalError, SchemaError
from ferris_beam.formats.avro.codecs import DamagedBlock
from ferris_beam.formats.avro.decoder import Decoder, Unpacked
from ferris_beam.formats.avro.schema import Kind, parse
from ferris_beam.formats.text import Flaw
from ferris_beam.formats.widening import widened

_DEFAULT = b"default"


class AvroGroup:
    """Decodes the contents of messages that were written with one schema."""

    def __init__(self, record: Kind, schema: pa.Schema) -> None:
        self._names = [name for name in schema.names if name in record.fields]
        self._decoder = Decoder(record, self._names)
        self._schema = schema

    def decode(self, contents: Sequence[bytes]) -> Decoded:
        """In halves where that is needed to find the bad ones."""
        bad: dict[int, Flaw] = {}
        parts = [self._fitted(self._decoder.decode([Unpacked(0, b"")]), 0, {})]
        spans = [(0, len(contents))] if contents else []
        while spans:
            first, last = spans.pop()
            try:
                some = Unpacked(last - first, b"".join(contents[first:last]))
                parts.append(self._fitted(self._decoder.decode([some]), first, bad))
            except DamagedBlock as error:
                if last - first == 1:
                    bad[first] = Flaw(f"not Avro of its schema: {error}")
                else:
                    middle = (first + last) // 2
                    spans += [(middle, last), (first, middle)]
        table = pa.Table.from_batches(parts).combine_chunks()
        return Decoded((table.to_batches() or parts)[0], bad)

    def _fitted(self, records: pa.RecordBatch, first: int, bad: dict[int, Flaw]) -> pa.RecordBatch:
        """With the announced columns; rows that don't fit are bad."""
        columns, failed = [], set[int]()
        for field in self._schema:
            if field.name not in self._names:
                columns.append(_default(field, records.num_rows))
                continue
            given = records.column(field.name)
            cast = cast_column(given, field.type, name=field.name)
            for failure in explain(given, cast.bad, field):
                bad[first + failure.row] = Flaw(failure.reason, "schema")
                failed.add(failure.row)
            columns.append(cast.column)
        made = pa.RecordBatch.from_arrays(columns, schema=self._schema.remove_metadata())
        if not failed:
            return made
        return made.take(pa.array(np.delete(np.arange(made.num_rows), list(failed))))


class PlainAvroDecoder(ValueDecoder):
    """Messages that are nothing but Avro, all of one schema, that of a file."""

    def __init__(self, record: Kind, schema: pa.Schema) -> None:
        self.schema = schema
        self._record = record
        self._group = AvroGroup(record, schema)

    def decode(self, values: Sequence[bytes]) -> Decoded:
        return self._group.decode(values)

    def narrowed(self, columns: Sequence[str]) -> ValueDecoder:
        kept = pa.schema([self.schema.field(name) for name in columns])
        return PlainAvroDecoder(self._record, kept)


class RegisteredAvroDecoder(ValueDecoder):
    """Messages that begin with the id of their schema."""

    def __init__(self, registry: Registry, announced: pa.Schema) -> None:
        """``announced`` has the fields' defaults in their metadata (`announced_schema`)."""
        self._registry = registry
        self._announced = announced
        self.schema = pa.schema([field.remove_metadata() for field in announced])
        self._groups: dict[bytes, AvroGroup | Flaw] = {}

    def narrowed(self, columns: Sequence[str]) -> ValueDecoder:
        kept = pa.schema([self._announced.field(name) for name in columns])
        return RegisteredAvroDecoder(self._registry, kept)

    def decode(self, values: Sequence[bytes]) -> Decoded:
        headers = {value[:HEADER] for value in values}
        if len(headers) == 1:
            return self._decode_alike(headers.pop(), values)
        numbers: dict[bytes, list[int]] = {}
        for number, value in enumerate(values):
            numbers.setdefault(value[:HEADER], []).append(number)
        bad: dict[int, Flaw] = {}
        parts, places = [pa.RecordBatch.from_pylist([], schema=self.schema)], []
        for header, some in numbers.items():
            decoded = self._decode_alike(header, [values[number] for number in some])
            bad.update({some[at]: flaw for at, flaw in decoded.bad.items()})
            parts.append(decoded.records)
            places += [number for at, number in enumerate(some) if at not in decoded.bad]
        table = pa.Table.from_batches(parts).combine_chunks()
        if not table.num_rows:
            return Decoded(parts[0], bad)
        order = pa.array(np.argsort(np.array(places), kind="stable"))
        return Decoded(table.to_batches()[0].take(order), bad)

    def _decode_alike(self, header: bytes, values: Sequence[bytes]) -> Decoded:
        group = self._group(header)
        if isinstance(group, Flaw):
            nothing = pa.RecordBatch.from_pylist([], schema=self.schema)
            return Decoded(nothing, dict.fromkeys(range(len(values)), group))
        return group.decode([value[HEADER:] for value in values])

    def _group(self, header: bytes) -> AvroGroup | Flaw:
        found = self._groups.get(header)
        if found is None:
            id = id_of(header)
            if id is None:
                return Flaw("does not begin with a zero byte and the id of a schema")
            try:
                registered = self._registry.schema(id)
                found = AvroGroup(record_of(registered), self._announced)
            except NoSuchSchemaError:
                return Flaw(f"the registry has no schema {id}", "schema")
            except FatalError as error:  # it has no columns, or is no Avro
                found = Flaw(error.message, "schema")
            self._groups[header] = found
        return found


# ── schemas ─────────────────────────────────────────────────────────────────────────────────────


def record_of(registered: Registered) -> Kind:
    """Raises `SchemaError` for what has no columns, or is no Avro."""
    name = f"schema {registered.id}"
    if registered.kind != "AVRO":
        raise SchemaError(f"{name} is of the kind {registered.kind}, not Avro")
    return parse(json.dumps(_document(registered)), name)


def _document(registered: Registered) -> Any:
    """The schema with the definitions that it refers to put in their places."""
    definitions = {name: _document(each) for name, each in registered.references.items()}
    schema = json.loads(registered.text)
    return _inlined(schema, definitions, "") if definitions else schema


def _inlined(schema: Any, definitions: dict[str, Any], namespace: str) -> Any:
    """Each definition once, where its name stands first; names without a dot are those of the
    namespace around them."""
    if isinstance(schema, str):
        full = schema if "." in schema or not namespace else f"{namespace}.{schema}"
        return definitions.pop(full, definitions.pop(schema, schema))
    if isinstance(schema, list):
        return [_inlined(branch, definitions, namespace) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    space = schema.get("namespace") or schema.get("name", "").rpartition(".")[0] or namespace
    parts = {**schema}
    for name in ("type", "items", "values"):
        if name in parts:
            parts[name] = _inlined(parts[name], definitions, space)
    if "fields" in parts:
        parts["fields"] = [
            {**each, "type": _inlined(each["type"], definitions, space)} for each in parts["fields"]
        ]
    return parts


def announced_schema(registered: Sequence[Registered]) -> pa.Schema:
    """The columns of schemas together, with the defaults of fields in their metadata."""
    schemas = []
    for each in registered:
        record = record_of(each)
        defaults = _defaults(json.loads(each.text))
        schemas.append(
            pa.schema([_field(name, kind, defaults) for name, kind in record.fields.items()])
        )
    try:
        return reduce(widened, schemas)
    except TypeError as error:
        raise SchemaError(
            f"the schemas {', '.join(str(each.id) for each in registered)} have columns of "
            f"types that have nothing in common: {error}; read the topics one by one"
        ) from error


def plain_schema(record: Kind) -> pa.Schema:
    return pa.schema([(name, kind.arrow) for name, kind in record.fields.items()])


def _field(name: str, kind: Kind, defaults: Mapping[str, str]) -> pa.Field:
    metadata = {_DEFAULT: defaults[name].encode()} if name in defaults else None
    return pa.field(name, kind.arrow, metadata=metadata)


def _defaults(schema: Any) -> dict[str, str]:
    """The defaults of a record's fields, in JSON."""
    fields = schema.get("fields", ()) if isinstance(schema, dict) else ()
    return {each["name"]: json.dumps(each["default"]) for each in fields if "default" in each}


def _default(field: pa.Field, rows: int) -> pa.Array:
    """The column of a field that the writer did not have; null where its default is no plain
    value."""
    value = json.loads((field.metadata or {}).get(_DEFAULT, b"null"))
    if isinstance(value, (str, int, float, bool)):
        if isinstance(value, str) and not pa.types.is_string(field.type):
            value = value.encode("latin-1")
        try:
            return pa.repeat(pa.scalar(value).cast(field.type), rows)
        except pa.ArrowException:
            pass
    return pa.nulls(rows, field.type)
