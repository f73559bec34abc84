"""Results that are shown: every batch once, in order, counted, also where few rows are kept."""

from __future__ import annotations

from pathlib import Path

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from sqlglot import exp

from ferris_beam.batches import Batch
from ferris_beam.interval import Interval, Origin
from ferris_beam.sql.results import CollectResult, Result

SCHEMA = pa.schema({"n": pa.int64()})


def batch(start: int, rows: int, unit: str = "a", part: int | None = None) -> Batch:
    records = pa.record_batch({"n": pa.array(range(start, start + rows), pa.int64())})
    origin = Origin(("Read",), Interval(unit, start, start + max(rows, 1)))
    return Batch(records, origin if part is None else origin.part(part, 3))


def collected(folder: Path, batches: list[Batch], most: int | None = None) -> Result:
    options = PipelineOptions(["--runner=FnApiRunner"])
    with beam.Pipeline(options=options) as pipeline:
        halves = tuple(
            pipeline | f"Create {number}" >> beam.Create(batches[number::2]) for number in range(2)
        )
        _ = halves | CollectResult(folder, most)
    return Result(folder, SCHEMA)


def values(result: Result) -> list[int]:
    return [value for records in result.batches() for value in records["n"].to_pylist()]


def test_batches_come_in_the_order_of_their_units(tmp_path: Path) -> None:
    batches = [batch(20, 5), batch(0, 10), batch(10, 10), batch(25, 5, "b"), batch(30, 0, "b")]
    result = collected(tmp_path, batches)
    assert values(result) == list(range(30))
    assert result.num_rows() == 30
    assert result.head(12)["n"].to_pylist() == list(range(12))


def test_a_batch_that_is_computed_twice_is_there_once(tmp_path: Path) -> None:
    result = collected(tmp_path, [batch(0, 5), batch(0, 5), batch(5, 5)])
    assert values(result) == list(range(10))


def test_parts_of_an_interval_are_kept_apart(tmp_path: Path) -> None:
    result = collected(tmp_path, [batch(0, 4, part=2), batch(0, 3, part=0), batch(0, 2, part=1)])
    assert values(result) == [0, 1, 2, 0, 1, 0, 1, 2, 3]


@pytest.mark.parametrize("most", [0, 1, 3])
def test_all_rows_are_counted_where_few_are_kept(tmp_path: Path, most: int) -> None:
    result = collected(tmp_path, [batch(0, 10), batch(10, 10)], most)
    assert result.num_rows() == 20
    assert values(result) == [*range(most), *range(10, 10 + most)]


def test_no_rows_have_the_columns_of_the_plan(tmp_path: Path) -> None:
    result = collected(tmp_path, [batch(0, 0)])
    assert result.num_rows() == 0
    assert result.head(5).schema == SCHEMA


def test_rows_that_no_pipeline_computes() -> None:
    schema = pa.schema({"column": pa.string(), "type": pa.string()})
    rows = [[exp.Literal.string("id"), exp.Literal.string("int64")]]
    result = Result.of_text(rows, schema)
    assert result.num_rows() == 1
    assert result.head(5).to_pylist() == [{"column": "id", "type": "int64"}]
    assert Result.of_text([], schema).head(5).num_rows == 0
