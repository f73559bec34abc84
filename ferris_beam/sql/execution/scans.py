"""Reads that the plans of one program share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import PCollection

from ferris_beam.sql.nodes import Aggregate, AggregatedScan, Node, Scan, walk
from ferris_beam.sql.rules.predicate import arrow_predicate
from ferris_beam.transforms.aggregation import Aggregation
from ferris_beam.transforms.read import Read

if TYPE_CHECKING:
    from ferris_beam.transforms.dead_letters import DeadLetters


@dataclass
class Scans:
    """One Read for all scans of an endpoint that ask it for the same rows; it reads the columns
    that any of them needs."""

    pipeline: beam.Pipeline
    dead_letters: DeadLetters | None
    columns: dict[Hashable, dict[str, None]] = field(default_factory=dict)
    reads: dict[tuple[Hashable, ...], PCollection] = field(default_factory=dict)
    plain: set[Hashable] = field(default_factory=set)
    """The reads that somebody needs without dictionaries: anybody but a GROUP BY."""

    def expect(self, plans: list[Node]) -> None:
        for plan in plans:
            self._expect(plan, grouped=False)

    def _expect(self, node: Node, grouped: bool) -> None:
        if isinstance(node, Scan):
            key = self._needed(node)
            if not grouped:
                self.plain.add(key)
        for below in node.inputs:
            self._expect(below, isinstance(node, Aggregate))

    def read(self, scan: Scan) -> PCollection:
        key = self._needed(scan)
        if key not in self.reads:
            read = Read(
                scan.endpoint,
                columns=list(self.columns[key]),
                predicate=arrow_predicate(scan),
                limit=scan.limit,
                dead_letters=self.dead_letters,
            )
            read.dictionaries = self.gives_dictionaries(scan)
            if scan.event_time is not None and scan.event_time.column in self.columns[key]:
                read.event_time = scan.event_time
            self._apply(key, read)
        return self.reads[key]

    def read_aggregates(self, node: AggregatedScan) -> PCollection:
        """What the source computes: no other part of the program reads it (`StoreAggregates`)."""
        scan = node.scan
        schema = pa.schema(list(zip(node.names, node.schema.types, strict=True)))
        aggregation = Aggregation(node.keys, node.calls, schema)
        key = (*self._key(scan), aggregation.description())
        if key not in self.reads:
            read = Read(
                scan.endpoint,
                columns=list(scan.names),
                predicate=arrow_predicate(scan),
                dead_letters=self.dead_letters,
            )
            read.aggregation = aggregation
            self._apply(key, read)
        return self.reads[key]

    def _apply(self, key: tuple[Hashable, ...], read: Read) -> None:
        label = read.default_label()
        number = sum(str(other[0]) == str(key[0]) for other in self.reads)
        self.reads[key] = self.pipeline | (f"{label} {number + 1}" if number else label) >> read

    def gives_dictionaries(self, scan: Scan) -> bool:
        """Whether its texts may come dictionary-encoded, since only GROUP BYs take them."""
        return self._needed(scan) not in self.plain

    def _needed(self, scan: Scan) -> tuple[Hashable, ...]:
        key = self._key(scan)
        self.columns.setdefault(key, {}).update(dict.fromkeys(scan.names))
        return key

    @staticmethod
    def _key(scan: Scan) -> tuple[Hashable, ...]:
        """What scans that are read together have in common."""
        return (*_endpoint(scan), str(arrow_predicate(scan)), scan.limit, scan.event_time)


class StoreAggregates:
    """Asks the sources of a program which aggregations they compute (`push_aggregates`).

    Not one that several parts of the ``plans`` read: it is read once for all of them, so that they
    agree, and what is read anyway is aggregated here. Connects only where a reader does to answer.
    """

    def __init__(self, plans: Iterable[Node]) -> None:
        distinct = {id(plan): plan for plan in plans}
        scans = [each for plan in distinct.values() for each in walk(plan)]
        self._counts = Counter(_endpoint(each) for each in scans if isinstance(each, Scan))

    def __call__(self, scan: Scan, aggregation: Aggregation) -> bool:
        if self._counts[_endpoint(scan)] > 1:
            return False
        reader = scan.endpoint.reader(scan.endpoint.resolved())
        found = reader.pushdown(list(scan.names), arrow_predicate(scan))
        return aggregation.reader(*found) is not None


def _endpoint(scan: Scan) -> tuple[Hashable, ...]:
    """The source and all of its options."""
    endpoint = scan.endpoint
    options = tuple(sorted((name, repr(each)) for name, each in endpoint.arguments.items()))
    return str(endpoint.uri.text()), options
