"""One file that grows with each commit."""

from __future__ import annotations

import os

import duckdb
import pyarrow as pa
import pyarrow.csv as pacsv
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
    writer,
)

GROWING = ("csv", "tsv", "jsonl")


@pytest.mark.parametrize("ending", GROWING)
def test_a_file_grows_with_every_commit(folder, ending):
    path = f"{folder}/out.{ending}"
    sink = claimed(path)
    for start in range(0, 12, 3):
        receipt = commit(sink, start, start + 3)
        assert receipt.rows == 3
        assert ids_in_file(path) == list(range(start + 3))
    sink.finish(1)
    sink.finish(1)
    assert ids_in_file(path) == list(range(12))
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
        assert ids_in_file(f"{folder}/{name}") == []


def test_writers_in_turn_make_one_file(folder):
    path = f"{folder}/out.csv"
    one, two = claimed(path), writer(path)
    for start in range(0, 300, 2):
        commit(one, start, start + 1)
        commit(two, start + 1, start + 2)
    assert ids_in_file(path) == list(range(300))


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
    assert ids_in_file(path) == [0, 1, 2, 3]
    commit(other_run(other), 4, 6, epoch=2)
    assert ids_in_file(path) == [0, 1, 2, 3, 4, 5]


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
    assert ids_in_file(path) == [100]


def test_columns_that_do_not_fit_the_header_are_refused(folder):
    sink = claimed(f"{folder}/out.csv")
    other = pa.record_batch({"id": [1], "other": [2]})
    with pytest.raises(SchemaError, match="one header"):
        sink.commit(1, stage(sink, rows(0, 1), other), [entry(0, 2)])
    commit(sink, 0, 1)
    with pytest.raises(SchemaError, match=r"columns are id, text, country.*have id, other"):
        sink.commit(1, stage(sink, other), [entry(1, 2)])
    assert ids_in_file(f"{folder}/out.csv") == [0]


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
    assert ids_in_file(path) == [0]


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
    assert ids_in_file(path) == [0, 1, 99, 2, 3]
    os.truncate(path, 10)
    with pytest.raises(FatalError, match="has 10 bytes"):
        commit(again, 4, 6, epoch=2)
