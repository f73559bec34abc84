"""A single file that is there already: refused, continued, or replaced at the end."""

from __future__ import annotations

import os

import pyarrow as pa
import pytest

from ferris_beam.errors import ConfigurationError, SchemaError
from tests.connectors.file.sinks import claimed, commit, entry, ids_in_file, stage, writer

GROWING = ("csv", "tsv", "jsonl")
MERGED = ("parquet", "csv.gz", "jsonl.gz")


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
    assert ids_in_file(path) == [100, 101]


def test_appending_continues_the_file(path):
    sink = claimed(path, if_exists="append")
    commit(sink, 0, 2)
    commit(sink, 2, 3)
    sink.finish(1)
    assert ids_in_file(path) == [100, 101, 0, 1, 2]


def test_appending_refuses_other_columns(path):
    sink = claimed(path, if_exists="append")
    staged = stage(sink, pa.record_batch({"id": ["text"], "more": [1]}))
    if ".jsonl" in path:
        sink.commit(1, staged, [entry(0, 1)])
    else:
        with pytest.raises(SchemaError):
            sink.commit(1, staged, [entry(0, 1)])
        assert ids_in_file(path) == [100, 101]


def test_overwriting_keeps_the_old_file_until_the_finish(path):
    first = claimed(path, "first", if_exists="overwrite")
    commit(first, 0, 2)
    assert ids_in_file(path) == [100, 101]
    second = claimed(path, "second", 2, if_exists="overwrite")
    commit(second, 2, 3, epoch=2)
    assert ids_in_file(path) == [100, 101]
    second.finish(2)
    second.finish(2)
    assert ids_in_file(path) == [0, 1, 2]
    commit(second, 3, 4, epoch=2)
    second.finish(2)
    assert ids_in_file(path) == [0, 1, 2, 3]


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
    assert ids_in_file(path) == [100, 101, 0, 1]
    again.finish(2)
    assert ids_in_file(path) == [0]


def test_a_missing_line_end_is_added(folder):
    with open(f"{folder}/out.csv", "w") as file:
        file.write('"id","text","country"\n7,by hand,DE')
    sink = claimed(f"{folder}/out.csv", if_exists="append")
    commit(sink, 0, 2)
    assert ids_in_file(f"{folder}/out.csv") == [7, 0, 1]


def test_an_empty_file_is_no_data(folder):
    for name in ("out.csv", "out.parquet", "out.jsonl.gz"):
        open(f"{folder}/{name}", "w").close()
        sink = claimed(f"{folder}/{name}")
        commit(sink, 0, 2)
        sink.finish(1)
        assert ids_in_file(f"{folder}/{name}") == [0, 1]


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
    with pytest.raises(ConfigurationError, match=r"takes compression= none, .*gzip"):
        writer(f"{folder}/out.csv", compression="rar")
    with pytest.raises(ConfigurationError, match="row_group_size is no option of the format csv"):
        writer(f"{folder}/out.csv", row_group_size=5)
    with pytest.raises(ConfigurationError, match=r"\$\{year\}"):
        writer(f"{folder}/${{year}}/out.csv")
