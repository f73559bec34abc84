"""SQL texts through the whole system, many in one pipeline, and their results."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import uuid4

import apache_beam as beam
import pyarrow as pa

from ferris_beam.batches import Batch
from ferris_beam.sql.execution.given import given_schema
from ferris_beam.sql.execution.transform import Sql
from ferris_beam.transforms.dead_letters import DeadLetters
from tests.transforms.pipelines import options

_collected: dict[str, list[Batch]] = defaultdict(list)
_lock = threading.Lock()


class Collect(beam.DoFn):
    """Keeps batches under a key of this process: FnApiRunner's threads are in it."""

    def __init__(self, key: str) -> None:
        self.key = key

    def process(self, batch: Batch) -> None:
        with _lock:
            _collected[self.key].append(batch)


class Result:
    """What comes out of one text: its batches and the schema that the plan promised."""

    def __init__(
        self,
        pipeline: beam.Pipeline,
        name: str,
        text: str,
        dead_letters: DeadLetters | None = None,
    ) -> None:
        self.key = uuid4().hex
        batches = pipeline | name >> Sql(text, dead_letters=dead_letters)
        self.schema = given_schema(name, batches)
        batches | f"{name}: Collect" >> beam.ParDo(Collect(self.key))

    def table(self) -> pa.Table:
        """All rows, in the order in which they were put out."""
        batches = _collected.pop(self.key, [])
        batches.sort(key=_place)
        records = [batch.records for batch in batches if batch.records.num_columns]
        for each in records:
            assert each.schema.equals(self.schema), f"{each.schema}\nbut planned {self.schema}"
        return pa.Table.from_batches(records, self.schema)


def _place(batch: Batch) -> tuple[str, int, tuple[tuple[int, int], ...]]:
    if batch.origin is None:
        return "", 0, ()
    interval = batch.origin.interval
    return interval.unit, interval.start, batch.origin.parts


def run_one(text: str, *flags: str, threads: int = 2) -> pa.Table:
    """The result of the last statement of ``text``. Raises what the pipeline raises."""
    pipeline = beam.Pipeline(options=options(*flags, threads=threads))
    result = Result(pipeline, "query", text)
    pipeline.run().wait_until_finish()
    return result.table()


Outcomes = dict[str, "pa.Table | Exception"]


def run_together(texts: Mapping[str, str], *flags: str, threads: int = 2) -> Outcomes:
    """The result of each text, by name, or what went wrong with it: one pipeline for all, and
    again one for each where that failed."""
    outcomes: Outcomes = {}
    results = _built(texts, outcomes, flags, threads)
    if results is None:
        return outcomes
    pipeline, built = results
    try:
        pipeline.run().wait_until_finish()
        tables = {name: result.table() for name, result in built.items()}
    except Exception:
        return outcomes | {name: _alone(texts[name], flags, threads) for name in built}
    return outcomes | tables


def _built(
    texts: Mapping[str, str], outcomes: Outcomes, flags: Sequence[str], threads: int
) -> tuple[beam.Pipeline, dict[str, Result]] | None:
    """A pipeline of all texts that can be planned; errors of the others go to ``outcomes``."""
    while names := [name for name in texts if name not in outcomes]:
        pipeline = beam.Pipeline(options=options(*flags, threads=threads))
        results = {}
        for name in names:
            try:
                results[name] = Result(pipeline, name, texts[name])
            except Exception as error:
                outcomes[name] = error
                break  # what it left in the pipeline must not run
        else:
            return pipeline, results
    return None


def _alone(text: str, flags: Sequence[str], threads: int) -> pa.Table | Exception:
    try:
        return run_one(text, *flags, threads=threads)
    except Exception as error:
        return error
