"""Writing one file: growing with each commit, or put together by the finish."""

from __future__ import annotations

import gzip
import json
import os

import duckdb
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from ferris_beam.errors import ConfigurationError, FatalError, SchemaError
from tests.connectors.file.sinks import claimed, commit, entry, rows, staged_files, tree, writer

GROWING = ("csv", "tsv", "jsonl")
MERGED = ("parquet", "csv.gz", "jsonl.gz")


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path)


def ids(path):
    """The ids in a file, in order, by readers of others."""
    if not os.path.exists(path):
        return None
    plain = path.removesuffix(".gz")
    if plain.endswith(".parquet"):
        return pq.read_table(path)["id"].to_pylist()
    if plain.endswith(".jsonl"):
        unpacked = gzip.open if path.endswith(".gz") else open
        with unpacked(path, "rt") as file:
            return [json.loads(line)["id"] for line in file]
    delimiter = "\t" if plain.endswith(".tsv") else ","
    options = pacsv.ParseOptions(delimiter=delimiter)
    return pacsv.read_csv(path, parse_options=options)["id"].to_pylist()


def stage(sink, *batches):
    staged = sink.begin()
    for records in batches:
        staged.write(records)
    return staged


# ── growing files ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ending", GROWING)
def test_a_file_grows_with_every_commit(folder, ending):
    path = f"{folder}/out.{ending}"
    sink = claimed(path)
    for start in range(0, 12, 3):
        receipt = commit(sink, start, start + 3)
        assert receipt.rows == 3
        assert ids(path) == list(range(start + 3))
    sink.finish(1)
    sink.finish(1)
    assert ids(path) == list(range(12))
    assert tree(folder) == [f"out.{ending}"]
    assert staged_files(folder) == []
    assert os.path.isdir(f"{folder}/_ferris/out.{ending}/orders/log")


def test_rows_are_as_they_were(folder):
    path = f"{folder}/out.csv"
    sink = claimed(path)
    commit(sink, 0, 4)
    commit(sink, 4, 8)
    expected = pa.Table.from_batches([rows(0, 4), rows(4, 8)]).to_pylist()
    options = pacsv.ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False)
    assert pacsv.read_csv(path, convert_options=options).to_pylist() == expected
    assert len(duckdb.read_csv(path).fetchall()) == 8


def test_a_header_can_be_left_out(folder):
    sink = claimed(f"{folder}/out.csv", header=False)
    commit(sink, 0, 1)
    commit(sink, 1, 2)
    with open(f"{folder}/out.csv") as file:
        assert len(file.readlines()) == 2


def test_batches_without_rows_give_a_file_with_a_header(folder):
    for name in ("out.csv", "out.csv.gz", "out.parquet"):
        sink = claimed(f"{folder}/{name}")
        sink.commit(1, stage(sink, rows(0, 0)), [entry(0, 5)])
        sink.commit(1, sink.begin(), [entry(5, 6)])
        sink.finish(1)
        assert ids(f"{folder}/{name}") == []


def test_writers_in_turn_make_one_file(folder):
    path = f"{folder}/out.csv"
    one, two = claimed(path), writer(path)
    for start in range(0, 300, 2):
        commit(one, start, start + 1)
        commit(two, start + 1, start + 2)
    assert ids(path) == list(range(300))


def test_segments_are_written_in_order_by_whoever_comes(folder, monkeypatch):
    path = f"{folder}/out.jsonl"
    sink = claimed(path)
    commit(sink, 0, 2)

    class Killed(BaseException):
        pass

    pwrite = os.pwrite

    def half(descriptor, data, offset):
        pwrite(descriptor, bytes(data)[: len(data) // 2], offset)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", half)
        with pytest.raises(Killed):
            commit(sink, 2, 4)
    other = writer(path, "other")
    assert ids(path) == [0, 1, 2, 3]
    commit(other_run(other), 4, 6, epoch=2)
    assert ids(path) == [0, 1, 2, 3, 4, 5]


def other_run(sink):
    sink.claim(2, 1)
    return sink


def test_a_process_that_stood_still_does_not_write_into_a_file_that_replaced_its_own(
    folder, monkeypatch
):
    path = f"{folder}/out.jsonl"
    slow = claimed(path, "slow")
    commit(slow, 0, 2)
    opened = os.open

    def overtaken(name, *arguments):
        if name == path:
            monkeypatch.setattr(os, "open", opened)
            quick = claimed(path, "quick", 2, 2, if_exists="overwrite")
            commit(quick, 100, 101, epoch=2)
            quick.finish(2)
        return opened(name, *arguments)

    monkeypatch.setattr(os, "open", overtaken)
    commit(slow, 2, 4)
    assert ids(path) == [100]


def test_columns_that_do_not_fit_the_header_are_refused(folder):
    sink = claimed(f"{folder}/out.csv")
    other = pa.record_batch({"id": [1], "other": [2]})
    with pytest.raises(SchemaError, match="one header"):
        sink.commit(1, stage(sink, rows(0, 1), other), [entry(0, 2)])
    commit(sink, 0, 1)
    with pytest.raises(SchemaError, match=r"columns are id, text, country.*have id, other"):
        sink.commit(1, stage(sink, other), [entry(1, 2)])
    assert ids(f"{folder}/out.csv") == [0]


def test_other_columns_in_one_commit_that_waits_are_refused(folder):
    path = f"{folder}/out.csv"
    commit(claimed(path, "before"), 100, 102)
    sink = claimed(path, "after", 2, 2, if_exists="overwrite")
    other = pa.record_batch({"id": [1], "other": [2]})
    with pytest.raises(SchemaError, match="one header"):
        sink.commit(2, stage(sink, rows(0, 1), other), [entry(0, 2)])
    commit(sink, 0, 1, epoch=2)
    with pytest.raises(SchemaError, match="one header"):
        sink.commit(2, stage(sink, other), [entry(1, 2)])
    sink.finish(2)
    assert ids(path) == [0]


def test_a_growing_file_that_others_changed_is_noticed(folder):
    path = f"{folder}/out.csv"
    sink = claimed(path)
    commit(sink, 0, 2)
    with open(path, "a") as file:
        file.write("99,by hand,\n")
    with pytest.raises(FatalError, match="something else writes to it"):
        commit(sink, 2, 4)
    with pytest.raises(FatalError, match="something else writes to it"):
        claimed(path, "again", 2)
    again = claimed(path, "again", 2, if_exists="append")
    commit(again, 2, 4, epoch=2)
    assert ids(path) == [0, 1, 99, 2, 3]
    os.truncate(path, 10)
    with pytest.raises(FatalError, match="has 10 bytes"):
        commit(again, 4, 6, epoch=2)


# ── merged files ────────────────────────────────────────────────────────────────────────────


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
    assert ids(path) == list(range(commits * 3))
    assert tree(folder) == [f"out.{ending}"]
    assert staged_files(folder) == []


def test_a_merged_file_is_in_the_order_of_commits_of_all_runs(folder):
    path = f"{folder}/out.parquet"
    commit(claimed(path, "one"), 5, 7)
    two = claimed(path, "two", 2)
    commit(two, 0, 5, epoch=2)
    two.finish(2)
    assert ids(path) == [5, 6, 0, 1, 2, 3, 4]
    assert (
        pq.read_table(path).slice(2).to_pylist() == pa.Table.from_batches([rows(0, 5)]).to_pylist()
    )


def test_parts_of_other_schemas_are_refused(folder):
    sink = claimed(f"{folder}/out.parquet")
    other = pa.record_batch({"id": ["text"]})
    with pytest.raises(SchemaError, match=r"one file has one schema.*id string"):
        sink.commit(1, stage(sink, rows(0, 1), other), [entry(0, 2)])
    commit(sink, 0, 1)
    with pytest.raises(SchemaError, match="one file has one schema"):
        sink.commit(1, stage(sink, other), [entry(1, 2)])
    sink.finish(1)
    assert ids(f"{folder}/out.parquet") == [0]


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
    assert ids(path) == [9]
    os.unlink(path)
    sink.finish(1)
    assert ids(path) == [0, 1]


# ── what is there already ───────────────────────────────────────────────────────────────────


@pytest.fixture(params=GROWING + MERGED)
def path(folder, request):
    made = f"{folder}/out.{request.param}"
    sink = writer(made, name="before")
    sink.claim(1, 1)
    commit(sink, 100, 102)
    sink.finish(1)
    return made


def test_an_existing_file_is_refused_unless_told(path):
    with pytest.raises(ConfigurationError, match=r"holds data already.*if_exists=append"):
        claimed(path)
    assert ids(path) == [100, 101]


def test_appending_continues_the_file(path):
    sink = claimed(path, if_exists="append")
    commit(sink, 0, 2)
    commit(sink, 2, 3)
    sink.finish(1)
    assert ids(path) == [100, 101, 0, 1, 2]


def test_appending_refuses_other_columns(path):
    sink = claimed(path, if_exists="append")
    staged = stage(sink, pa.record_batch({"id": ["text"], "more": [1]}))
    if ".jsonl" in path:
        sink.commit(1, staged, [entry(0, 1)])
    else:
        with pytest.raises(SchemaError):
            sink.commit(1, staged, [entry(0, 1)])
        assert ids(path) == [100, 101]


def test_overwriting_keeps_the_old_file_until_the_finish(path):
    first = claimed(path, "first", if_exists="overwrite")
    commit(first, 0, 2)
    assert ids(path) == [100, 101]
    second = claimed(path, "second", 2, if_exists="overwrite")
    commit(second, 2, 3, epoch=2)
    assert ids(path) == [100, 101]
    second.finish(2)
    second.finish(2)
    assert ids(path) == [0, 1, 2]
    commit(second, 3, 4, epoch=2)
    second.finish(2)
    assert ids(path) == [0, 1, 2, 3]


def test_overwriting_with_nothing_removes_the_old_file(path):
    sink = claimed(path, if_exists="overwrite")
    sink.finish(1)
    assert not os.path.exists(path)


def test_a_rerun_counts_from_zero(path):
    sink = claimed(path, if_exists="append")
    commit(sink, 0, 2)
    sink.finish(1)
    with pytest.raises(ConfigurationError, match="holds data of this pipeline already"):
        claimed(path, "again", 2, 2)
    again = claimed(path, "again", 2, 2, if_exists="overwrite")
    commit(again, 0, 1, epoch=2)
    assert ids(path) == [100, 101, 0, 1]
    again.finish(2)
    assert ids(path) == [0]


def test_a_missing_line_end_is_added(folder):
    with open(f"{folder}/out.csv", "w") as file:
        file.write('"id","text","country"\n7,by hand,DE')
    sink = claimed(f"{folder}/out.csv", if_exists="append")
    commit(sink, 0, 2)
    assert ids(f"{folder}/out.csv") == [7, 0, 1]


def test_an_empty_file_is_no_data(folder):
    for name in ("out.csv", "out.parquet", "out.jsonl.gz"):
        open(f"{folder}/{name}", "w").close()
        sink = claimed(f"{folder}/{name}")
        commit(sink, 0, 2)
        sink.finish(1)
        assert ids(f"{folder}/{name}") == [0, 1]


def test_paths_that_can_not_be_a_file_are_refused(folder):
    os.mkdir(f"{folder}/out.csv")
    with pytest.raises(ConfigurationError, match="is a folder: end the URI with '/'"):
        claimed(f"{folder}/out.csv")
    with pytest.raises(ConfigurationError, match="partition_by needs a folder"):
        writer(f"{folder}/b.csv", partition_by="country")
    with pytest.raises(ConfigurationError, match="does not tell the format"):
        writer(f"{folder}/out.data")
    with pytest.raises(ConfigurationError, match="compresses by itself"):
        writer(f"{folder}/out.parquet.gz")
    with pytest.raises(ConfigurationError, match="set format= for a folder"):
        writer(f"{folder}/out/")
    with pytest.raises(ConfigurationError, match="takes compression= none, gzip"):
        writer(f"{folder}/out.csv", compression="zstd")
    with pytest.raises(ConfigurationError, match="row_group_size is no option of the format csv"):
        writer(f"{folder}/out.csv", row_group_size=5)
    with pytest.raises(ConfigurationError, match=r"\$\{year\}"):
        writer(f"{folder}/${{year}}/out.csv")


# ── Parquet: row groups copied, small ones put together ─────────────────────────────────────


def groups(path):
    metadata = pq.read_metadata(path)
    return [metadata.row_group(at).num_rows for at in range(metadata.num_row_groups)]


def test_large_row_groups_are_kept_and_runs_of_small_ones_joined(folder):
    path = f"{folder}/out.parquet"
    sink = claimed(path, row_group_size=80)
    starts, sizes = 0, [3, 4, 80, 100, 5, 90, 1, 2, 80, 9]
    for size in sizes:
        commit(sink, starts, starts + size)
        starts += size
    sink.finish(1)
    assert ids(path) == list(range(starts))
    assert groups(path) == [7, 80, 80, 20, 5, 80, 10, 3, 80, 9]
    assert pq.read_table(path).to_pylist() == pa.Table.from_batches([rows(0, starts)]).to_pylist()
    assert staged_files(folder) == []


def test_a_file_of_the_same_columns_that_others_wrote_is_continued(folder):
    path = f"{folder}/out.parquet"
    duckdb.from_arrow(pa.Table.from_batches([rows(100, 200)])).write_parquet(path)
    sink = claimed(path, if_exists="append", row_group_size=50)
    commit(sink, 0, 50)
    sink.finish(1)
    assert ids(path) == [*range(100, 200), *range(50)]
