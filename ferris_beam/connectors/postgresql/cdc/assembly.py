"""Changes of any tables to one batch, in the order of the log."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from ferris_beam.connector import Reject
from ferris_beam.connectors.postgresql.cdc.known import KnownTables
from ferris_beam.connectors.postgresql.cdc.log import Changes
from ferris_beam.connectors.postgresql.cdc.mark import Progress
from ferris_beam.connectors.postgresql.cdc.records import Piece, Shaper
from ferris_beam.connectors.postgresql.cdc.tables import Table
from ferris_beam.connectors.postgresql.cdc.windows import Untold


class Assembler:
    """Makes records of changes; leaves out what a snapshot has told, or will tell."""

    def __init__(self, known: KnownTables, shaper: Shaper) -> None:
        self._known = known
        self._shaper = shaper

    def records(self, changes: Changes, progress: Progress, untold: Untold | None) -> Piece | None:
        """None where nothing is to be told."""
        found = []
        oids = np.unique(changes.relations)
        for oid in oids:
            table = self._known.at(int(oid))
            if table is None or not progress.begun(table.name):
                continue
            own = changes if len(oids) == 1 else changes.select(changes.relations == oid)
            left_out = untold if untold is not None and untold.table == table.name else None
            piece = self._shaper.changed(table, own, left_out)
            if len(piece.lsn) or piece.rejects:
                found.append(piece)
        return _merged(found)

    def truncations(self, changes: Changes, tables: list[Table]) -> Piece | None:
        """Records that say that tables were emptied, all at one position."""
        return _merged([self._shaper.truncated(table, changes) for table in tables])

    def truncated(self, changes: Changes, progress: Progress) -> list[Table]:
        """The tables that a truncation empties, as far as anything was told of them."""
        tables = [self._known.at(oid) for oid in changes.truncated]
        return [table for table in tables if table is not None and progress.begun(table.name)]


def _merged(pieces: list[Piece]) -> Piece | None:
    if not pieces:
        return None
    if len(pieces) == 1:
        return pieces[0]
    lsn = np.concatenate([piece.lsn for piece in pieces])
    low = np.concatenate([piece.low for piece in pieces])
    times = np.concatenate([piece.times for piece in pieces])
    order = np.lexsort((low, lsn))
    records = pa.concat_batches([piece.records for piece in pieces]).take(pa.array(order))
    rejects: list[Reject] = sorted(
        (reject for piece in pieces for reject in piece.rejects),
        key=lambda reject: reject.position,
    )
    return Piece(records, lsn[order], low[order], times[order], rejects)
