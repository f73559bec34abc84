"""Options of the faulty connector: what there is, and what goes wrong."""

from __future__ import annotations

from ferris_beam.options import Options, Secret, option


class FaultySourceOptions(Options):
    """What ``faulty://name`` reads, and its faults. Cells count from 0 in each unit."""

    tuning = frozenset({"transient", "fatal_at", "hold_at"})

    units: int = option(2, description="How many units there are.", ge=0)
    cells: int = option(4, description="Cells of each unit.", ge=1)
    rows: int = option(10, description="Numbers of each cell.", ge=0)
    version: str = option("1", description="The fingerprint of the units.")
    replayable: bool = option(
        True, description="Whether the source says that it can be read again.", example=False
    )
    reject_every: int = option(
        0, description="Every n-th number can't be read; 0: all can.", example=97, ge=0
    )
    transient: int = option(
        0, description="How many reads fail for a while before one succeeds.", example=2, ge=0
    )
    fatal_at: int = option(
        -1, description="The cell that can't be read by any try.", example=3, ge=-1
    )
    hold_at: int = option(
        -1, description="The cell before which reading waits for `GATES[name].open()`.", example=3
    )
    password: Secret | None = option(
        None, description="A secret; `OPENED` tells who resolved it.", example="env:PASSWORD"
    )


class FaultySinkOptions(Options):
    """How ``faulty://name`` is written, and its faults."""

    tuning = frozenset({"batch_rows", "transient", "lost_answers", "fatal_after", "hold_at"})

    batch_rows: int = option(25, description="Rows of a commit.", ge=1)
    refuse_every: int = option(
        0, description="Rows whose x is a multiple of it are refused; 0: none.", example=7, ge=0
    )
    transient: int = option(
        0, description="How many writes fail for a while before one succeeds.", example=2, ge=0
    )
    lost_answers: int = option(
        0, description="How many commits succeed and fail nevertheless.", example=1, ge=0
    )
    fatal_after: int = option(
        -1, description="How many commits succeed before none does any more.", example=2, ge=-1
    )
    hold_at: int = option(
        -1, description="The commit that waits for `GATES[name].open()`; the first is 0.", example=1
    )
    password: Secret | None = option(
        None, description="A secret; `OPENED` tells who resolved it.", example="env:PASSWORD"
    )
