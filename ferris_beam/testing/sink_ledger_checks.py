"""Checks of a sink's ledger: what it remembers, what it refuses, who may write to it."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from ferris_beam.errors import ConflictError, SourceChangedError, SupersededError
from ferris_beam.interval import Interval
from ferris_beam.ledger import Entry
from ferris_beam.testing.cases import SinkCase
from ferris_beam.testing.checks import NotApplicable, demand
from ferris_beam.testing.writing import (
    PATH,
    Piece,
    demand_refused,
    demand_visible,
    identity,
    pieces,
    running,
)


def the_ledger_remembers(case: SinkCase) -> None:
    """After a commit the ledger holds its intervals, its rows, the identity of each unit and the
    rejected rows; another writer of the same pipeline sees that, another pipeline does not.

    A restart asks nothing but the ledger what is still to be read.
    """
    first, second, *_ = pieces(case.table)
    first = Piece(first.records, replace(first.entry, rejects=b"rejected rows \x00\xff"))
    with running(case) as run:
        demand(not run.writer.ledger().committed, "a ledger of nothing holds intervals")
        run.commit(first)
        _demand_remembered(run.writer.ledger(), first, "the writer that committed it")
    with running(case) as again:
        _demand_remembered(again.writer.ledger(), first, "another writer of the same run")
        demand(not again.writer.ledger().is_masked(second.entry.origin), "more is done than was")
        demand(not again.writer.ledger().finished, "it is finished before finish()")
    stranger = case.opened(identity("run-1", name="another pipeline"))
    try:
        demand(not stranger.ledger().epoch, "another pipeline finds a ledger that is not its own")
    finally:
        stranger.close()


def _demand_remembered(state: object, piece: Piece, where: str) -> None:
    from ferris_beam.ledger import LedgerState

    assert isinstance(state, LedgerState)
    origin = piece.entry.origin
    demand(state.is_masked(origin), f"{where} does not find {origin.interval} in the ledger")
    rows = piece.entry.rows
    demand(state.rows == rows, f"{where} finds {state.rows} rows in the ledger, not {rows}")
    found = state.identities.get(origin.interval.unit)
    demand(found == origin.identity, f"{where} finds the unit's identity to be {found!r}")
    rejects = state.outbox.get((PATH, origin.interval))
    demand(rejects == piece.entry.rejects, f"{where} finds the rejected rows to be {rejects!r}")
    held = (state.epoch, state.generation, state.run, state.plan)
    demand(held == (1, 1, "run-1", "plan"), f"{where} finds the claim to be {held}")


def repeats_are_refused(case: SinkCase) -> None:
    """A commit of intervals of which some are committed raises `ConflictError` and writes nothing;
    the same interval on another path is another one.

    Runners repeat bundles. The sink's own check, in the step that writes, is what makes rows appear
    once; what the engine skips before is for speed.
    """
    first, second, third, fourth = pieces(case.table)
    with running(case) as run:
        run.commit(first, second)
        demand_refused(ConflictError, lambda: run.commit(second), "a second commit of an interval")
        demand_refused(
            ConflictError, lambda: run.commit(second, third), "a commit that is known in part"
        )
        run.commit(third)
        elsewhere = replace(third.entry.origin, path=("Read", "Map"))
        run.commit(Piece(fourth.records, Entry(elsewhere, fourth.entry.rows)))
        run.finish()
    demand_visible(case, case.table, "after repeats were refused")


def empty_commits_are_progress(case: SinkCase) -> None:
    """A commit without rows puts its intervals into the ledger like any other.

    A filter may leave nothing of an interval: were it not remembered, each restart would read it
    again.
    """
    first, second, *_ = pieces(case.table)
    with running(case) as run:
        staged = run.writer.begin()
        receipt = run.writer.commit(run.epoch, staged, [Entry(first.entry.origin, 0)])
        demand(receipt.rows == 0, f"the receipt of a commit without rows counts {receipt.rows}")
        state = run.writer.ledger()
        demand(state.is_masked(first.entry.origin), "the interval of no rows is not in the ledger")
        run.commit(second)
        run.finish()
    demand_visible(case, case.table.slice(6, 6), "after a commit without rows and one with some")


def changed_units_are_refused(case: SinkCase) -> None:
    """A commit of a unit whose identity is another than the ledger's raises `SourceChangedError`
    and writes nothing.

    The rows of two versions of a file don't belong together.
    """
    first, second, *_ = pieces(case.table)
    changed = replace(second.entry.origin, identity="version-2")
    with running(case) as run:
        run.commit(first)
        demand_refused(
            SourceChangedError,
            lambda: run.commit(Piece(second.records, Entry(changed, second.entry.rows))),
            "a commit of another version of a unit",
        )
        run.finish()
    demand_visible(case, case.table.slice(0, 6), "after a changed unit was refused")


def ordered_units_stay_in_order(case: SinkCase) -> None:
    """A commit of an ordered unit that does not begin where the ledger ends raises `ConflictError`
    and writes nothing.

    Of changes to one row, the last one to arrive must be the last one that was made.
    """
    first, second, third, fourth = pieces(case.table, ordered=True)
    with running(case) as run:
        run.commit(first)
        demand_refused(ConflictError, lambda: run.commit(third), "a commit ahead of its turn")
        run.commit(second, third)
        run.commit(fourth)
        run.finish()
    demand_visible(case, case.table, "after an ordered unit was committed in order")


def older_runs_are_superseded(case: SinkCase) -> None:
    """Once a run has claimed the sink, commits, claims and the finish of the run before it raise
    `SupersededError` and change nothing; so does a claim of an epoch that is not higher.

    A process that was thought dead may wake up: of two writers with one name the older one loses.
    """
    first, second, third, _ = pieces(case.table)
    with running(case) as old:
        old.commit(first)
        with running(case, "run-2", epoch=2) as new:
            demand_refused(SupersededError, lambda: old.commit(second), "a commit of the older run")
            demand_refused(SupersededError, old.finish, "the finish of the older run")
            demand_refused(
                SupersededError, lambda: old.writer.claim(3, 1), "a new claim of the older run"
            )
            _demand_epochs_rise(case)
            demand(new.writer.ledger().epoch == 2, "the ledger lost the epoch of the newer run")
            new.commit(second, third)
            new.finish()
    demand_visible(case, case.table.slice(0, 18), "after the older run was refused")


def _demand_epochs_rise(case: SinkCase) -> None:
    late = case.opened(identity("run-3"))
    try:
        demand_refused(SupersededError, lambda: late.claim(2, 1), "a claim of a taken epoch")
        demand_refused(SupersededError, lambda: late.claim(1, 1), "a claim of an older epoch")
    finally:
        late.close()


def claims_are_repeatable(case: SinkCase) -> None:
    """A run that holds the sink may claim it again, and nothing happens: its progress stays.

    Every worker claims for itself.
    """
    first, *_ = pieces(case.table)
    with running(case) as run:
        run.commit(first)
        run.writer.claim(1, 1)
        with running(case) as other:
            demand(
                other.writer.ledger().is_masked(first.entry.origin),
                "a second claim of the same run forgot what was committed",
            )
            other.finish()
    demand_visible(case, case.table.slice(0, 6), "after two claims of one run")


def a_new_generation_forgets_progress(case: SinkCase) -> None:
    """A claim of a higher generation forgets all intervals, rows and the finish, and the same
    intervals can be committed again; a claim of the same generation forgets nothing.

    That is what --rerun and --reset are. What becomes of the rows is for `if_exists` to say.
    """
    first, *_ = pieces(case.table)
    origin = first.entry.origin
    with running(case) as run:
        run.commit(first)
        run.finish()
        demand(run.writer.ledger().finished, "the ledger is not finished after finish()")
    with running(case, "run-2", epoch=2) as again:
        demand(again.writer.ledger().is_masked(origin), "a claim of the same generation forgot")
    with running(case, "run-3", epoch=3, generation=2) as fresh:
        state = fresh.writer.ledger()
        kept = {
            "the interval": state.is_masked(origin),
            "the finish": state.finished,
            "the rows": state.rows > 0,
            "the unit": bool(state.identities),
        }
        known = [what for what, is_kept in kept.items() if is_kept]
        demand(not known, f"a new generation still knows {', '.join(known)}")
        demand(state.generation == 2, f"the generation is {state.generation}, not 2")
        demand(state.missing(PATH, Interval("unit", 0, 1)), "a new generation misses nothing")
        fresh.commit(first)
        demand(fresh.writer.ledger().is_masked(origin), "the interval can't be committed again")


def finishing_is_repeatable(case: SinkCase) -> None:
    """`finish` publishes what waits for it and says so in the ledger; a second one changes nothing.

    The task that finishes may be repeated like any other.
    """
    with running(case) as run:
        run.commit(*pieces(case.table))
        run.finish()
        run.finish()
        with running(case) as other:
            other.finish()
            demand(other.writer.ledger().finished, "the ledger is not finished after finish()")
    demand_visible(case, case.table, "after finish() was called three times")


def waiting_rows_stay_hidden(case: SinkCase) -> None:
    """Where a sink says `can_wait` and the engine sets `waits`, nothing that is committed shows
    before `finish`; `prepare` says in the ledger that all is there; a claim of a new generation
    drops what waits.

    Of a source that can't be read twice, all of it appears or nothing does.
    """
    first, second, *_ = pieces(case.table)
    if not case.writer().can_wait:
        raise NotApplicable("the writer can't keep committed rows out of sight")
    with running(case, waits=True) as run:
        run.commit(first)
    with running(case, "run-2", epoch=2, generation=2, waits=True) as run:
        run.commit(second)
        demand_visible(case, case.table.slice(0, 0), "before finish() of rows that wait")
        demand(not run.writer.ledger().prepared, "it is prepared before prepare()")
        run.writer.prepare(2)
        run.writer.prepare(2)
        state = run.writer.ledger()
        demand(state.prepared, "the ledger is not prepared after prepare()")
        demand(not state.finished, "prepare() has finished it")
        demand_visible(case, case.table.slice(0, 0), "after prepare() of rows that wait")
    with running(case, "run-3", epoch=3, generation=2, waits=True) as run:
        demand(run.writer.ledger().prepared, "another run of the generation isn't prepared")
        run.finish()
    demand_visible(case, pa.Table.from_batches([second.records]), "after finish() of waiting rows")
