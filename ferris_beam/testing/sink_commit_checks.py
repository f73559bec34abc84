"""Checks that rows of a sink appear together, once, and whatever dies in between."""

from __future__ import annotations

import pickle
import threading
from contextlib import suppress

from ferris_beam.connector import Writer
from ferris_beam.errors import ConflictError, FerrisError, TransientError
from ferris_beam.reliability import retrying
from ferris_beam.testing.cases import SinkCase
from ferris_beam.testing.checks import NotApplicable, demand, described, fail
from ferris_beam.testing.writing import (
    Piece,
    SinkRun,
    demand_visible,
    entries,
    forget_killed,
    identity,
    pieces,
    running,
    start,
)


def committed_rows_are_visible_once(case: SinkCase) -> None:
    """After `finish` the sink shows exactly the rows that were committed, and each receipt counts
    its own.

    An independent reader of the store is the judge: what it sees is what there is.
    """
    first, second, third, fourth = pieces(case.table)
    with running(case) as run:
        for group in ([first], [second, third], [fourth]):
            receipt = run.commit(*group)
            rows = sum(piece.records.num_rows for piece in group)
            demand(receipt.rows == rows, f"a receipt of {rows} rows counts {receipt.rows}")
            demand(receipt.nbytes > 0, f"a receipt of {rows} rows counts {receipt.nbytes} bytes")
        run.finish()
    demand_visible(case, case.table, "after three commits and the finish")


def staged_rows_are_not_visible(case: SinkCase) -> None:
    """Rows that are staged are not visible, and once rolled back they never will be; the intervals
    that they stood for can be committed later.

    A bundle that fails leaves nothing behind, or a reader sees rows that are then written again.
    """
    first, second, *_ = pieces(case.table)
    with running(case) as run:
        staged = run.stage([first])
        demand_visible(case, case.table.slice(0, 0), "while rows are staged")
        demand(not run.writer.ledger().committed, "staged rows are in the ledger")
        run.writer.rollback(staged)
        run.writer.rollback(staged)
        demand_visible(case, case.table.slice(0, 0), "after a rollback")
        run.commit(first, second)
        run.finish()
    demand_visible(case, case.table.slice(0, 12), "after a rollback and a commit")


def a_refused_commit_leaves_nothing(case: SinkCase) -> None:
    """A commit that the ledger refuses writes none of its rows and none of its intervals, and may
    be rolled back; the next commit works.

    Data and ledger change in one step or not at all: half of either can't be mended later.
    """
    first, second, third, _ = pieces(case.table)
    with running(case) as run:
        run.commit(first)
        staged = run.stage([second, first])
        try:
            run.writer.commit(1, staged, entries([second, first]))
        except ConflictError:
            run.writer.rollback(staged)
        else:
            raise NotApplicable("the sink refuses no commit; see repeats_are_refused")
        state = run.writer.ledger()
        demand(not state.is_masked(second.entry.origin), "a refused commit is in the ledger")
        demand(state.rows == 6, f"the ledger counts {state.rows} rows, of which 6 were committed")
        run.commit(second, third)
        run.finish()
    demand_visible(case, case.table.slice(0, 18), "after a commit was refused")


def a_failed_commit_can_be_repeated(case: SinkCase) -> None:
    """A commit in whose midst the store fails raises an error of ours, and leaves all or nothing;
    the next run goes on from what the ledger says.

    The moment between the rows and the ledger is where exactness is lost: they need one
    transaction, or a log that is redone at `open`.
    """
    if case.interrupted is None:
        raise NotApplicable("needs `interrupted`, in which the store fails amidst a commit")
    first, second, *_ = pieces(case.table)
    with running(case) as run:
        run.commit(first)
        staged = run.stage([second])
        try:
            with case.interrupted():
                run.writer.commit(1, staged, [second.entry])
        except FerrisError:
            with suppress(FerrisError):
                run.writer.rollback(staged)
        except Exception as error:
            fail(f"the failing store raised a foreign exception, {described(error)}", error)
        else:
            fail("the commit did not notice that the store failed")
    _go_on(case, first, second)
    demand_visible(case, case.table.slice(0, 12), "after a commit failed and was repeated")


def a_crash_before_the_commit_loses_nothing(case: SinkCase) -> None:
    """What a process staged that died before its commit is never seen; the run after it writes the
    same intervals.

    What such a process leaves behind (a temporary file, an open transaction) must hinder nobody.
    """
    first, second, *_ = pieces(case.table)
    _stage_and_die(case, first, second)
    _go_on(case, first, second)
    demand_visible(case, case.table.slice(0, 12), "after a crash before the commit")


def _stage_and_die(case: SinkCase, *staged: Piece) -> None:
    run = start(case)
    run.stage(staged)
    del run
    forget_killed()


def a_crash_after_the_commit_repeats_nothing(case: SinkCase) -> None:
    """What a process committed that died before it could do anything else is in the ledger and,
    after the finish of the run after it, visible once.

    A store without transactions has half-published things then: `open` redoes them.
    """
    first, second, *_ = pieces(case.table)
    _commit_and_die(case, first)
    with running(case, "run-2", epoch=2) as run:
        masked = run.writer.ledger().is_masked(first.entry.origin)
        demand(masked, "what was committed before the crash is not in the ledger")
    _go_on(case, first, second, run="run-3", epoch=3)
    demand_visible(case, case.table.slice(0, 12), "after a crash behind the commit")


def _commit_and_die(case: SinkCase, piece: Piece) -> None:
    run = start(case)
    run.writer.commit(run.epoch, run.stage([piece]), [piece.entry])
    del run
    forget_killed()


def _go_on(case: SinkCase, *wanted: Piece, run: str = "run-2", epoch: int = 2) -> None:
    """The next run: commits what the ledger does not have, and finishes."""
    with running(case, run, epoch) as again:
        state = again.writer.ledger()
        left = [piece for piece in wanted if not state.is_masked(piece.entry.origin)]
        again.commit(*left)
        again.finish()


def a_lost_answer_is_no_second_commit(case: SinkCase) -> None:
    """The same staged rows committed once more, since the answer of the first time was lost, give
    the same receipt and appear once.

    After a `TransientError` the engine can't know whether the commit succeeded: it tries again.
    """
    first, second, *_ = pieces(case.table)
    with running(case) as run:
        staged = run.stage([first])
        receipts = [run.writer.commit(1, staged, [first.entry]) for _ in range(2)]
        counts = [receipt.rows for receipt in receipts]
        demand(counts == [6, 6], f"the receipts of a commit and its repetition count {counts} rows")
        run.commit(second)
        run.finish()
    demand_visible(case, case.table.slice(0, 12), "after a commit whose answer was lost")


def two_writers_share_the_sink(case: SinkCase) -> None:
    """Two writers of one run that commit at the same time both succeed, some commits at a second
    try; all rows appear once.

    Each worker has a writer of its own. What they have in common is the store, and it must put
    their commits in one order.
    """
    cut = pieces(case.table, 12)
    failures: list[BaseException] = []
    together = threading.Barrier(2)

    def work(mine: list[Piece]) -> None:
        try:
            with running(case) as run:
                together.wait(30)
                for piece in mine:
                    _commit_patiently(run, piece)
        except BaseException as error:
            together.abort()
            failures.append(error)

    threads = [threading.Thread(target=work, args=(cut[number::2],)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    if failures:
        fail(f"one of two writers failed: {described(failures[0])}", failures[0])
    with running(case) as run:
        run.finish()
        count = run.writer.ledger().rows
        demand(count == case.table.num_rows, f"the ledger counts {count} rows")
    demand_visible(case, case.table, "after two writers wrote at the same time")


def _commit_patiently(run: SinkRun, piece: Piece) -> None:
    """As the engine does: transient errors are tried again with the same staged rows."""
    staged = run.stage([piece])
    try:
        retrying(lambda: run.writer.commit(run.epoch, staged, [piece.entry]))
    except TransientError:
        run.writer.rollback(staged)
        raise


def writers_travel_by_pickle(case: SinkCase) -> None:
    """A writer can be pickled, and what arrives writes to the same place.

    Beam pickles writers to its workers, and makes more of them from the same pickle.
    """
    arrived = [pickle.loads(pickle.dumps(case.writer())) for _ in range(2)]
    places = {writer.place for writer in (case.writer(), *arrived)}
    demand(len(places) == 1 and "" not in places, f"the places of equal writers are {places}")
    for number, (writer, piece) in enumerate(zip(arrived, pieces(case.table), strict=False)):
        assert isinstance(writer, Writer)
        demand(writer.batch_rows > 0 < writer.batch_bytes, "it commits after no rows or no bytes")
        writer.open(identity("run-1"))
        try:
            writer.claim(1, 1)
            run = SinkRun(writer, 1)
            run.commit(piece)
            if number:
                run.finish()
        finally:
            writer.close()
    demand_visible(case, case.table.slice(0, 12), "what writers wrote that came by pickle")
