"""One file that the finish puts together."""

from __future__ import annotations

import os
import resource

import duckdb
import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ferris_beam.errors import FatalError, SchemaError
from tests.connectors.file.sinks import (
    claimed,
    commit,
    entry,
    ids_in_file,
    rows,
    stage,
    staged_files,
    tree,
)

MERGED = ("parquet", "csv.gz", "jsonl.gz", "avro", "arrow", "arrows")


@pytest.mark.parametrize("ending", MERGED)
@pytest.mark.parametrize("commits", [1, 4])
def test_a_merged_file_appears_whole_at_the_finish(folder, ending, commits):
    path = f"{folder}/out.{ending}"
    sink = claimed(path)
    for at in range(commits):
        commit(sink, at * 3, at * 3 + 3)
    assert tree(folder) == []
    sink.finish(1)
    sink.finish(1)
    assert ids_in_file(path) == list(range(commits * 3))
    assert tree(folder) == [f"out.{ending}"]
    assert staged_files(folder) == []


def test_a_merged_file_is_in_the_order_of_commits_of_all_runs(folder):
    path = f"{folder}/out.parquet"
    commit(claimed(path, "one"), 5, 7)
    two = claimed(path, "two", 2)
    commit(two, 0, 5, epoch=2)
    two.finish(2)
    assert ids_in_file(path) == [5, 6, 0, 1, 2, 3, 4]
    assert (
        pq.read_table(path).slice(2).to_pylist() == pa.Table.from_batches([rows(0, 5)]).to_pylist()
    )


@pytest.mark.parametrize("ending", ["parquet", "avro", "arrow", "arrows"])
def test_parts_of_other_schemas_are_refused(folder, ending):
    sink = claimed(f"{folder}/out.{ending}")
    other = pa.record_batch({"id": ["text"]})
    with pytest.raises(SchemaError, match=r"one file has one schema.*id string"):
        sink.commit(1, stage(sink, rows(0, 1), other), [entry(0, 2)])
    commit(sink, 0, 1)
    with pytest.raises(SchemaError, match="one file has one schema"):
        sink.commit(1, stage(sink, other), [entry(1, 2)])
    sink.finish(1)
    assert ids_in_file(f"{folder}/out.{ending}") == [0]


def test_a_finish_without_rows_makes_no_file(folder):
    for name in ("out.parquet", "out.csv", "out.csv.gz"):
        sink = claimed(f"{folder}/{name}")
        sink.finish(1)
    assert tree(folder) == []


def test_a_file_that_appears_meanwhile_is_not_lost(folder):
    path = f"{folder}/out.parquet"
    sink = claimed(path)
    commit(sink, 0, 2)
    pq.write_table(pa.Table.from_batches([rows(9, 10)]), path)
    with pytest.raises(FatalError, match="appeared while"):
        sink.finish(1)
    assert ids_in_file(path) == [9]
    os.unlink(path)
    sink.finish(1)
    assert ids_in_file(path) == [0, 1]


def groups(path):
    metadata = pq.read_metadata(path)
    return [metadata.row_group(at).num_rows for at in range(metadata.num_row_groups)]


def test_small_row_groups_become_full_ones(folder):
    path = f"{folder}/out.parquet"
    sink = claimed(path, row_group_size=80)
    starts, sizes = 0, [3, 4, 80, 100, 5, 90, 1, 2, 80, 9]
    for size in sizes:
        commit(sink, starts, starts + size)
        starts += size
    sink.finish(1)
    assert ids_in_file(path) == list(range(starts))
    assert groups(path) == [80, 80, 80, 80, 54]
    assert pq.read_table(path).to_pylist() == pa.Table.from_batches([rows(0, starts)]).to_pylist()
    assert staged_files(folder) == []


def test_a_file_of_the_same_columns_that_others_wrote_is_continued(folder):
    path = f"{folder}/out.parquet"
    duckdb.from_arrow(pa.Table.from_batches([rows(100, 200)])).write_parquet(path)
    sink = claimed(path, if_exists="append", row_group_size=50)
    commit(sink, 0, 50)
    sink.finish(1)
    assert ids_in_file(path) == [*range(100, 200), *range(50)]


@pytest.mark.parametrize("ending", ["parquet", "avro", "arrow", "arrows"])
def test_more_parts_are_merged_than_files_may_be_open(folder, ending):
    path = f"{folder}/out.{ending}"
    sink = claimed(path)
    for at in range(80):
        commit(sink, at, at + 1)
    opened = len(os.listdir("/proc/self/fd"))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (opened + 20, hard))
    try:
        sink.finish(1)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert ids_in_file(path) == list(range(80))


def test_avro_of_the_same_columns_that_others_wrote_is_continued(folder):
    path = f"{folder}/out.avro"
    fields = [{"name": "id", "type": "long"}, {"name": "text", "type": "string"}]
    fields.append({"name": "country", "type": ["string", "null"]})
    schema = fastavro.parse_schema({"type": "record", "name": "old", "fields": fields})
    with open(path, "wb") as file:
        fastavro.writer(file, schema, rows(100, 200).to_pylist(), codec="bzip2")
    sink = claimed(path, if_exists="append")
    commit(sink, 0, 50)
    sink.finish(1)
    with open(path, "rb") as file:
        assert list(fastavro.reader(file)) == [
            *rows(100, 200).to_pylist(),
            *rows(0, 50).to_pylist(),
        ]
