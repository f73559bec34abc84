"""Using a reader as the engine does, for the checks."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

import pyarrow as pa

from ferris_beam.connector import Chunk, Reader, Split
from ferris_beam.interval import Interval
from ferris_beam.testing.cases import SourceCase
from ferris_beam.testing.checks import demand
from ferris_beam.testing.rows import table_of


@contextmanager
def opened(case: SourceCase) -> Iterator[Reader]:
    """A new reader, open within."""
    with opening(case.reader()) as reader:
        yield reader


@contextmanager
def opening(reader: Reader) -> Iterator[Reader]:
    try:
        reader.open()
        yield reader
    finally:
        reader.close()


def all_splits(reader: Reader) -> list[Split]:
    """All splits of an open reader; there must be some."""
    splits = list(reader.splits({}))
    demand(splits, "splits({}) gives nothing to read, although the case expects rows")
    return splits


def read_all(reader: Reader) -> pa.Table:
    """The rows of all splits of an open reader, one after the other."""
    schema = reader.schema()
    chunks = [chunk for split in all_splits(reader) for chunk in reader.read(split)]
    return table_of(chunks, schema)


def part(split: Split, start: int, end: int | None) -> Split:
    """The same split with other borders, as the engine narrows it."""
    return replace(split, interval=Interval(split.interval.unit, start, end))


def borders(split: Split, chunks: Sequence[Chunk]) -> list[int]:
    """Where reading may begin or end: the ends of chunks, and where divisible each multiple of the
    grain that is near enough to be tried."""
    found = {split.interval.start, *(chunk.end for chunk in chunks)}
    end = split.interval.end
    if split.divisible and not split.ordered and end is not None:
        first = -(-split.interval.start // split.grain) * split.grain
        last = min(end, first + 256 * split.grain)
        found.update(range(first, last, split.grain))
    return sorted(found)


def random_cuts(chance: random.Random, at: Sequence[int]) -> list[tuple[int, int]]:
    """The whole from the first to the last border, in some pieces."""
    inner = list(at[1:-1])
    cuts = sorted(chance.sample(inner, chance.randint(0, min(len(inner), 4))))
    whole = [at[0], *cuts, at[-1]]
    return list(pairwise(whole))
