"""Runs a stage as the engine does, without Beam: prepare, cut by partition, complete."""

from __future__ import annotations

import pickle
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa

from ferris_beam.batches.hashing import split_by_partition
from ferris_beam.interval import Interval, Origin
from ferris_beam.sql import nodes
from ferris_beam.transforms.stage import Completion, Preparation

Cut = list[tuple[pa.RecordBatch, Origin]]
Partition = list[list[pa.RecordBatch]]


def given(table: pa.Table, name: str = "t") -> nodes.Given:
    return nodes.Given(table.schema, name, name, tuple(table.schema.names))


def cut(table: pa.Table, rng: random.Random, most: int = 7) -> Cut:
    """The rows in batches of random size, some of them empty, in random order; each batch with
    the place of its rows in the table."""
    found: Cut = []
    start = 0
    while start < table.num_rows or not found:
        rows = rng.randint(0, most)
        batch = batch_of(table.slice(start, rows))
        found.append((batch, Origin(("read",), Interval("file", start, start + rows + 1))))
        start += rows
    rng.shuffle(found)
    return found


def batch_of(table: pa.Table) -> pa.RecordBatch:
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], table.schema)


def partitions_of(
    preparations: Sequence[Preparation], inputs: Sequence[Cut], count: int
) -> list[Partition]:
    """What arrives in each partition, for each input."""
    arrived: list[Partition] = [[[] for _ in inputs] for _ in range(count)]
    for number, (preparation, batches) in enumerate(zip(preparations, inputs, strict=True)):
        worker = pickle.loads(pickle.dumps(preparation))
        worker.open()
        for ready in _prepared(worker, batches):
            for partition, part in split_by_partition(ready, worker.key_columns, count):
                arrived[partition][number].append(part)
    return arrived


def _prepared(worker: Preparation, batches: Cut) -> Iterator[pa.RecordBatch]:
    for records, origin in batches:
        yield from worker.add(records, origin)
    yield from worker.flush()


def run_stage(
    preparations: Sequence[Preparation],
    completion: Completion,
    inputs: Sequence[Cut],
    schema: pa.Schema,
    count: int = 3,
) -> pa.Table:
    """All results; each batch must have ``schema``."""
    worker = pickle.loads(pickle.dumps(completion))
    worker.open()
    found = [
        batch
        for number, arrived in enumerate(partitions_of(preparations, inputs, count))
        for batch in worker.results(number, arrived)
    ]
    for batch in found:
        assert batch.schema.equals(schema), (batch.schema, schema)
    return pa.Table.from_batches(found, schema)


def bag(table: pa.Table) -> Counter[str]:
    """The rows, in no order: NaN is NaN, -0.0 is 0.0, floats to nine digits."""
    return Counter(repr([_plain(value) for value in row.values()]) for row in table.to_pylist())


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 9) + 0.0
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(timezone.utc).isoformat()
    return value
