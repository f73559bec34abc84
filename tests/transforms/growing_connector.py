"""A connector for tests: units that appear while it is read, of both kinds, bounded and endless."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from ferris_beam.connector import ENDED, Chunk, Connector, Reader, SourceFacts, Split
from ferris_beam.interval import Interval
from ferris_beam.options import Options, option


@dataclass
class Unit:
    """Cells of one row each; an endless unit may get more, until ``ended``."""

    cells: int
    endless: bool = False
    identity: str = "1"
    ended: bool = False


@dataclass
class World:
    """What there is to read now, how often it was asked for, and which cells were read."""

    units: dict[str, Unit] = field(default_factory=dict)
    polls: int = 0
    read: Counter[tuple[str, int]] = field(default_factory=Counter)


WORLD = World()


class GrowingOptions(Options):
    """How it is polled."""

    every: float = option(0.01, description="seconds between polls", example=0.01)


class GrowingReader(Reader):
    bounded = False

    def __init__(self, uri: object, options: GrowingOptions) -> None:
        self.poll_seconds = options.every

    def schema(self) -> pa.Schema:
        return pa.schema([("x", pa.string())])

    def splits(self, known: Mapping[str, str]) -> Iterable[Split]:
        WORLD.polls += 1
        for name, unit in sorted(WORLD.units.items()):
            end = None if unit.endless else unit.cells
            yield Split(
                Interval(name, 0, end),
                unit.identity,
                divisible=not unit.endless,
                ordered=unit.endless,
            )

    def read(self, split: Split) -> Iterator[Chunk]:
        name, start = split.interval.unit, split.interval.start
        unit = WORLD.units[name]
        for cell in range(start, unit.cells):
            WORLD.read[name, cell] += 1
            yield Chunk(pa.record_batch({"x": [f"{name}-{cell}"]}), cell + 1, nbytes=8)
        if unit.endless and unit.ended:
            nothing = pa.RecordBatch.from_pylist([], schema=self.schema())
            yield Chunk(nothing, ENDED, final=True)


CONNECTOR = Connector(
    name="growing",
    schemes=("growing",),
    summary="Units that appear, for tests.",
    source=SourceFacts(
        "tests.transforms.growing_connector:GrowingOptions",
        "tests.transforms.growing_connector:GrowingReader",
        unit="a unit",
        delivery="exactly once",
    ),
)
