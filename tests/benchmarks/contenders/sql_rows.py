"""Beam's own way: rows as dictionaries, windows, CombinePerKey."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timezone
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.transforms.window import FixedWindows, TimestampedValue
from apache_beam.utils.timestamp import Timestamp

_ROWS: list[dict[str, Any]] = []
_State = tuple[int, float]


class _CountAndSum(beam.CombineFn):
    def create_accumulator(self) -> _State:
        return 0, 0.0

    def add_input(self, state: _State, value: float) -> _State:
        return state[0] + 1, state[1] + value

    def merge_accumulators(self, states: Iterable[_State]) -> _State:
        counts, sums = zip(*states, strict=True)
        return sum(counts), sum(sums)

    def extract_output(self, state: _State) -> _State:
        return state


class _Keyed(beam.DoFn):
    def process(self, row: dict[str, Any]) -> Iterator[Any]:
        time = Timestamp.from_utc_datetime(row["happened_at"])
        yield TimestampedValue((row["key"], row["value"]), time)


class _Collect(beam.DoFn):
    def process(self, found: tuple[str, _State], window: Any = beam.DoFn.WindowParam) -> None:
        key, (count, total) = found
        start = window.start.micros
        mean = total / count
        _ROWS.append({"window_start": start, "key": key, "n": count, "total": total, "mean": mean})


def tumble(source: str, target: str) -> None:
    _ROWS.clear()
    with beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"])) as pipeline:
        (
            pipeline
            | beam.Create([source])
            | beam.FlatMap(_rows)
            | beam.ParDo(_Keyed())
            | beam.WindowInto(FixedWindows(60))
            | beam.CombinePerKey(_CountAndSum())
            | beam.ParDo(_Collect())
        )
    table = pa.Table.from_pylist(_ROWS)
    start = table["window_start"].cast(pa.timestamp("us"))
    pq.write_table(table.set_column(0, "window_start", start), target)


def _rows(source: str) -> Iterator[dict[str, Any]]:
    for batch in pq.ParquetFile(source).iter_batches(columns=["happened_at", "key", "value"]):
        for row in batch.to_pylist():
            row["happened_at"] = row["happened_at"].replace(tzinfo=timezone.utc)
            yield row
