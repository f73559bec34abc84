"""Reads that the plans of one program share."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import apache_beam as beam
from apache_beam.pvalue import PCollection

from ferris_beam.sql.nodes import Aggregate, Node, Scan
from ferris_beam.sql.rules.predicate import arrow_predicate
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
    reads: dict[Hashable, PCollection] = field(default_factory=dict)
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
            label = read.default_label()
            number = sum(str(other[0]) == str(key[0]) for other in self.reads)  # type: ignore[index]
            self.reads[key] = self.pipeline | (f"{label} {number + 1}" if number else label) >> read
        return self.reads[key]

    def gives_dictionaries(self, scan: Scan) -> bool:
        """Whether its texts may come dictionary-encoded, since only GROUP BYs take them."""
        return self._needed(scan) not in self.plain

    def _needed(self, scan: Scan) -> Hashable:
        endpoint = scan.endpoint
        options = tuple(sorted((name, repr(each)) for name, each in endpoint.arguments.items()))
        key = (str(endpoint.uri.text()), options, str(arrow_predicate(scan)), scan.limit)
        self.columns.setdefault(key, {}).update(dict.fromkeys(scan.names))
        return key
