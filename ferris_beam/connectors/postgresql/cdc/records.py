"""Changes as records: flat, or in an envelope with the row before and after.

Flat: the table's columns, then `META`. A deleted row has its key, or all columns where the table's
replica identity is full. Envelope: ``operation, before, after`` as structs (one table) or texts of
JSON (several), ``_table``, then `META` without ``_operation``.

A change of a key is a delete and an insert. So is, in flat records, any update of a table that has
no key but tells its whole old rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from ferris_beam.connector import Reject
from ferris_beam.connectors.postgresql.binary import TaggedCells
from ferris_beam.connectors.postgresql.cdc.log import DELETE, INSERT, Changes, Index, Mask
from ferris_beam.connectors.postgresql.cdc.names import Shape
from ferris_beam.connectors.postgresql.cdc.positions import LOW_BITS, format_lsn
from ferris_beam.connectors.postgresql.cdc.tables import Table
from ferris_beam.connectors.postgresql.cdc.texts import json_texts
from ferris_beam.connectors.postgresql.cdc.tuples import UNSENT, Decoder, Tuples, chosen, merged
from ferris_beam.connectors.postgresql.cdc.windows import Untold
from ferris_beam.connectors.postgresql.types import Column, schema_of
from ferris_beam.errors import ConfigurationError, SchemaError

OPERATIONS = pa.array(["insert", "update", "delete", "truncate", "read"])
_INSERT, _UPDATE, _DELETE, _TRUNCATE, _READ = range(5)

META = (
    pa.field("_lsn", pa.int64()),
    pa.field("_commit_time", pa.timestamp("us", "UTC")),
    pa.field("_position", pa.decimal128(38, 0)),
    pa.field("_unchanged", pa.list_(pa.string())),
)
"""The commit's LSN as a number; its time; the change's position, which only rises; the columns
whose value is not known, since it lies in a TOAST table and was not changed (none: NULL)."""
_OPERATION = pa.field("_operation", pa.string())


@dataclass(frozen=True)
class Piece:
    """Records with the position of each, as halves; ``times`` are those of their commits."""

    records: pa.RecordBatch
    lsn: Index
    low: Index
    times: Index
    rejects: list[Reject] = field(default_factory=list)

    @classmethod
    def without_rows(cls, records: pa.RecordBatch) -> Piece:
        nothing = np.empty(0, np.int64)
        return cls(records, nothing, nothing, nothing)

    def without(self, bad: Iterable[int], rejects: list[Reject]) -> Piece:
        """The good rows, and the rejects that stand for the others."""
        good = np.ones(len(self.lsn), bool)
        good[list(bad)] = False
        kept = self.records.filter(pa.array(good))
        return Piece(kept, self.lsn[good], self.low[good], self.times[good], rejects)


def schema_of_records(shape: Shape, columns: Sequence[Column]) -> pa.Schema:
    """What all batches have, until the table changes."""
    if shape == "flat":
        taken = {_OPERATION.name, *(meta.name for meta in META)}
        clash = next((column.name for column in columns if column.name in taken), None)
        if clash is not None:
            raise ConfigurationError(
                f"the table has a column {clash!r}, like the one that tells of its changes: say "
                "format=envelope"
            )
        return pa.schema([*schema_of(tuple(columns)), _OPERATION, *META])
    row = pa.string() if shape == "texts" else pa.struct(list(schema_of(tuple(columns))))
    return pa.schema(
        [
            pa.field("operation", pa.string()),
            pa.field("before", row),
            pa.field("after", row),
            pa.field("_table", pa.string()),
            *META,
        ]
    )


@dataclass(frozen=True)
class _Rows:
    """The records of changes: ``of`` is the change of each; ``before`` and ``after`` number its
    tuples (-1: none); ``second``: it is the insert of a pair."""

    of: Index
    operations: Index
    before: Index
    after: Index
    second: Mask

    def select(self, kept: Mask) -> _Rows:
        return _Rows(
            self.of[kept],
            self.operations[kept],
            self.before[kept],
            self.after[kept],
            self.second[kept],
        )


def _rows(changes: Changes, tuples: Tuples, paired: Mask) -> _Rows:
    """``paired``: the changes that become a delete and an insert."""
    of = np.repeat(np.arange(len(changes)), 1 + paired)
    second = np.zeros(len(of), bool)
    second[1:] = of[1:] == of[:-1]
    first = paired[of] & ~second
    kinds = changes.kinds[of]
    operations = np.where(kinds == INSERT, _INSERT, np.where(kinds == DELETE, _DELETE, _UPDATE))
    operations[first] = _DELETE
    operations[second] = _INSERT
    before = np.where(second, -1, tuples.old_of[of])
    after = np.where(first, -1, tuples.new_of[of])
    return _Rows(of, operations, before, after, second)


class Shaper:
    """Makes the records of one table's changes."""

    def __init__(self, shape: Shape, decoder: Decoder, display: str) -> None:
        self.shape = shape
        self._decoder = decoder
        self._display = display

    def schema(self, table: Table) -> pa.Schema:
        return schema_of_records(self.shape, table.shown or table.columns)

    def nothing(self, table: Table) -> pa.RecordBatch:
        return pa.RecordBatch.from_pylist([], schema=self.schema(table))

    def changed(self, table: Table, changes: Changes, untold: Untold | None = None) -> Piece:
        """The records of row messages of one table, in their order."""
        tuples = Tuples.of(changes, len(table.columns))
        key = table.key_indices
        paired = tuples.moved(changes.data, key)
        if not key and self.shape == "flat":
            paired |= tuples.full & (tuples.new_of >= 0)
        rows = _rows(changes, tuples, paired)
        if untold is not None:
            rows = rows.select(~self._left_out(table, changes, tuples, rows, untold))
        low = changes.low[rows.of].astype(np.int64) + rows.second
        lsn = changes.lsn[rows.of].astype(np.int64)
        columns, bad = self._columns(table, changes, tuples, rows)
        records = pa.RecordBatch.from_arrays(
            [*columns, *_meta(lsn, low, changes.time[rows.of], _unsent(table, tuples, rows))],
            schema=self.schema(table),
        )
        piece = Piece(records, lsn, low, changes.time[rows.of])
        return self._without(piece, bad, changes, rows, table) if bad else piece

    def truncated(self, table: Table, changes: Changes) -> Piece:
        """The record that says that a table was emptied."""
        lsn, low = changes.lsn.astype(np.int64), changes.low.astype(np.int64)
        return self._alone(table, _TRUNCATE, lsn, low, changes.time)

    def emptied(self, table: Table, position: int, time: int) -> Piece:
        """The same, where the table is to be read anew."""
        high, low = _halves(position, 1)
        return self._alone(table, _TRUNCATE, high, low, np.array([time], np.int64))

    def read(self, table: Table, records: pa.RecordBatch, position: int, time: int) -> Piece:
        """Rows of a snapshot, at positions from ``position`` on."""
        count = records.num_rows
        lsn, low = _halves(position, count)
        times = np.full(count, time, np.int64)
        operations = np.full(count, _READ)
        values = self._shown(table, records)
        if self.shape == "flat":
            columns = [*values.columns, _operations(operations)]
        else:
            after = self._row(table, values, np.ones(count, bool), np.zeros((0, count), bool))
            nothing = pa.nulls(count, after.type)
            columns = [_operations(operations), nothing, after, _constant(str(table.name), count)]
        unsent = pa.nulls(count, META[-1].type)
        return Piece(
            pa.RecordBatch.from_arrays(
                [*columns, *_meta(lsn, low, times, unsent)],
                schema=self.schema(table),
            ),
            lsn,
            low,
            times,
        )

    def _left_out(
        self, table: Table, changes: Changes, tuples: Tuples, rows: _Rows, untold: Untold
    ) -> Mask:
        seen = untold.seen(changes.xid[rows.of])
        if not untold.compares:
            return seen
        names = [column.name for column in table.columns]
        if not set(untold.key) <= set(names):
            return seen & False  # renamed since: what the snapshot told comes again
        indices = [names.index(name) for name in untold.key]
        columns = [table.columns[index] for index in indices]
        after = chosen([tuples.new[index] for index in indices], rows.after)
        before = chosen([tuples.old[index] for index in indices], rows.before)
        cells = merged(after, before, rows.after >= 0)
        keys, _ = self._decoder.decode(columns, changes.data, cells)
        return untold.mask(keys, seen)

    # ── columns ─────────────────────────────────────────────────────────────────────────────

    def _columns(
        self, table: Table, changes: Changes, tuples: Tuples, rows: _Rows
    ) -> tuple[list[pa.Array], dict[int, str]]:
        """The columns in front of `META`, and the records that are bad."""
        after, before = chosen(tuples.new, rows.after), chosen(tuples.old, rows.before)
        operations = _operations(rows.operations)
        if self.shape == "flat":
            cells = merged(after, before, rows.after >= 0)
            values, bad = self._decoder.decode(table.columns, changes.data, cells)
            return [*self._shown(table, values).columns, operations], bad
        news, bad = self._decoder.decode(table.columns, changes.data, after)
        olds, bad_olds = self._decoder.decode(table.columns, changes.data, before)
        unsent = _shown_mask(table, _mask(after))
        columns = [
            operations,
            self._row(table, self._shown(table, olds), rows.before >= 0, unsent & False),
            self._row(table, self._shown(table, news), rows.after >= 0, unsent),
            _constant(str(table.name), len(rows.of)),
        ]
        return columns, {**bad_olds, **bad}

    def _row(self, table: Table, records: pa.RecordBatch, there: Mask, unsent: Mask) -> pa.Array:
        """Rows as one column; NULL where there is none."""
        if self.shape == "texts":
            return json_texts(records, there, unsent, documents_of(table))
        absent = pa.array(~there)
        return pa.StructArray.from_arrays(records.columns, fields=list(records.schema), mask=absent)

    def _shown(self, table: Table, records: pa.RecordBatch) -> pa.RecordBatch:
        """With the columns that records are to have: those that are gone are NULL."""
        if not table.shown:
            return records
        names = set(records.schema.names)
        arrays = [
            _kept(table, column, records.column(column.name))
            if column.name in names
            else pa.nulls(records.num_rows, column.type)
            for column in table.shown
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=schema_of(table.shown))

    def _alone(self, table: Table, operation: int, lsn: Index, low: Index, times: Index) -> Piece:
        schema = self.schema(table)
        name = "_operation" if self.shape == "flat" else "operation"
        known = {
            name: _operations(np.full(1, operation)),
            "_table": _constant(str(table.name), 1),
            **dict(
                zip(
                    (meta.name for meta in META),
                    _meta(lsn, low, times, pa.nulls(1, META[-1].type)),
                    strict=True,
                )
            ),
        }
        arrays = [known.get(field.name, pa.nulls(1, field.type)) for field in schema]
        return Piece(pa.RecordBatch.from_arrays(arrays, schema=schema), lsn, low, times)

    # ── rows that can't be decoded ──────────────────────────────────────────────────────────

    def _without(
        self, piece: Piece, bad: dict[int, str], changes: Changes, rows: _Rows, table: Table
    ) -> Piece:
        rejects = [
            Reject(
                int(piece.lsn[row]) << LOW_BITS | int(piece.low[row]),
                f"a change of {table.name}, committed at {format_lsn(int(piece.lsn[row]))}, "
                f"{self._display}",
                reason,
                changes.payload(int(rows.of[row])),
            )
            for row, reason in sorted(bad.items())
        ]
        return piece.without(bad, rejects)


def _kept(table: Table, column: Column, values: pa.Array) -> pa.Array:
    try:
        return values.cast(column.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SchemaError(
            f"{table.name}: the column {column.name!r} was {column.type} and has values that this "
            f"can't hold ({error}); on_schema_change=ignore keeps types, evolve takes the new ones"
        ) from error


def documents_of(table: Table) -> set[str]:
    """The columns whose values are JSON."""
    columns = table.shown or table.columns
    return {column.name for column in columns if column.base.name in ("json", "jsonb")}


def _mask(cells: list[TaggedCells]) -> Mask:
    """bool[columns, rows]: where a value was not sent."""
    return np.array([cell.lengths == UNSENT for cell in cells], bool)


def _shown_mask(table: Table, mask: Mask) -> Mask:
    """The same for the columns that records have."""
    if not table.shown:
        return mask
    places = {column.name: place for place, column in enumerate(table.columns)}
    nowhere = np.zeros(mask.shape[1:], bool)
    return np.array(
        [mask[places[c.name]] if c.name in places else nowhere for c in table.shown], bool
    )


def _unsent(table: Table, tuples: Tuples, rows: _Rows) -> pa.Array:
    """The names of the columns that were not sent, for each record; NULL: none."""
    shape = META[-1].type
    if not any((cell.lengths == UNSENT).any() for cell in tuples.new):
        return pa.nulls(len(rows.of), shape)
    mask = _mask(chosen(tuples.new, rows.after))
    counts = mask.sum(axis=0)
    _, columns = np.nonzero(mask.T)
    names = pa.array([column.name for column in table.columns], pa.string())
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pa.ListArray.from_arrays(
        pa.array(offsets), names.take(pa.array(columns)), mask=pa.array(counts == 0)
    )


def _meta(lsn: Index, low: Index, times: Index, unsent: pa.Array) -> list[pa.Array]:
    """Positions are decimals of 128 bits: their two halves, as they lie in memory."""
    halves = np.empty((len(lsn), 2), np.int64)
    halves[:, 0], halves[:, 1] = low, lsn
    positions = pa.Array.from_buffers(META[2].type, len(lsn), [None, pa.py_buffer(halves)])
    return [pa.array(lsn, META[0].type), pa.array(times, META[1].type), positions, unsent]


def _operations(codes: Index) -> pa.Array:
    return OPERATIONS.take(pa.array(codes, pa.int8()))


def _constant(text: str, count: int) -> pa.Array:
    return pa.array([text], pa.string()).take(pa.array(np.zeros(count, np.int64)))


def _halves(position: int, count: int) -> tuple[Index, Index]:
    lsn = np.full(count, position >> LOW_BITS, np.int64)
    return lsn, (position & ((1 << LOW_BITS) - 1)) + np.arange(count, dtype=np.int64)
