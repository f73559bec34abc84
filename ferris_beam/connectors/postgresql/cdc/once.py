"""Rows of several tables under one snapshot, without a slot: what ``snapshot=only`` reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ferris_beam.connector import ENDED, Chunk
from ferris_beam.connectors.postgresql.cdc.positions import at_end
from ferris_beam.connectors.postgresql.cdc.records import Shaper
from ferris_beam.connectors.postgresql.cdc.rows import piece_of
from ferris_beam.connectors.postgresql.cdc.snapshot import Snapshot
from ferris_beam.connectors.postgresql.cdc.tables import Connection, Table


def read_once(
    connection: Connection, tables: Sequence[Table], shaper: Shaper, batch_rows: int
) -> Iterator[Chunk]:
    """All rows, table by table; the last chunk is empty."""
    position = 0
    for rows in Snapshot(connection, batch_rows).once(tables):
        window = rows.progress.window
        assert window is not None
        position = position or at_end(window.high)
        piece = piece_of(shaper, rows, position)
        position += rows.records.num_rows
        nbytes = rows.records.nbytes
        yield Chunk(piece.records, position, piece.rejects, nbytes, timestamp=rows.time)
    yield Chunk(shaper.nothing(tables[0]), ENDED)
