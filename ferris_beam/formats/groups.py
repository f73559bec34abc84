"""Binary formats cut into groups of rows: row groups of Parquet, batches of Arrow, cells of Avro.

The position is ``group << 40 | row within it``. A group is cut every `CUT` rows, which is part of
every unit's identity, so that a restart meets the same borders whatever its batch size.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import pyarrow as pa
import pyarrow.types as pt

from ferris_beam.batches import to_rows
from ferris_beam.batches.casting import Cast, cast_records
from ferris_beam.batches.rebatch import Rebatcher
from ferris_beam.errors import SchemaError
from ferris_beam.formats.base import BadRow, FormatReader, Piece
from ferris_beam.formats.columns import check_repeated
from ferris_beam.formats.text import empty

ROW_BITS = 40
GROUP = 1 << ROW_BITS
CUT = 65_536
"""Rows of a piece. Part of every such unit's identity: never change it."""


_EXTENSION = (b"ARROW:extension:name", b"ARROW:extension:metadata")


class Rows(NamedTuple):
    """Some rows of a group, and how many bytes were read for them."""

    records: pa.RecordBatch
    nbytes: int


class RowsReader(FormatReader):
    """Turns the rows of a group into pieces; `read_schema` has the columns of these rows."""

    kind: str
    """What a group is called."""

    def __init__(self, name: str, schema: pa.Schema, read_schema: pa.Schema | None = None) -> None:
        self.schema = schema
        self._name = name
        self._read_schema = schema if read_schema is None else read_schema

    def _cut(self, group: Iterator[Rows]) -> Iterator[Rows]:
        """The same rows in batches of `CUT`, but for the last one."""
        rebatcher = Rebatcher(CUT)
        taken = given = nbytes = 0
        for rows in group:
            taken += rows.records.num_rows
            nbytes += rows.nbytes
            for records in rebatcher.add(rows.records):
                share = nbytes * records.num_rows // max(1, taken - given)
                given, nbytes = given + records.num_rows, nbytes - share
                yield Rows(records, share)
        for records in rebatcher.flush():
            yield Rows(records, nbytes)

    def _pieces(self, group: Iterator[Rows], at: int, start: int, end: int) -> Iterator[Piece]:
        """Pieces of one group, whose first row is at ``at``; the last one of the group also covers
        the positions behind."""
        held: Piece | None = None
        for rows in group:
            stop = at + rows.records.num_rows
            if stop > start:
                if held is not None:
                    yield held
                held = self._piece(rows, at, stop)
            if stop >= end:
                break
            at = stop
        if held is None:
            held = Piece(empty(self.schema), end)
        yield replace(held, end=end)

    def _piece(self, rows: Rows, at: int, end: int) -> Piece:
        records = rows.records
        if is_as_wanted(records.schema, self._read_schema):
            return Piece(self._wanted(records), end, (), rows.nbytes)
        decoded = decode(records)
        cast = cast_records(decoded, self._read_schema)
        bad = self._bad_rows(decoded, cast, at)
        return Piece(self._wanted(cast.records), end, bad, rows.nbytes)

    def _wanted(self, records: pa.RecordBatch) -> pa.RecordBatch:
        """The rows and columns that were asked for."""
        return as_schema(records, self.schema)

    def _bad_rows(self, records: pa.RecordBatch, cast: Cast, at: int) -> list[BadRow]:
        """Rows of a file whose types differ from the first file's, and that don't fit those."""
        reasons: dict[int, list[str]] = {}
        for failure in cast.failures:
            reasons.setdefault(failure.row, []).append(failure.reason)
        return [
            BadRow(
                at + row,
                f"row {(at + row) % GROUP:,} of {self.kind} {at >> ROW_BITS} of {self._name}",
                "; ".join(reasons[row]),
                json.dumps(to_rows(records.slice(row, 1))[0], default=str).encode(),
                "schema",
            )
            for row in sorted(reasons)
        ]


class GroupReader(RowsReader):
    """Reads a unit whose groups can be read in any order."""

    def read(self, start: int, end: int) -> Iterator[Piece]:
        position = start
        while position < end:
            group = position >> ROW_BITS
            group_end = min(end, (group + 1) << ROW_BITS)
            rows = self._cut(self._read_group(group))
            yield from self._pieces(rows, group << ROW_BITS, position, group_end)
            position = group_end

    @abstractmethod
    def _read_group(self, group: int) -> Iterator[Rows]:
        """All rows of a group, in batches of any size; no batch at all where it has none."""


def is_as_wanted(found: pa.Schema, wanted: pa.Schema) -> bool:
    """Whether only dictionaries stand between the columns that were read and those wanted."""
    return found.names == wanted.names and all(
        field.nullable and field.type in (found.field(at).type, _plain(found.field(at).type))
        for at, field in enumerate(wanted)
    )


def as_schema(records: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The columns of ``schema``, without dictionaries that it does not ask for."""
    columns = [_as(records.column(field.name), field.type) for field in schema]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def decode(records: pa.RecordBatch) -> pa.RecordBatch:
    """Without dictionaries."""
    columns = [_as(column, _plain(column.type)) for column in records.columns]
    return pa.RecordBatch.from_arrays(columns, names=records.schema.names)


def plain_schema(schema: pa.Schema, unit: str) -> pa.Schema:
    """The columns and their types, without what else a writer noted; all may be null, since the
    next file's may be. Of an extension type that nobody registered here the name is kept.

    Raises `SchemaError` where there is no column, or two have the same name.
    """
    if not len(schema):
        raise SchemaError(f"{unit}: has no columns; choose other files")
    check_repeated(unit, schema.names)
    return pa.schema([_plain_field(field) for field in schema])


def _plain_field(field: pa.Field) -> pa.Field:
    notes = {key: value for key, value in (field.metadata or {}).items() if key in _EXTENSION}
    return pa.field(field.name, field.type, metadata=notes or None)


def _as(column: pa.Array, kind: pa.DataType) -> pa.Array:
    is_dictionary = pt.is_dictionary(column.type) and not pt.is_dictionary(kind)
    return column.dictionary_decode() if is_dictionary else column


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pt.is_dictionary(kind) else kind
