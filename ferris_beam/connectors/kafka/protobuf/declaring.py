"""Arrow's types as Protobuf's: the ``.proto`` that rows are written with.

Everything may be null: single values are ``optional``. A null list or map is an empty one, since
Protobuf knows no difference; what can't be told apart from another value inside of a list (null)
is refused by the encoder. Columns keep the numbers that they have in the subject's latest version.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.types as pt
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorSet

from ferris_beam.errors import SchemaError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SIMPLE = {
    pa.bool_(): "bool",
    pa.int8(): "int32",
    pa.int16(): "int32",
    pa.int32(): "int32",
    pa.int64(): "int64",
    pa.uint8(): "uint32",
    pa.uint16(): "uint32",
    pa.uint32(): "uint32",
    pa.uint64(): "uint64",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.string(): "string",
    pa.large_string(): "string",
    pa.string_view(): "string",
    pa.binary(): "bytes",
    pa.large_binary(): "bytes",
    pa.binary_view(): "bytes",
}
_TIMESTAMP = ("google.protobuf.Timestamp", "google/protobuf/timestamp.proto")
_DURATION = ("google.protobuf.Duration", "google/protobuf/duration.proto")
_DATE = ("google.type.Date", "google/type/date.proto")
_KEYS = ("bool", "int32", "int64", "uint32", "uint64", "string")
_FIRST_RESERVED, _LAST_RESERVED = 19_000, 19_999
"""Numbers that belong to Protobuf itself."""


@dataclass
class _File:
    imports: set[str] = field(default_factory=set)


def proto_of(schema: pa.Schema, message: str, latest: FileDescriptorSet | None = None) -> str:
    """The text of a file with one message of these columns.

    Raises `SchemaError` for names and types that Protobuf lacks.
    """
    known = None
    if latest is not None:
        there = {each.name: each for each in latest.file[-1].message_type}
        known = there.get(message)
    file = _File()
    body = _message(list(schema), message, known, file, "")
    imports = "".join(f'import "{name}";\n' for name in sorted(file.imports))
    return f'syntax = "proto3";\n\n{imports}{chr(10) if imports else ""}{body}'


def _message(
    fields: Sequence[pa.Field], name: str, known: DescriptorProto | None, file: _File, indent: str
) -> str:
    numbers = _numbers([each.name for each in fields], known)
    nested = {each.name: each for each in known.nested_type} if known is not None else {}
    lines = [f"{indent}message {name} {{\n"]
    inside = indent + "  "
    for each in fields:
        if not _NAME.fullmatch(each.name):
            raise SchemaError(
                f"column {each.name!r}: a name in Protobuf has letters, digits and '_', and does "
                "not begin with a digit; rename it"
            )
        inner = f"{each.name}_message"
        struct = _struct_of(each.type)
        if struct is not None:
            lines.append(_message(list(struct), inner, nested.get(inner), file, inside))
        kind = _field_type(each, each.type, inner, file)
        lines.append(f"{inside}{kind} {each.name} = {numbers[each.name]};\n")
    reserved = _reserved(numbers, known)
    if reserved:
        lines.append(f"{inside}reserved {', '.join(reserved)};\n")
    return "".join([*lines, f"{indent}}}\n"])


def _reserved(numbers: Mapping[str, int], known: DescriptorProto | None) -> list[str]:
    """What no other column may ever get: the numbers of those that are gone."""
    if known is None:
        return []
    ranges = [f"{each.start} to {each.end - 1}" for each in known.reserved_range]
    return [*ranges, *(str(each.number) for each in known.field if each.name not in numbers)]


def _numbers(names: Sequence[str], known: DescriptorProto | None) -> Mapping[str, int]:
    """Known columns keep theirs; new ones get those behind all that were ever given."""
    kept = {each.name: each.number for each in known.field} if known is not None else {}
    used = [0, *kept.values()]
    if known is not None:
        used += [each.end - 1 for each in known.reserved_range]
    following = max(used)
    found = {}
    for name in names:
        if name in kept:
            found[name] = kept[name]
            continue
        following += 1
        if _FIRST_RESERVED <= following <= _LAST_RESERVED:
            following = _LAST_RESERVED + 1
        found[name] = following
    return found


def _struct_of(kind: pa.DataType) -> pa.StructType | None:
    """The struct that a column is made of, or that its items are."""
    kind = _plain(kind)
    if _is_list(kind):
        kind = _plain(kind.value_type)
    elif pt.is_map(kind):
        kind = _plain(kind.item_type)
    return kind if pt.is_struct(kind) else None


def _field_type(column: pa.Field, kind: pa.DataType, inner: str, file: _File) -> str:
    kind = _plain(kind)
    if _is_list(kind):
        return f"repeated {_value_type(column, kind.value_type, inner, file)}"
    if pt.is_map(kind):
        key = _value_type(column, kind.key_type, inner, file)
        if key not in _KEYS:
            raise _refused(column, kind.key_type)
        return f"map<{key}, {_value_type(column, kind.item_type, inner, file)}>"
    return f"optional {_value_type(column, kind, inner, file)}"


def _value_type(column: pa.Field, kind: pa.DataType, inner: str, file: _File) -> str:
    kind = _plain(kind)
    if pt.is_struct(kind):
        return inner
    found = _SIMPLE.get(kind)
    if found is not None:
        return found
    if pt.is_fixed_size_binary(kind):
        return "bytes"
    for is_kind, (name, place) in (
        (pt.is_timestamp, _TIMESTAMP),
        (pt.is_duration, _DURATION),
        (pt.is_date, _DATE),
    ):
        if is_kind(kind):
            file.imports.add(place)
            return name
    raise _refused(column, kind)


def _refused(column: pa.Field, kind: pa.DataType) -> SchemaError:
    return SchemaError(
        f"column {column.name!r}: Protobuf has no type for {kind}; cast it to text or to a number"
    )


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pt.is_dictionary(kind) or pt.is_run_end_encoded(kind) else kind


def _is_list(kind: pa.DataType) -> bool:
    return pt.is_list(kind) or pt.is_large_list(kind) or pt.is_fixed_size_list(kind)
