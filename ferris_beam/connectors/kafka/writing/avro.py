"""Avro values, each behind the id of its schema."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.connectors.kafka.registry import Registry, header_of
from ferris_beam.connectors.kafka.writing.encoding import ValueEncoder
from ferris_beam.formats.avro.encoder import encoded_rows
from ferris_beam.formats.avro.mapping import avro_schema


class RegisteredAvroEncoder(ValueEncoder):
    """Registers the schema of the rows, when it is new, under the subject that ``subject`` makes
    of the record's full name."""

    def __init__(self, registry: Registry, record: str, subject: Callable[[str], str]) -> None:
        self._registry = registry
        self._record = record
        self._subject = subject
        self._headers: dict[pa.Schema, bytes] = {}

    def encode(self, records: pa.RecordBatch) -> Sequence[bytes]:
        header = pa.scalar(self._header(records.schema), pa.large_binary())
        nothing = pa.scalar(b"", pa.large_binary())
        values = pc.binary_join_element_wise(header, encoded_rows(records), nothing)
        return values.to_pylist()

    def _header(self, schema: pa.Schema) -> bytes:
        plain = schema.remove_metadata()
        found = self._headers.get(plain)
        if found is None:
            document = {**avro_schema(plain), "name": self._record}
            id = self._registry.register(
                self._subject(self._record), json.dumps(document, separators=(",", ":")), "AVRO"
            )
            found = self._headers[plain] = header_of(id)
        return found


def record_name(topic: str) -> str:
    """Of the rows of a topic: Avro's names are letters, digits and ``_``."""
    name = "".join(char if char.isascii() and char.isalnum() else "_" for char in topic)
    return name if not name[:1].isdigit() else f"_{name}"
