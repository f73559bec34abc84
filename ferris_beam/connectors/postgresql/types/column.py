"""A column of a table or query: its type on the server, in Arrow, and on the way between them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Protocol

import pyarrow as pa
from psycopg import sql

Kind = Literal["scalar", "array", "composite", "enum", "range"]


class TypeOptions(Protocol):
    """The options that decide how types are mapped; the source's options have them."""

    @property
    def numeric(self) -> Literal["decimal", "float", "text"]: ...

    @property
    def unmapped(self) -> Literal["error", "text"]: ...


@dataclass(frozen=True, slots=True)
class Choices:
    """`TypeOptions` by themselves, where no options of a source are at hand."""

    numeric: Literal["decimal", "float", "text"] = "decimal"
    unmapped: Literal["error", "text"] = "error"


@dataclass(frozen=True, slots=True)
class ServerType:
    """A type of the server, with domains replaced by what they stand for.

    ``name`` is pg_type's; ``builtin``, it belongs to PostgreSQL itself, so that the name alone
    says what it is. Arrays have an ``element``, composites ``fields``.
    """

    oid: int
    name: str
    kind: Kind = "scalar"
    typmod: int = -1
    builtin: bool = True
    element: ServerType | None = None
    fields: tuple[tuple[str, ServerType], ...] = ()

    def with_typmod(self, typmod: int) -> ServerType:
        """The same type with a modifier; an array hands it to its elements."""
        if typmod < 0:
            return self
        element = self.element and self.element.with_typmod(typmod)
        return replace(self, typmod=typmod, element=element)


TEXT = ServerType(25, "text")
TEXT_ARRAY = ServerType(1009, "_text", "array", element=TEXT)


@dataclass(frozen=True, slots=True)
class Column:
    """A column as it is read.

    ``oid`` and ``typmod`` are those of the declared type, which may be a domain; ``base`` is what
    stands behind it. ``cast`` is the type (``text``, ``text[]``) that the server must turn values
    into, since its binary format of ``base`` is not one that is decoded here.
    """

    name: str
    oid: int
    typmod: int
    type: pa.DataType
    nullable: bool
    base: ServerType
    cast: str = ""

    @property
    def field(self) -> pa.Field:
        return pa.field(self.name, self.type, self.nullable)

    @property
    def expression(self) -> sql.Composable:
        """What a SELECT says to get values that `binary` decodes."""
        name = sql.Identifier(self.name)
        return sql.SQL("{}::{}").format(name, sql.SQL(self.cast)) if self.cast else name

    @property
    def binary(self) -> bool:
        """Whether values are decoded as the server sends them without a cast, as in pgoutput."""
        return not self.cast

    @property
    def wire(self) -> ServerType:
        """The type of what arrives where `expression` was selected."""
        return {"": self.base, "text": TEXT, "text[]": TEXT_ARRAY}[self.cast]


def schema_of(columns: tuple[Column, ...]) -> pa.Schema:
    """The Arrow schema of what is read."""
    return pa.schema([column.field for column in columns])
