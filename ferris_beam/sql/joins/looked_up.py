"""The rows that a source has for some keys, as the plan above its scan makes them."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from ferris_beam.connector import Reader, Residual
from ferris_beam.errors import BadRecordError
from ferris_beam.reliability import retrying
from ferris_beam.sql.execution.chains import steps_of
from ferris_beam.sql.execution.steps import Rename, Step
from ferris_beam.sql.nodes import Filter, Node, Project, Scan, Unnest
from ferris_beam.sql.rules.predicate import arrow_predicate
from ferris_beam.sql.text import SqlText
from ferris_beam.transforms.context import Run
from ferris_beam.transforms.endpoint import plan_of, shown


class LookedUp:
    """A source under filters and projections, asked for keys.

    Pickled to the workers; connects when it is asked for the first time, and stays connected. One
    thread uses it at a time.
    """

    def __init__(self, scan: Scan, top: Node, text: SqlText | None) -> None:
        resolved = scan.endpoint.resolved()
        predicate = arrow_predicate(scan)
        found = scan.endpoint.reader(resolved).pushdown(list(scan.names), predicate)
        self.reader: Reader = found[0]
        self.residual: Residual = found[1]
        self.name = shown(resolved)
        self.local_secrets = tuple(resolved.options.local_secrets)
        self.steps: list[Step] = [
            Rename(scan.names, scan.schema),
            *steps_of(_above(top), scan.schema, text),
        ]
        self._plan = f"{plan_of(resolved)} {scan.names} {predicate}"
        self._is_open = False
        self._asked = 0

    @property
    def varies(self) -> bool:
        return any(step.varies for step in self.steps)

    def description(self) -> str:
        return "; ".join([self._plan, *(step.description() for step in self.steps)])

    def open(self, run: Run) -> None:
        self._seed = f"{run.started} {run.identity.name} {self.name}"
        for step in self.steps:
            step.open(run)

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self.reader.close()

    def rows(self, keys: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """All rows whose columns equal one of ``keys``.

        Raises `BadRecordError` where one of them can't be read or computed, without saying for
        which key: who asks for fewer will find out.
        """
        self._asked += 1
        try:
            parts = [self._residual(retrying(lambda: self._answer(keys), on_retry=self.close))]
            for step in self.steps:
                parts = [
                    result
                    for number, part in enumerate(parts)
                    for result in step.results(part, f"{self._seed} {self._asked}.{number}")
                ]
        except BadRecordError as error:
            message = f"a row of {self.name} for this key: {error.message}"
            raise BadRecordError(message, error.reason, category=error.category) from error
        yield from parts

    def _answer(self, keys: pa.RecordBatch) -> pa.RecordBatch:
        if not self._is_open:
            self._is_open = True  # closed after an error, too
            self.reader.open()
        return self.reader.lookup(keys)

    def _residual(self, records: pa.RecordBatch) -> pa.RecordBatch:
        if self.residual.predicate is not None:
            records = records.filter(self.residual.predicate)
        if self.residual.columns is not None:
            records = records.select(list(self.residual.columns))
        return records


def _above(node: Node) -> list[Node]:
    """What stands above the scan, from the first that is applied to the last."""
    found: list[Node] = []
    while isinstance(node, Project | Filter | Unnest):
        found.append(node)
        node = node.input
    return found[::-1]
