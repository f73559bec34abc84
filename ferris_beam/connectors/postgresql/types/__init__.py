"""Columns of the server and their Arrow types, in both directions."""

from ferris_beam.connectors.postgresql.types.catalog import (
    Described,
    as_relation,
    columns_of,
    describe,
    resolve,
)
from ferris_beam.connectors.postgresql.types.column import (
    Choices,
    Column,
    ServerType,
    TypeOptions,
    schema_of,
)
from ferris_beam.connectors.postgresql.types.ddl import ddl_type

__all__ = [
    "Choices",
    "Column",
    "Described",
    "ServerType",
    "TypeOptions",
    "as_relation",
    "columns_of",
    "ddl_type",
    "describe",
    "resolve",
    "schema_of",
]
