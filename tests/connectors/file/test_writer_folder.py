"""Writing a folder: commits are whole files, each row once, whatever else happens."""

from __future__ import annotations

import os

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ferris_beam.connectors.file import staging
from ferris_beam.errors import (
    BadRecordError,
    ConflictError,
    FatalError,
    SchemaError,
)
from ferris_beam.interval import Interval
from tests.connectors.file.sinks import (
    PATH,
    claimed,
    commit,
    entry,
    ids_in_folder,
    rows,
    staged_files,
    tree,
    writer,
)

FORMATS = ("parquet", "csv", "jsonl")


@pytest.mark.parametrize("format", FORMATS)
def test_a_commit_is_one_whole_file(out, format):
    sink = claimed(out, format=format)
    staged = sink.begin()
    staged.write(rows(0, 3))
    staged.write(rows(3, 5))
    assert staged.rows == 5
    assert staged.nbytes == rows(0, 3).nbytes + rows(3, 5).nbytes
    assert tree(out) == []
    receipt = sink.commit(1, staged, [entry(0, 5)])
    [name] = tree(out)
    assert name.startswith("part-")
    assert name.endswith(f".{format}")
    assert (receipt.rows, receipt.nbytes) == (5, os.path.getsize(f"{out}{name}"))
    assert ids_in_folder(out, format) == [0, 1, 2, 3, 4]
    assert staged_files(out) == []


def test_names_are_in_the_order_of_commits(out):
    sink = claimed(out, format="parquet")
    for start in range(0, 30, 3):
        commit(sink, start, start + 3)
    found = [pq.read_table(f"{out}{name}")["id"].to_pylist()[0] for name in tree(out)]
    assert found == list(range(0, 30, 3))


def test_nothing_is_touched_before_the_claim(out):
    writer(out, format="parquet").ledger()
    assert not os.path.exists(out)


def test_progress_stands_in_the_ledger_and_repeats_are_refused(out):
    sink = claimed(out, format="parquet")
    commit(sink, 0, 5)
    with pytest.raises(ConflictError):
        commit(sink, 3, 8)
    other = writer(out, format="parquet")
    assert other.ledger().missing(PATH, Interval("u", 0, 10)) == [Interval("u", 5, 10)]
    assert other.ledger().rows == 5
    with pytest.raises(ConflictError):
        commit(other, 0, 5)
    assert ids_in_folder(out) == [0, 1, 2, 3, 4]


def test_rows_without_intervals_and_intervals_without_rows(out):
    sink = claimed(out, format="parquet")
    staged = sink.begin()
    staged.write(rows(0, 2))
    sink.commit(1, staged, [])
    sink.commit(1, sink.begin(), [entry(0, 9)])
    empty = sink.begin()
    empty.write(rows(0, 0))
    assert sink.commit(1, empty, [entry(9, 10)]).nbytes == 0
    assert len(tree(out)) == 1
    assert sink.ledger().missing(PATH, Interval("u", 0, 11)) == [Interval("u", 10, 11)]


def test_batches_of_other_columns_are_other_files(out):
    sink = claimed(out, format="parquet")
    staged = sink.begin()
    for at in range(3):
        staged.write(rows(at, at + 1))
        staged.write(pa.record_batch({"other": [at]}))
    sink.commit(1, staged, [entry(0, 3)])
    schemas = [pq.read_schema(f"{out}{name}").names for name in tree(out)]
    assert sorted(schemas) == [["id", "text", "country"], ["other"]]


def test_rolled_back_rows_leave_nothing(out):
    sink = claimed(out, format="parquet")
    staged = sink.begin()
    staged.write(rows(0, 5))
    sink.rollback(staged)
    sink.rollback(staged)
    assert staged_files(out) == []
    assert tree(out) == []
    with pytest.raises(FatalError, match="rolled back"):
        sink.commit(1, staged, [entry(0, 5)])


def test_the_same_commit_again_is_the_same_commit(out):
    sink = claimed(out, format="parquet")
    staged = sink.begin()
    staged.write(rows(0, 5))
    first = sink.commit(1, staged, [entry(0, 5)])
    assert sink.commit(1, staged, [entry(0, 5)]) == first
    sink.rollback(staged)
    assert ids_in_folder(out) == [0, 1, 2, 3, 4]


def test_a_commit_whose_answer_was_lost_is_found_again(out, monkeypatch):
    sink = claimed(out, format="parquet")
    staged = sink.begin()
    staged.write(rows(0, 5))
    link = os.link

    def link_and_fail(source, target):
        link(source, target)
        raise OSError(5, "Input/output error", target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "link", link_and_fail)
        with pytest.raises(FatalError, match="Input/output error"):
            sink.commit(1, staged, [entry(0, 5)])
    assert tree(out) == []
    assert sink.commit(1, staged, [entry(0, 5)]).rows == 5
    assert ids_in_folder(out) == [0, 1, 2, 3, 4]
    assert sink.ledger().rows == 5


def test_a_rollback_keeps_the_files_of_a_commit_whose_answer_was_lost(out, monkeypatch):
    sink = claimed(out, format="parquet")
    staged = sink.begin()
    staged.write(rows(0, 5))

    def fail(source, target):
        raise OSError(5, "Input/output error", target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", fail)
        with pytest.raises(FatalError):
            sink.commit(1, staged, [entry(0, 5)])
    sink.rollback(staged)
    assert tree(out) == []
    writer(out, format="parquet")
    assert ids_in_folder(out) == [0, 1, 2, 3, 4]


def test_the_log_stays_short_and_what_it_forgets_is_known_to_others(out):
    sink = claimed(out, format="jsonl")
    watcher = writer(out, format="jsonl")
    for at in range(200):
        commit(sink, at, at + 1)
    log = os.listdir(f"{out}_ferris/orders/log")
    assert len(log) < 80
    assert watcher.ledger().rows == 200
    commit(watcher, 200, 201)
    assert ids_in_folder(out, "jsonl") == list(range(201))


def test_partitions_are_folders_that_others_read_back(out):
    sink = claimed(out, format="parquet", partition_by="country")
    commit(sink, 0, 10)
    commit(sink, 10, 20)
    assert {os.path.dirname(name) for name in tree(out)} == {
        "country=DE",
        "country=FR",
        "country=a%2Fb c",
        "country=__HIVE_DEFAULT_PARTITION__",
    }
    expected = {(at, ("DE", "FR", "a/b c", None)[at % 4]) for at in range(20)}
    hive = ds.partitioning(pa.schema([("country", pa.string())]), flavor="hive")
    table = ds.dataset(out, partitioning=hive).to_table()
    assert set(zip(table["id"].to_pylist(), table["country"].to_pylist(), strict=True)) == expected
    seen = duckdb.sql(
        f"SELECT id, country FROM read_parquet('{out}*/*.parquet', hive_partitioning=true)"
    ).fetchall()
    assert set(seen) == expected
    assert pq.read_schema(f"{out}{tree(out)[0]}").names == ["id", "text"]


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(texts.filter(lambda text: len(text.encode()) < 60), min_size=1, max_size=8))
def test_any_text_comes_back_through_a_folder_name(tmp_path_factory, values):
    out = f"{tmp_path_factory.mktemp('texts')}/out/"
    sink = claimed(out, format="parquet", partition_by="key")
    staged = sink.begin()
    staged.write(pa.record_batch({"id": list(range(len(values))), "key": values}))
    sink.commit(1, staged, [])
    hive = ds.partitioning(pa.schema([("key", pa.string())]), flavor="hive")
    table = ds.dataset(out, partitioning=hive).to_table()
    found = dict(zip(table["id"].to_pylist(), table["key"].to_pylist(), strict=True))
    assert found == dict(enumerate(values))


def test_more_partitions_than_open_files(out):
    sink = claimed(out, format="parquet", partition_by="key")
    staged = sink.begin()
    for start in (0, 300):
        keys = pa.array(range(300), pa.int64())
        staged.write(pa.record_batch({"id": pa.array(range(start, start + 300)), "key": keys}))
    sink.commit(1, staged, [entry(0, 600)])
    assert len(tree(out)) == 300
    assert ids_in_folder(out) == list(range(600))


def test_too_many_partitions_are_told(out, monkeypatch):
    monkeypatch.setattr(staging, "MOST_FILES", 150)
    sink = claimed(out, format="jsonl", partition_by="key")
    staged = sink.begin()
    keys = pa.array(range(200), pa.int64())
    with pytest.raises(FatalError, match=r"more than 150 folders.*key=150.*fewer values"):
        staged.write(pa.record_batch({"id": keys, "key": keys}))
    sink.rollback(staged)
    assert staged_files(out) == []


def test_a_batch_with_a_bad_value_is_refused_whole(out):
    sink = claimed(out, format="parquet", partition_by="key")
    staged = sink.begin()
    staged.write(pa.record_batch({"id": [0], "key": ["a"]}))
    with pytest.raises(BadRecordError) as caught:
        staged.write(pa.record_batch({"id": [1, 2], "key": ["b", "x" * 300]}))
    assert caught.value.row == 1
    with pytest.raises(SchemaError):
        staged.write(pa.record_batch({"id": [3]}))
    assert staged.rows == 1
    sink.commit(1, staged, [entry(0, 4)])
    assert ids_in_folder(out) == [0]
