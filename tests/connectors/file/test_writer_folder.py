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

from ferris_beam.errors import (
    BadRecordError,
    ConfigurationError,
    ConflictError,
    FatalError,
    SchemaError,
    SupersededError,
)
from ferris_beam.interval import Interval
from tests.connectors.file.sinks import (
    PATH,
    claimed,
    commit,
    entry,
    rows,
    staged_files,
    tree,
    writer,
)

FORMATS = ("parquet", "csv", "jsonl")


@pytest.fixture
def out(tmp_path):
    return f"{tmp_path}/out/"


def ids(folder, format="parquet"):
    """The ids that DuckDB finds in all data files below a folder, hidden ones included."""
    files = [f"{folder}{name}" for name in tree(folder)]
    if not files:
        return []
    if format == "parquet":
        return sorted(row[0] for row in duckdb.read_parquet(files).project("id").fetchall())
    read = duckdb.read_csv if format == "csv" else duckdb.read_json
    return sorted(row[0] for name in files for row in read(name).project("id").fetchall())


# ── commits ─────────────────────────────────────────────────────────────────────────────────


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
    assert ids(out, format) == [0, 1, 2, 3, 4]
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
    assert ids(out) == [0, 1, 2, 3, 4]


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
    assert ids(out) == [0, 1, 2, 3, 4]


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
    assert ids(out) == [0, 1, 2, 3, 4]
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
    assert ids(out) == [0, 1, 2, 3, 4]


def test_the_log_stays_short_and_what_it_forgets_is_known_to_others(out):
    sink = claimed(out, format="jsonl")
    watcher = writer(out, format="jsonl")
    for at in range(200):
        commit(sink, at, at + 1)
    log = os.listdir(f"{out}_ferris/orders/log")
    assert len(log) < 80
    assert watcher.ledger().rows == 200
    commit(watcher, 200, 201)
    assert ids(out, "jsonl") == list(range(201))


# ── runs ────────────────────────────────────────────────────────────────────────────────────


def test_an_older_run_is_superseded_and_its_staged_files_go(out):
    old = claimed(out, "old", format="parquet")
    commit(old, 0, 5)
    staged = old.begin()
    staged.write(rows(5, 9))
    new = claimed(out, "new", epoch=2, format="parquet")
    assert staged_files(out) == []
    commit(new, 5, 7, epoch=2)
    staged.write(rows(9, 10))
    with pytest.raises(SupersededError, match="run old of 'orders' was superseded by run new"):
        old.commit(1, staged, [entry(5, 10)])
    old.rollback(staged)
    with pytest.raises(SupersededError):
        old.finish(1)
    with pytest.raises(SupersededError):
        old.claim(3, 1)
    commit(new, 7, 10, epoch=2)
    assert ids(out) == list(range(10))


def test_a_claim_leaves_alone_what_later_runs_stage(out):
    first = claimed(out, "first", format="parquet")
    second = claimed(out, "second", epoch=2, format="parquet")
    staged = second.begin()
    staged.write(rows(0, 3))
    first._opened.publisher.sweep(first._opened.log.state, first.ledger().past)
    second.commit(2, staged, [entry(0, 3)])
    assert ids(out) == [0, 1, 2]


def test_of_two_runs_that_start_at_once_one_is_refused(out):
    first, second = writer(out, "first", format="csv"), writer(out, "second", format="csv")
    assert first.ledger().epoch == second.ledger().epoch == 0
    first.claim(1, 1)
    with pytest.raises(SupersededError):
        second.claim(1, 1)
    commit(first, 0, 3)


def test_claiming_twice_is_claiming_once(out):
    sink = claimed(out, format="parquet")
    commit(sink, 0, 3)
    again = writer(out, format="parquet")
    again.claim(1, 1)
    again.claim(1, 1)
    commit(again, 3, 5)
    assert ids(out) == [0, 1, 2, 3, 4]
    assert sink.ledger().epoch == 1


def test_two_identities_keep_their_own_ledgers(out):
    first = claimed(out, format="parquet")
    second = writer(out, name="a/b", format="parquet", if_exists="append")
    commit(first, 0, 3)
    second.claim(1, 1)
    commit(second, 0, 3)
    assert ids(out) == [0, 0, 1, 1, 2, 2]
    assert sorted(os.listdir(f"{out}_ferris")) == ["a%2Fb", "orders"]


def test_what_a_killed_process_left_half_published_is_published(out, monkeypatch):
    sink = claimed(out, format="parquet", partition_by="country")

    class Killed(BaseException):
        pass

    def die(source, target):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", die)
        with pytest.raises(Killed):
            commit(sink, 0, 8)
    assert tree(out) == []
    assert len(staged_files(out)) == 4
    writer(out, format="parquet")
    assert ids(out) == list(range(8))
    assert staged_files(out) == []


def test_what_another_worker_left_half_published_is_published_before_the_log_forgets_it(
    out, monkeypatch
):
    dying, living = claimed(out, format="jsonl"), writer(out, format="jsonl")

    class Killed(BaseException):
        pass

    def die(source, target):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", die)
        with pytest.raises(Killed):
            commit(dying, 0, 3)
    for at in range(3, 80):
        commit(living, at, at + 1)
    assert staged_files(out) == []
    assert ids(out, "jsonl") == list(range(80))


def test_the_finish_is_idempotent_and_sweeps(out):
    sink = claimed(out, format="parquet")
    commit(sink, 0, 3)
    sink.begin().write(rows(7, 8))
    assert len(staged_files(out)) == 1
    sink.finish(1)
    sink.finish(1)
    assert writer(out, format="parquet").ledger().finished
    assert staged_files(out) == []
    assert ids(out) == [0, 1, 2]


# ── what is there already ───────────────────────────────────────────────────────────────────


def old_data(out, name="country=DE/old.parquet"):
    os.makedirs(os.path.dirname(f"{out}{name}"), exist_ok=True)
    pq.write_table(pa.Table.from_batches([rows(100, 103)]), f"{out}{name}")


def test_data_of_others_is_refused_unless_told(out):
    old_data(out)
    with pytest.raises(ConfigurationError, match=r"old.parquet.*if_exists=append.*overwrite"):
        claimed(out, format="parquet")
    assert writer(out, format="parquet").ledger().epoch == 0
    sink = claimed(out, format="parquet", if_exists="append")
    commit(sink, 0, 2)
    assert ids(out) == [0, 1, 100, 101, 102]


def test_what_is_no_data_does_not_count(out):
    for name in ("README.md", "_SUCCESS", ".hidden.parquet", "other/data.parquet"):
        os.makedirs(os.path.dirname(f"{out}{name}"), exist_ok=True)
        with open(f"{out}{name}", "w") as file:
            file.write("text")
    claimed(out, format="parquet")


def test_own_data_is_no_obstacle_for_going_on_but_for_a_rerun(out):
    commit(claimed(out, format="parquet"), 0, 2)
    again = claimed(out, "again", epoch=2, format="parquet")
    commit(again, 2, 4, epoch=2)
    with pytest.raises(ConfigurationError, match="holds data of this pipeline already"):
        claimed(out, "rerun", epoch=3, generation=2, format="parquet")
    assert again.ledger().generation == 1
    rerun = claimed(out, "rerun", epoch=3, generation=2, format="parquet", if_exists="append")
    commit(rerun, 0, 2, epoch=3)
    assert ids(out) == [0, 0, 1, 1, 2, 3]


def test_overwriting_keeps_the_old_data_until_the_finish(out):
    old_data(out)
    old_data(out, "top.parquet")
    commit(claimed(out, "before", format="parquet", if_exists="append"), 50, 52)
    first = claimed(out, "first", epoch=2, generation=2, format="parquet", if_exists="overwrite")
    commit(first, 0, 2, epoch=2)
    assert ids(out) == [50, 51, 100, 100, 101, 101, 102, 102]
    second = claimed(out, "second", epoch=3, generation=2, format="parquet", if_exists="overwrite")
    commit(second, 2, 4, epoch=3)
    assert ids(out) == [50, 51, 100, 100, 101, 101, 102, 102]
    second.finish(3)
    assert ids(out) == [0, 1, 2, 3]
    assert staged_files(out) == []
    second.finish(3)
    assert ids(out) == [0, 1, 2, 3]


def test_overwriting_nothing_publishes_at_once(out):
    sink = claimed(out, format="parquet", if_exists="overwrite")
    commit(sink, 0, 2)
    assert ids(out) == [0, 1]
    sink.finish(1)
    assert ids(out) == [0, 1]


def test_a_reset_forgets_what_waited(out):
    old_data(out)
    first = claimed(out, "first", format="parquet", if_exists="overwrite")
    commit(first, 0, 2)
    second = claimed(out, "second", epoch=2, generation=2, format="parquet", if_exists="overwrite")
    assert staged_files(out) == []
    commit(second, 0, 1, epoch=2)
    second.finish(2)
    assert ids(out) == [0]


def test_overwriting_with_nothing_removes_the_old(out):
    old_data(out)
    sink = claimed(out, format="parquet", if_exists="overwrite")
    sink.finish(1)
    assert tree(out) == []


def test_a_finish_killed_half_way_is_completed_without_touching_newer_files(out, monkeypatch):
    old_data(out, "a.parquet")
    old_data(out, "b.parquet")
    sink = claimed(out, format="parquet", if_exists="overwrite")
    commit(sink, 0, 2)

    class Killed(BaseException):
        pass

    unlink = os.unlink

    def die_at_a(path):
        if path.endswith("a.parquet"):
            raise Killed
        unlink(path)

    with monkeypatch.context() as patched:
        patched.setattr(os, "unlink", die_at_a)
        with pytest.raises(Killed):
            sink.finish(1)
    assert {"a.parquet", "b.parquet"} < set(tree(out))
    os.unlink(f"{out}b.parquet")
    pq.write_table(pa.Table.from_batches([rows(7, 8)]), f"{out}b.parquet")
    later = writer(out, "later", format="parquet")
    assert ids(out) == [0, 1, 7]
    assert later.ledger().finished


def test_a_staged_file_that_somebody_removed_is_told(out):
    old_data(out)
    sink = claimed(out, format="parquet", if_exists="overwrite")
    commit(sink, 0, 2)
    [name] = staged_files(out)
    os.unlink(f"{out}_ferris/orders/staged/{name}")
    with pytest.raises(FatalError, match="was committed and is gone"):
        sink.finish(1)
    assert ids(out) == [100, 101, 102]


# ── partitions ──────────────────────────────────────────────────────────────────────────────


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
    assert ids(out) == list(range(600))


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
    assert ids(out) == [0]
