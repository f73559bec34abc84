"""Checks of a reader's life: pickling, closing, rejected rows, endless units, secrets, failures."""

from __future__ import annotations

import pickle
import threading
from contextlib import suppress

from ferris_beam.connector import Backlog, Chunk, Reader, Split, Writer
from ferris_beam.interval import IntervalSet
from ferris_beam.testing.cases import SourceCase
from ferris_beam.testing.checks import NotApplicable, demand
from ferris_beam.testing.endpoint_checks import Overheard, check_failure, check_secrets
from ferris_beam.testing.reading import all_splits, opened, opening, part, read_all
from ferris_beam.testing.rows import demand_rows, table_of
from ferris_beam.testing.touching import touching_nothing


def readers_travel_by_pickle(case: SourceCase) -> None:
    """A reader can be pickled before and after it was opened, which touches nothing, and what
    arrives reads the same; so can its splits.

    Beam pickles readers to its workers, and makes more of them from the same pickle.
    """
    with opened(case) as reader:
        splits = all_splits(reader)
        before = read_all(reader)
        with touching_nothing("pickling an open reader"):
            used = pickle.dumps(reader)
        unused = pickle.dumps(case.reader())
        with touching_nothing("loading a reader's pickle"):
            copies = [pickle.loads(used), pickle.loads(unused)]
        demand(pickle.loads(pickle.dumps(splits)) == splits, "splits are others once pickled")
        for copy in copies:
            with opening(copy):
                demand_rows(read_all(copy), before, "a reader that came by pickle")


def readers_close_at_any_time(case: SourceCase) -> None:
    """`close` works twice, without `open`, in the midst of reading and after an error; a reader can
    be opened again after it.

    Runners stop workers whenever they like, and a second exception hides the first.
    """
    never = case.reader()
    never.close()
    never.close()
    with opened(case) as reader:
        before = read_all(reader)
        for split in all_splits(reader):
            chunks = reader.read(split)
            next(chunks, None)
            with suppress(KeyError):
                getattr(chunks, "throw", _nothing)(KeyError("an error in the midst of reading"))
        reader.close()
        reader.close()
        reader.open()
        demand_rows(read_all(reader), before, "a reader that was closed and opened again")


def _nothing(_: BaseException) -> None:
    """Iterators that are no generators can't be told."""


def rejects_tell_where_and_why(case: SourceCase) -> None:
    """A row that can't be read is a `Reject` of its chunk, with a position between the chunk's
    borders, a place in words, a reason and the raw row; all other rows are read.

    It is all that a person gets to see in the dead letters: what is not in it can't be repaired.
    """
    found = 0
    with opened(case) as reader:
        for split in all_splits(reader):
            start = split.interval.start
            for chunk in reader.read(split):
                for reject in chunk.rejects:
                    where = f"the rejected row at {reject.position} of {split.interval.unit}"
                    demand(
                        start <= reject.position < chunk.end,
                        f"{where} is not in its chunk [{start}, {chunk.end})",
                    )
                    demand(reject.place.strip(), f"{where} says no place")
                    demand(reject.reason.strip(), f"{where} says no reason")
                    demand(reject.payload, f"{where} holds no raw row")
                    demand(isinstance(reject.payload, bytes), f"{where}: its payload is not bytes")
                    demand(reject.category.strip(), f"{where} has no category")
                found += len(chunk.rejects)
                start = chunk.end
    demand(found == case.rejected, f"{found} rows were rejected, not {case.rejected}")
    if not case.rejected:
        raise NotApplicable("needs a source with rows that can't be read, and `rejected`")


def endless_units_return_when_idle(case: SourceCase) -> None:
    """Reading an endless unit ends when there is nothing to read at present, without waiting for
    more; what comes later is read from the position that was reached.

    The engine asks again by itself. A reader that waits keeps its worker from checkpoints, from
    watermarks of other units, and from stopping.
    """
    if case.reader().bounded:
        raise NotApplicable("the source is bounded")
    outcome: list[BaseException | None] = []

    def attempt() -> None:
        try:
            _read_endless(case)
            outcome.append(None)
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(case.patience)
    demand(outcome, f"reading did not return within {case.patience} seconds")
    if outcome[0] is not None:
        raise outcome[0]


def _read_endless(case: SourceCase) -> None:
    with opened(case) as reader:
        schema = reader.schema()
        reached: dict[str, tuple[Split, int]] = {}
        for split in all_splits(reader):
            if split.interval.end is None:
                end = _reached(split, list(reader.read(split)))
                reached[split.interval.unit] = (split, end)
        for split, end in reached.values():
            idle = list(reader.read(part(split, end, None)))
            demand(not idle, f"{split.interval.unit} gives chunks where nothing is new")
        if case.grow is None:
            raise NotApplicable("needs `grow`, which adds rows to the endless source")
        wanted = case.grow()
        chunks = []
        for split in reader.splits({}):
            start = reached[split.interval.unit][1] if split.interval.unit in reached else 0
            chunks += list(reader.read(part(split, start, split.interval.end)))
        demand_rows(table_of(chunks, schema), wanted, "after new rows came")


def _reached(split: Split, chunks: list[Chunk]) -> int:
    return chunks[-1].end if chunks else split.interval.start


def the_backlog_shrinks_to_nothing(case: SourceCase) -> None:
    """A reader that knows its backlog says less and less as it is read, and at the end nothing is
    left and it is idle; where rows are left it is not idle.

    Progress, lag and autoscaling are shown from it; a unit that counts as idle holds back no
    watermark.
    """
    with opened(case) as reader:
        known = False
        splits = all_splits(reader)
        ends = IntervalSet(split.interval for split in splits if split.interval.end is not None)
        for split in splits:
            chunks = list(reader.read(split))
            at = [split.interval.start, *(chunk.end for chunk in chunks)]
            left = [backlog for p in at if (backlog := reader.backlog(split, p)) is not None]
            if left and chunks:
                known = True
                demand(len(left) == len(at), f"{split.interval}: not known at all positions")
                last = split.interval.end in (None, ends.end_of(split.interval.unit))
                _check_backlog(split, left, last)
        if not known:
            raise NotApplicable("the reader does not know its backlog")


def _check_backlog(split: Split, left: list[Backlog], last: bool) -> None:
    """``left`` as a split was read; ``last``: behind it nothing of the unit is left."""
    sizes = [backlog.nbytes for backlog in left]
    demand(min(sizes) >= 0, f"{split.interval}: {min(sizes)} bytes are left")
    falls = sizes == sorted(sizes, reverse=True)
    demand(falls, f"{split.interval}: what is left grows as it is read: {sizes}")
    demand(not left[0].idle, f"{split.interval}: idle before anything was read")
    idle = left[-1].idle and not sizes[-1]
    demand(not last or idle, f"{split.interval}: {left[-1]} at the end of its unit")


def source_secrets_stay_secret(case: SourceCase) -> None:
    """No secret is in a reader's repr or pickle, in its splits, rejected rows or errors, or in the
    log.

    All of these are stored and shown: pickles in the job's graph, splits in checkpoints, errors on
    screens. A `Secret` is a reference; resolve it where you connect, and keep the value nowhere.
    """

    def use(reader: Reader | Writer, overheard: Overheard) -> None:
        assert isinstance(reader, Reader)
        with opening(reader):
            for split in reader.splits({}):
                overheard.add("a split", f"{split!r} {split.details!r}")
                for chunk in reader.read(split):
                    overheard.add("a rejected row", f"{list(chunk.rejects)!r}")
            _overhear_open(reader, overheard)

    check_secrets(case, use)


def _overhear_open(reader: Reader, overheard: Overheard) -> None:
    overheard.add("the repr of an open reader", f"{reader!r}")
    overheard.add("the pickle of an open reader", pickle.dumps(reader))


def source_failures_are_of_our_kinds(case: SourceCase) -> None:
    """What a driver raises arrives as `TransientError` where another try may help, else as
    `FatalError` or `ConfigurationError` that says what to do; and `close` still works.

    The kind decides whether the engine tries again; a foreign exception stops everything, and tells
    the user of the driver's inside.
    """

    def use(reader: Reader | Writer) -> None:
        assert isinstance(reader, Reader)
        reader.open()
        for split in reader.splits({}):
            for _ in reader.read(split):
                pass
        reader.schema()

    check_failure(case, use)
