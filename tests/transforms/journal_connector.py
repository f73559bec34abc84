"""A connector for tests that is as hard to read as a replication slot: one endless unit whose
chunks have other borders in each run, whose reader needs more than a position to go on, and which
forgets what was acknowledged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from ferris_beam.connector import ENDED, Chunk, Connector, Reader, SourceFacts, Split
from ferris_beam.errors import TransientError
from ferris_beam.interval import Interval
from ferris_beam.options import Options, option

SCHEMA = pa.schema([("x", pa.int64())])


@dataclass
class Journal:
    """Numbers; those below ``kept_from`` are gone. ``lost_at``: where the connection is lost, once.
    ``total``: the sum of what was read, which a reader that goes on must know."""

    length: int = 0
    closed: bool = False
    kept_from: int = 0
    lost_at: int | None = None
    acknowledged: list[int] = field(default_factory=list)
    borders: list[tuple[int, ...]] = field(default_factory=list)


JOURNAL = Journal()


class JournalOptions(Options):
    """How it is read."""

    tuning = frozenset({"cut"})

    cut: int = option(7, description="rows of a chunk", example=7, ge=1)


class JournalReader(Reader):
    bounded = False
    ordered = True
    confirms = True
    cuts = True

    def __init__(self, uri: object, options: JournalOptions) -> None:
        self.cut = options.cut

    def schema(self) -> pa.Schema:
        return SCHEMA

    def splits(self, known: Mapping[str, str]) -> Iterable[Split]:
        return [Split(Interval("journal", 0, None), "1", divisible=False, ordered=True)]

    def read(self, split: Split) -> Iterator[Chunk]:
        start = split.interval.start
        assert start >= JOURNAL.kept_from, f"{start} was forgotten"
        total = sum(range(start))
        assert split.mark == (str(total) if start else ""), (start, split.mark)
        JOURNAL.borders.append(split.borders)
        while start < JOURNAL.length:
            if JOURNAL.lost_at is not None and start >= JOURNAL.lost_at:
                JOURNAL.lost_at = None
                raise TransientError("the connection was lost")
            ahead = [border for border in split.borders if border > start]
            end = min([start + self.cut, JOURNAL.length, *ahead])
            total += sum(range(start, end))
            yield Chunk(pa.record_batch({"x": range(start, end)}, SCHEMA), end, mark=str(total))
            start = end
        if JOURNAL.closed:
            yield Chunk(pa.RecordBatch.from_pylist([], SCHEMA), ENDED, final=True)

    def acknowledge(self, split: Split, position: int) -> None:
        JOURNAL.acknowledged.append(position)
        JOURNAL.kept_from = max(JOURNAL.kept_from, min(position, JOURNAL.length))


CONNECTOR = Connector(
    name="journal",
    schemes=("journal",),
    summary="An endless unit that forgets what was acknowledged, for tests.",
    source=SourceFacts(
        "tests.transforms.journal_connector:JournalOptions",
        "tests.transforms.journal_connector:JournalReader",
        unit="the journal",
        delivery="exactly once",
    ),
)
