"""The tuples of row messages: where old and new values lie, and what they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
from psycopg import sql
from psycopg.adapt import Transformer
from psycopg.pq import ExecStatus, Format

from ferris_beam.connectors.postgresql.binary import TaggedCells, decode_columns, tagged_cells
from ferris_beam.connectors.postgresql.cdc.log import (
    DELETE,
    INSERT,
    NEW,
    OLD,
    UPDATE,
    Bytes,
    Changes,
    Index,
    Mask,
)
from ferris_beam.connectors.postgresql.cdc.results import error_of
from ferris_beam.connectors.postgresql.types import Column

_BEHIND_OID = 5
_TUPLE = 6
"""Kind and oid of the table, then a letter that says which tuple follows."""
UNSENT = -2
_MOST_PARAMETERS = 5000
"""Of one query; the protocol takes 65,535."""


@dataclass(frozen=True)
class Tuples:
    """The tuples of changes of one table. ``old`` and ``new`` are the cells of all old and of all
    new tuples, column by column; ``old_of`` and ``new_of``, int64[changes], say which of these a
    change has, -1: none. ``full``: where the old one has all columns, not only the key's."""

    old: list[TaggedCells]
    new: list[TaggedCells]
    old_of: Index
    new_of: Index
    full: Mask

    @classmethod
    def of(cls, changes: Changes, columns: int) -> Tuples:
        data, at, kinds = changes.data, changes.at, changes.kinds
        marks = data[at + _BEHIND_OID]
        has_new = (kinds == INSERT) | (kinds == UPDATE)
        has_old = (kinds == DELETE) | ((kinds == UPDATE) & (marks != NEW))
        old = tagged_cells(data, at[has_old] + _TUPLE, columns)
        starts = at + _TUPLE
        if old:
            last = old[-1]
            starts[has_old] = last.starts + np.maximum(last.lengths, 0) + 1
        new = tagged_cells(data, starts[has_new], columns)
        found = cls(old, new, _numbered(has_old), _numbered(has_new), marks == OLD)
        return found._with_unsent() if found.full.any() else found

    def _with_unsent(self) -> Tuples:
        """Values that were not sent, since they were not changed, are in the whole old tuple."""
        both = np.flatnonzero(self.full & (self.new_of >= 0))
        old, new = self.old_of[both], self.new_of[both]
        filled = []
        for before, after in zip(self.old, self.new, strict=True):
            unsent = after.lengths[new] == UNSENT
            starts, lengths, text = after.starts.copy(), after.lengths.copy(), after.text.copy()
            into, source = new[unsent], old[unsent]
            starts[into], lengths[into] = before.starts[source], before.lengths[source]
            text[into] = before.text[source]
            filled.append(TaggedCells(starts, lengths, text))
        return replace(self, new=filled)

    def moved(self, data: Bytes, key: Sequence[int]) -> Mask:
        """Which changes give a row another key: the key's columns are those with these indices.

        A key that was sent alone was changed; of whole tuples it is compared.
        """
        updates = (self.old_of >= 0) & (self.new_of >= 0)
        moved = updates & ~self.full
        whole = np.flatnonzero(updates & self.full)
        old, new = self.old_of[whole], self.new_of[whole]
        for index in key:
            moved[whole] |= _differ(data, self.old[index], old, self.new[index], new)
        return moved


def _differ(
    data: Bytes, cell: TaggedCells, rows: Index, other: TaggedCells, other_rows: Index
) -> Mask:
    """Which values differ, byte by byte: those of keys are short."""
    lengths = cell.lengths[rows]
    starts, others = cell.starts[rows], other.starts[other_rows]
    differ = lengths != other.lengths[other_rows]
    for offset in range(int(lengths.max(initial=0))):
        at = np.flatnonzero((offset < lengths) & ~differ)
        differ[at] = data[starts[at] + offset] != data[others[at] + offset]
    return differ


def _bytes(data: Bytes, cell: TaggedCells, row: int) -> bytes | None:
    length = int(cell.lengths[row])
    start = int(cell.starts[row])
    return None if length < 0 else data[start : start + length].tobytes()


def _numbered(mask: Mask) -> Index:
    """0, 1, 2 … where the mask is set, else -1."""
    return np.where(mask, np.cumsum(mask) - 1, -1).astype(np.int64)


def chosen(cells: list[TaggedCells], rows: Index) -> list[TaggedCells]:
    """The cells of some tuples; -1 makes all columns NULL."""
    there = rows >= 0
    found = []
    for cell in cells:
        if not len(cell.starts):
            nothing = np.zeros(len(rows), np.int64)
            found.append(TaggedCells(nothing, np.full(len(rows), -1, np.int32), there & False))
            continue
        lengths = np.where(there, cell.lengths[rows], np.int32(-1)).astype(np.int32)
        found.append(TaggedCells(cell.starts[rows], lengths, cell.text[rows] & there))
    return found


def merged(first: list[TaggedCells], second: list[TaggedCells], take: Mask) -> list[TaggedCells]:
    """Row by row the first cells where ``take`` is set, else the second."""
    return [
        TaggedCells(
            np.where(take, one.starts, other.starts),
            np.where(take, one.lengths, other.lengths),
            np.where(take, one.text, other.text),
        )
        for one, other in zip(first, second, strict=True)
    ]


class Decoder:
    """Cells to Arrow. Of a type whose binary format nobody here knows, the server makes texts."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def decode(
        self, columns: Sequence[Column], data: Bytes, cells: list[TaggedCells]
    ) -> tuple[pa.RecordBatch, dict[int, str]]:
        """As `decode_columns`: the rows, and why some are bad."""
        plain, where = list(cells), list(columns)
        texts: dict[int, pa.Array] = {}
        for index, (column, cell) in enumerate(zip(columns, cells, strict=True)):
            binary = (cell.lengths >= 0) & ~cell.text
            if column.cast and binary.any():
                texts[index] = self._texts(column, data, cell, binary)
                none = np.full(len(cell.lengths), -1, np.int32)
                plain[index] = TaggedCells(cell.starts, none, cell.text)
        records, bad = decode_columns(where, data, plain)
        for index, values in texts.items():
            records = records.set_column(index, records.schema.field(index), values)
        return records, bad

    def _texts(self, column: Column, data: Bytes, cell: TaggedCells, binary: Mask) -> pa.Array:
        """Sends the values back, to be cast to texts: what a SELECT with this cast gives."""
        found: list[Any] = [None] * len(cell.lengths)
        rows = [int(row) for row in np.flatnonzero(binary)]
        for first in range(0, len(rows), _MOST_PARAMETERS):
            part = rows[first : first + _MOST_PARAMETERS]
            values = [_bytes(data, cell, row) for row in part]
            for row, text in zip(part, self._cast(column, values), strict=True):
                found[row] = text
        for index in np.flatnonzero(cell.text & (cell.lengths >= 0)):
            found[index] = (_bytes(data, cell, int(index)) or b"").decode()
        return pa.array(found, column.type)

    def _cast(self, column: Column, values: Sequence[bytes | None]) -> list[Any]:
        """Of binary values of a column's type what its cast makes of them."""
        rows = ", ".join(f"({number}, ${number})" for number in range(1, len(values) + 1))
        query = sql.SQL("SELECT v::{} FROM (VALUES {}) u(n, v) ORDER BY n").format(
            sql.SQL(column.cast), sql.SQL(rows)
        )
        oids, formats = [column.base.oid] * len(values), [Format.BINARY] * len(values)
        pgconn = self._connection.pgconn
        result = pgconn.exec_params(query.as_string(None).encode(), values, oids, formats)
        if result.status != ExecStatus.TUPLES_OK:
            raise error_of(result)
        loader = Transformer(self._connection).get_loader(result.ftype(0), Format.TEXT)
        texts = [result.get_value(row, 0) for row in range(result.ntuples)]
        return [None if text is None else loader.load(text) for text in texts]
