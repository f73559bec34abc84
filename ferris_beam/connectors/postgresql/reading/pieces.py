"""Into which pieces a relation is cut, and what SQL says of each.

=======  ==========================  ==============================================================
blocks   2,048 blocks of a table     positions: block · 2³² + rows read since the piece's start
keys     a sixteenth of the values   positions: value · 2³² + rows read since the piece's start
nulls    rows without a value        positions: rows
all      all rows                    positions: rows
=======  ==========================  ==============================================================

Values of a key count as integers: dates in days, timestamps in microseconds, since 1970.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg import sql

from ferris_beam.connector import Split
from ferris_beam.connectors.postgresql.reading.keys import Key
from ferris_beam.connectors.postgresql.reading.pool import Place
from ferris_beam.connectors.postgresql.reading.relation import Heap, Relation
from ferris_beam.connectors.postgresql.reading.snapshots import Snapshot
from ferris_beam.connectors.postgresql.writing.names import TableName
from ferris_beam.interval import Interval

BLOCKS = 2048
"""Blocks of a piece: 16 MiB."""
RANGES = 16
"""Pieces of the values of a key."""
ROWS = 1 << 32
"""Rows that a piece may have."""
_END = 1 << 62
LOWEST, HIGHEST = 1, 2

Kind = Literal["blocks", "keys", "nulls", "all"]
Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Piece:
    """What travels with a split. ``table``: the one with the blocks; None: the relation itself.
    ``edge``: of a range of keys, whether it begins with the lowest value (1) or goes on to the
    highest (2), or both (3)."""

    kind: Kind
    snapshot: Snapshot
    table: TableName | None = None
    edge: int = 0

    @property
    def resumable(self) -> bool:
        """Whether rows come in the same order whenever they are read under one snapshot."""
        return self.kind == "blocks"

    def encode(self) -> bytes:
        place = self.snapshot.place
        name = [self.table.schema, self.table.table] if self.table else None
        where = [self.snapshot.name, place.host, place.port]
        return json.dumps([self.kind, *where, name, self.edge]).encode()

    @classmethod
    def decode(cls, text: bytes) -> Piece:
        kind, snapshot, host, port, name, edge = json.loads(text)
        table = TableName(*name) if name else None
        return cls(kind, Snapshot(snapshot, Place(host, port)), table, edge)


def pieces_of(display: str, snapshot: Snapshot, heaps: list[Heap]) -> Iterator[Split]:
    """The pieces of tables, by their blocks. A table without blocks is a piece, too."""
    for heap in heaps:
        piece = Piece("blocks", snapshot, heap.name).encode()
        unit = f"{display}?table={heap.name}"
        blocks = max(heap.blocks, 1)
        for start in range(0, blocks, BLOCKS):
            end = min(start + BLOCKS, blocks)
            interval = Interval(unit, start * ROWS, end * ROWS)
            size = heap.nbytes * (end - start) // blocks
            yield Split(interval, details=piece, divisible=False, size=size)


def whole(display: str, relation: Relation, snapshot: Snapshot) -> Split:
    """All rows as one piece."""
    interval = Interval(f"{display}?{relation.label}", 0, _END)
    return Split(interval, details=Piece("all", snapshot).encode(), divisible=False)


def ranges_of(
    display: str, relation: Relation, snapshot: Snapshot, key: Key, bounds: tuple[int, int] | None
) -> Iterator[Split]:
    """The pieces of a view or query by ranges of a key between its lowest and highest value, both
    of which go on to infinity, and the rows without a value."""
    if bounds is None:
        yield whole(display, relation, snapshot)
        return
    unit = f"{display}?{relation.label} by {key.name}"
    first, last = bounds
    step = (last - first) // RANGES + 1
    for start in range(first, last + 1, step):
        end = min(start + step, last + 1)
        edge = (start == first) * LOWEST + (end > last) * HIGHEST
        details = Piece("keys", snapshot, edge=edge).encode()
        yield Split(Interval(unit, start * ROWS, end * ROWS), details=details, divisible=False)
    nulls = Piece("nulls", snapshot).encode()
    yield Split(Interval(f"{unit}, NULL", 0, _END), details=nulls, divisible=False)


def where(piece: Piece, interval: Interval, key: Key | None) -> sql.Composable | None:
    """The condition for the rows of a piece, None for all rows."""
    first, behind = interval.start // ROWS, interval.closed_end // ROWS
    if piece.kind == "blocks":
        return sql.SQL("ctid >= {}::tid AND ctid < {}::tid").format(
            sql.Literal(f"({first},0)"), sql.Literal(f"({behind},0)")
        )
    if key is None or piece.kind == "all":
        return None
    if piece.kind == "nulls":
        return sql.SQL("{} IS NULL").format(key.identifier)
    bounds = [sql.SQL("{} IS NOT NULL").format(key.identifier)]
    if not piece.edge & LOWEST:
        bounds.append(sql.SQL("{} >= {}").format(key.identifier, key.literal(first)))
    if not piece.edge & HIGHEST:
        bounds.append(sql.SQL("{} < {}").format(key.identifier, key.literal(behind)))
    return sql.SQL(" AND ").join(bounds)
