"""A type of messages: its descriptors, its columns, and what decodes and encodes it.

Columns are those of ptars, which reads and writes Protobuf's wire format column by column: a
message within a message is a struct, ``repeated`` a list, a map a map; an enum is the text of its
name (of a number that has none, the number's); Google's Timestamp is a timestamp, Duration a
duration, Date a date, and a wrapper (Int64Value) what it wraps. A message within itself is its
bytes. Everything may be null, although only fields with presence ever are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.types as pt
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError

from ferris_beam.connectors.kafka.protobuf.compiler import compiled, compiled_file
from ferris_beam.connectors.kafka.registry import Registered
from ferris_beam.errors import ConfigurationError, MissingDependencyError, SchemaError

_FILES, _NAME = b"protobuf.files", b"protobuf.message"


@dataclass(frozen=True)
class MessageType:
    """A message by its full name, in a serialised ``FileDescriptorSet`` that has all it needs;
    ``indexes`` are its place in the last file."""

    files: bytes
    name: str
    indexes: tuple[int, ...] = (0,)

    @classmethod
    def found(cls, files: FileDescriptorSet, name: str | None, where: str) -> MessageType:
        """The message of this name in any of the files; without a name the first of the last file.

        Raises `ConfigurationError` where there is none.
        """
        names = list(_messages(files.file[-1]))
        if name is None:
            if not names:
                raise ConfigurationError(f"{where} has no message")
            return cls(files.SerializeToString(), names[0][0], names[0][1])
        for file in reversed(files.file):
            for each, indexes in _messages(file):
                if each == name:
                    return cls(files.SerializeToString(), name, indexes)
        there = ", ".join(each for each, _ in names)
        raise ConfigurationError(f"message={name}: {where} has no such message; it has {there}")

    @classmethod
    def announced(cls, schema: pa.Schema) -> MessageType:
        """Of a schema as `announcement` made it."""
        return cls(schema.metadata[_FILES], schema.metadata[_NAME].decode())

    def announcement(self) -> pa.Schema:
        """The columns; their metadata hold the type, so that workers need nothing else."""
        return self.schema().with_metadata({_FILES: self.files, _NAME: self.name.encode()})

    def schema(self) -> pa.Schema:
        return loosened(self.handler().schema())

    def handler(self) -> Any:
        """What decodes and encodes; it can't be pickled."""
        try:
            import ptars
        except ModuleNotFoundError as error:
            raise MissingDependencyError.of("ptars", "format=protobuf") from error
        pool = DescriptorPool()
        for file in FileDescriptorSet.FromString(self.files).file:
            pool.AddSerializedFile(file.SerializeToString())
        descriptor = pool.FindMessageTypeByName(self.name)
        config = ptars.PtarsConfig(
            timestamp_unit="us",
            duration_unit="us",
            time_unit="us",
            enum_repr="string",
            list_nullable=True,
            map_nullable=True,
            list_value_nullable=True,
            map_value_nullable=True,
        )
        return ptars.HandlerPool([descriptor.file], config).get_for_message(descriptor)


# ── where types come from ───────────────────────────────────────────────────────────────────────


def registered_files(registered: Registered) -> FileDescriptorSet:
    """Raises `SchemaError` for what is no Protobuf."""
    where = f"schema {registered.id}"
    if registered.kind != "PROTOBUF":
        raise SchemaError(f"{where} is of the kind {registered.kind}, not Protobuf")
    return compiled(registered.text, _imports(registered), where)


def name_at(files: FileDescriptorSet, indexes: Sequence[int]) -> str | None:
    """The full name of the message at this place of the last file; None where there is none."""
    places = {found: name for name, found in _messages(files.file[-1])}
    return places.get(tuple(indexes))


def type_of_file(path: str, name: str | None) -> MessageType:
    """Of a ``.proto``, or of a set of descriptors, as ``protoc --descriptor_set_out`` writes it."""
    place = f"schema_file={path}"
    try:
        content = Path(path).read_bytes()
        if path.endswith(".proto"):
            return MessageType.found(compiled_file(Path(path)), name, path)
        files = FileDescriptorSet.FromString(content)
    except OSError as error:
        raise ConfigurationError(f"{place} can't be read: {error}") from error
    except DecodeError as error:
        raise ConfigurationError(
            f"{place} is neither a .proto nor a set of descriptors; write one with protoc "
            "--include_imports --descriptor_set_out="
        ) from error
    if not files.file:
        raise ConfigurationError(f"{place} has no message")
    return MessageType.found(files, name, path)


def type_of_class(dotted: str) -> MessageType:
    """Of a class that protoc generated, as ``package.module:Class``."""
    module, _, name = dotted.partition(":")
    try:
        found: Any = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
        descriptor = found.DESCRIPTOR
        file: FileDescriptor = descriptor.file
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(
            f"message={dotted} is no class of a Protobuf message that can be imported: {error}"
        ) from error
    files = FileDescriptorSet()
    _add(file, files)
    return MessageType.found(files, str(descriptor.full_name), dotted)


def _add(file: FileDescriptor, files: FileDescriptorSet) -> None:
    for needed in file.dependencies:
        _add(needed, files)
    if file.name not in {each.name for each in files.file}:
        file.CopyToProto(files.file.add())


def _imports(registered: Registered) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, each in registered.references.items():
        found |= {**_imports(each), name: each.text}
    return found


def _messages(file: FileDescriptorProto) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Full names and places of all messages of a file, outer ones first."""
    yield from _inside(file.message_type, file.package, ())


def _inside(
    messages: Sequence[DescriptorProto], prefix: str, place: tuple[int, ...]
) -> Iterator[tuple[str, tuple[int, ...]]]:
    for number, message in enumerate(messages):
        name = f"{prefix}.{message.name}" if prefix else message.name
        yield name, (*place, number)
        yield from _inside(message.nested_type, name, (*place, number))


# ── columns ─────────────────────────────────────────────────────────────────────────────────────


def loosened(schema: pa.Schema) -> pa.Schema:
    """The same columns, all of which may be null, also inside."""
    return pa.schema([_loose(field) for field in schema])


def _loose(field: pa.Field) -> pa.Field:
    return pa.field(field.name, _loose_type(field.type))


def _loose_type(kind: pa.DataType) -> pa.DataType:
    if pt.is_struct(kind):
        return pa.struct([_loose(field) for field in kind])
    if pt.is_list(kind):
        return pa.list_(_loose(kind.value_field))
    if pt.is_map(kind):
        return pa.map_(kind.key_type, _loose_type(kind.item_type))
    return kind
