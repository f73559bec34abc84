"""What a `pyarrow.compute.Expression` is made of, which pyarrow itself shows only as text.

An expression is pickled as an Arrow IPC file: the metadata of its schema list, in order, the calls
with their arguments; literals and options are the columns of its one batch. Keys occur many times
there, which `Schema.metadata` can't say, so the metadata are read from the C data interface.

Source: Serialize in cpp/src/arrow/compute/expression.cc, and
https://arrow.apache.org/docs/format/CDataInterface.html.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True, slots=True)
class Field:
    """A column, by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Literal:
    value: pa.Scalar


@dataclass(frozen=True, slots=True)
class Call:
    """A compute function; ``options`` are those that differ from one function to another."""

    function: str
    arguments: tuple[Part, ...]
    options: dict[str, pa.Scalar] | None = None


Part: TypeAlias = "Field | Literal | Call"


class UnknownExpression(Exception):
    """An expression of a form that is not known here, such as a path into a struct."""


def parts_of(expression: pc.Expression) -> Part:
    """The expression as a tree; raises `UnknownExpression`."""
    try:
        _, (buffer,) = expression.__reduce__()
    except pa.ArrowNotImplementedError:  # a column by its number
        raise UnknownExpression from None
    with pa.ipc.open_file(buffer) as file:
        batch = file.get_batch(0)
    items = iter(_metadata(batch.schema))
    found = _part(*next(items), items, batch)
    if next(items, None) is not None:
        raise UnknownExpression
    return found


def _part(kind: str, value: str, items: Iterator[tuple[str, str]], batch: pa.RecordBatch) -> Part:
    if kind == "field_ref":
        return Field(value)
    if kind == "literal":
        return Literal(batch.column(int(value))[0])
    if kind == "call":
        return _call(value, items, batch)
    raise UnknownExpression


def _call(function: str, items: Iterator[tuple[str, str]], batch: pa.RecordBatch) -> Call:
    arguments: list[Part] = []
    options = None
    for kind, value in items:
        if kind == "end":
            return Call(function, tuple(arguments), options)
        if kind == "options":
            scalar = batch.column(int(value))[0]
            options = {name: scalar[name] for name in scalar.type.names}
        else:
            arguments.append(_part(kind, value, items, batch))
    raise UnknownExpression


# ── the C data interface ────────────────────────────────────────────────────────────────────────


class _Schema(ctypes.Structure):
    """The first members of struct ArrowSchema."""

    _fields_ = (
        ("format", ctypes.c_char_p),
        ("name", ctypes.c_char_p),
        ("metadata", ctypes.c_void_p),
    )


_capsule_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_capsule_pointer.restype = ctypes.c_void_p
_capsule_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]


def _metadata(schema: pa.Schema) -> list[tuple[str, str]]:
    """All pairs of a schema's metadata, in order."""
    capsule: Any = schema.__arrow_c_schema__()
    address = _capsule_pointer(capsule, b"arrow_schema")
    metadata = _Schema.from_address(address).metadata
    if not metadata:
        return []
    reader = _Memory(metadata)
    return [(reader.text(), reader.text()) for _ in range(reader.number())]


class _Memory:
    """Reads int32 numbers and texts, one behind the other."""

    def __init__(self, address: int) -> None:
        self._address = address

    def number(self) -> int:
        value = ctypes.c_int32.from_address(self._address).value
        self._address += ctypes.sizeof(ctypes.c_int32)
        return value

    def text(self) -> str:
        length = self.number()
        value = ctypes.string_at(self._address, length)
        self._address += length
        return value.decode()
