"""Checks of what a source reads: schema, splits, chunks, and reading the same again."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pyarrow as pa

from ferris_beam.connector import Chunk, Reader, Split
from ferris_beam.errors import SourceChangedError
from ferris_beam.interval import IntervalSet
from ferris_beam.testing.cases import SourceCase
from ferris_beam.testing.checks import NotApplicable, demand, fail
from ferris_beam.testing.reading import all_splits, borders, opened, part, random_cuts, read_all
from ferris_beam.testing.rows import demand_rows, rows

_ROUNDS = 8


def batches_have_the_announced_schema(case: SourceCase) -> None:
    """Every batch has exactly the schema that `Reader.schema` announces.

    Plans are made and sinks create their tables from it before the first batch arrives; a batch
    that differs fails late, in a worker.
    """
    with opened(case) as reader:
        schema = reader.schema()
        demand(isinstance(schema, pa.Schema), f"schema() gives {schema!r}, no pyarrow.Schema")
        for split in all_splits(reader):
            for chunk in reader.read(split):
                demand(
                    chunk.records.schema.equals(schema),
                    f"the batch up to {chunk.end} of {split.interval} has\n{chunk.records.schema}\n"
                    f"where schema() announced\n{schema}",
                )


def splits_cover_everything_once(case: SourceCase) -> None:
    """The splits together are all rows, and no position is in two of them; a bounded source has no
    split without an end, an unbounded one has some.

    Splits are what is read: a gap is lost rows, an overlap is doubled ones, and a ledger that has
    seen half of an overlap can't take the other half.
    """
    with opened(case) as reader:
        seen = IntervalSet()
        splits = all_splits(reader)
        for split in splits:
            endless = split.interval.end is None
            demand(
                not (endless and reader.bounded),
                f"{split.interval} never ends, although the reader says that it is bounded",
            )
            if not endless:
                demand(not seen.touches(split.interval), f"{split.interval} overlaps another split")
                seen.add(split.interval)
        units = [split.interval.unit for split in splits if split.interval.end is None]
        demand(len(units) == len(set(units)), f"an endless unit is split twice: {units}")
        demand(reader.bounded or units, "the reader is unbounded, but every split of it ends")
        demand_rows(read_all(reader), case.expected, "all splits together")


def splits_are_the_same_in_every_process(case: SourceCase) -> None:
    """Another reader of the same endpoint gives the same splits.

    A restart subtracts what ledgers hold from new splits. Borders may depend on the unit and on
    constants, never on the time, on a batch size or on the number of threads.
    """
    with opened(case) as first, opened(case) as second:
        known = {split.interval.unit: split.identity for split in all_splits(first)}
        before, after = list(first.splits({})), list(second.splits(known))
        where = {(split.interval, split.identity) for split in before}
        again = {(split.interval, split.identity) for split in after}
        different = sorted(str(interval) for interval, _ in where ^ again)
        demand(not different, f"two readers differ in the splits {', '.join(different)}")


def chunks_cover_their_interval(case: SourceCase) -> None:
    """The ends of chunks rise strictly, and the last one is the end of the interval; empty batches
    count too.

    Each chunk becomes an interval in the ledgers, from the end of the one before it to its own.
    What no chunk covers is never done, and is read again at each restart.
    """
    with opened(case) as reader:
        for split in all_splits(reader):
            _check_ends(split, list(reader.read(split)))


def _check_ends(split: Split, chunks: list[Chunk]) -> None:
    interval = split.interval
    ends = [interval.start, *(chunk.end for chunk in chunks)]
    for before, end in pairwise(ends):
        demand(end > before, f"{interval}: a chunk ends at {end}, the one before it at {before}")
    if interval.end is not None:
        demand(
            ends[-1] == interval.end,
            f"{interval}: the last chunk ends at {ends[-1]}, the interval at {interval.end}",
        )
    demand(all(chunk.nbytes >= 0 for chunk in chunks), f"{interval}: nbytes below 0")


def intervals_read_again_are_equal(case: SourceCase) -> None:
    """Where the reader says it is replayable, any part of a unit that begins and ends at ends of
    chunks (where it is divisible: at multiples of the grain) yields the same chunks as before: the
    same ends, rows and rejected rows, whatever was read before it.

    That is what exactly-once rests on: after a kill, what the ledger lacks is read again, and must
    be the rest of what was written, cut at the same borders. Where the reader says that it cuts,
    the chunks may have others, but none that cross those of the split; the rows are the same.
    """
    with opened(case) as reader, opened(case) as another:
        if not reader.replayable:
            raise NotApplicable("the reader is not replayable")
        chance = random.Random(case.seed)
        for split in all_splits(reader):
            whole = list(reader.read(split))
            at = borders(split, whole)
            for number in range(_ROUNDS if len(at) > 1 else 0):
                pieces = random_cuts(chance, at)
                chance.shuffle(pieces)
                again = _read_pieces(reader if number % 2 else another, split, pieces)
                if reader.cuts:
                    _demand_borders(split, pieces, whole, reader)
                    again, wanted = _one(again), _one(whole)
                else:
                    wanted = whole
                _demand_same(split, pieces, wanted, again)


def _read_pieces(reader: Reader, split: Split, pieces: list[tuple[int, int]]) -> list[Chunk]:
    chunks: list[Chunk] = []
    for start, end in pieces:
        chunks += reader.read(part(split, start, end))
    return sorted(chunks, key=lambda chunk: chunk.end)


def _demand_borders(
    split: Split, pieces: list[tuple[int, int]], whole: list[Chunk], reader: Reader
) -> None:
    """No chunk may cross a border up to which a sink holds the unit already."""
    at = tuple(sorted(end for _, end in pieces))
    again = list(reader.read(replace(split, borders=at)))
    missed = set(at) - {chunk.end for chunk in again}
    demand(not missed, f"{split.interval.unit}: chunks cross the borders {sorted(missed)}")
    _demand_same(split, [(split.interval.start, at[-1])], _one(whole), _one(again))


def _one(chunks: list[Chunk]) -> list[Chunk]:
    """All chunks as one."""
    records = pa.concat_batches([chunk.records for chunk in chunks])
    rejects = [reject for chunk in chunks for reject in chunk.rejects]
    return [Chunk(records, chunks[-1].end, rejects)]


def _demand_same(
    split: Split, pieces: list[tuple[int, int]], whole: list[Chunk], again: list[Chunk]
) -> None:
    where = f"{split.interval.unit} read in the pieces {pieces}"
    ends, wanted = [chunk.end for chunk in again], [chunk.end for chunk in whole]
    demand(ends == wanted, f"{where}: chunks end at {ends}, read as a whole at {wanted}")
    for one, other in zip(whole, again, strict=True):
        names = one.records.schema.names
        demand(
            rows(one.records, names) == rows(other.records, names),
            f"{where}: the rows up to {one.end} are others than the first time",
        )
        demand(
            list(one.rejects) == list(other.rejects),
            f"{where}: the rejected rows up to {one.end} are others than the first time",
        )


def ordered_units_keep_their_order(case: SourceCase) -> None:
    """Where the reader says it is ordered, each split says so too, the rows of a unit come in their
    order, and neither the watermark nor what it promises goes back.

    A sink commits an ordered unit's batches one after the other; what is split in the middle or
    comes late would have to wait for ever.
    """
    with opened(case) as reader:
        if not reader.ordered:
            flags = [split.interval for split in all_splits(reader) if split.ordered]
            demand(not flags, f"{flags} are ordered, but the reader says that it is not")
            raise NotApplicable("the reader is not ordered")
        splits = all_splits(reader)
        for split in splits:
            demand(split.ordered, f"{split.interval} does not say that it is ordered")
            _check_watermarks(split, list(reader.read(split)))
        if len(splits) == 1:
            names = case.expected.schema.names
            found = rows(read_all(reader), names)
            demand(found == rows(case.expected, names), "the rows come in another order")


def _check_watermarks(split: Split, chunks: list[Chunk]) -> None:
    reached: int | None = None
    for chunk in chunks:
        if chunk.timestamp is not None and reached is not None and chunk.records.num_rows:
            demand(
                chunk.timestamp >= reached,
                f"{split.interval}: rows of {chunk.timestamp} after the watermark {reached}",
            )
        if chunk.watermark is not None:
            demand(
                reached is None or chunk.watermark >= reached,
                f"{split.interval}: the watermark falls from {reached} to {chunk.watermark}",
            )
            reached = chunk.watermark


def a_changed_unit_is_noticed(case: SourceCase) -> None:
    """A unit whose content was replaced has another identity, and reading it by an old split raises
    `SourceChangedError`.

    Half of the old rows and half of the new ones are the rows of neither; the identity is how a
    ledger tells.
    """
    if case.change is None:
        raise NotApplicable("needs `change`, which replaces the content of a unit")
    with opened(case) as reader:
        before = all_splits(reader)
    case.change()
    with opened(case) as reader:
        after = {split.interval.unit: split.identity for split in reader.splits({})}
        changed = [split for split in before if after.get(split.interval.unit) != split.identity]
        demand(changed, "every unit has the identity that it had before its content was replaced")
        try:
            list(reader.read(changed[0]))
        except SourceChangedError:
            return
        fail(f"{changed[0].interval} was read as if nothing had changed")
