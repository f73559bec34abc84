"""A folder that holds data already: refused, added to, or replaced at the end."""

from __future__ import annotations

import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ferris_beam.errors import (
    ConfigurationError,
    FatalError,
)
from tests.connectors.file.sinks import (
    claimed,
    commit,
    ids_in_folder,
    rows,
    staged_files,
    tree,
    writer,
)


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
    assert ids_in_folder(out) == [0, 1, 100, 101, 102]


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
    assert ids_in_folder(out) == [0, 0, 1, 1, 2, 3]


def test_overwriting_keeps_the_old_data_until_the_finish(out):
    old_data(out)
    old_data(out, "top.parquet")
    commit(claimed(out, "before", format="parquet", if_exists="append"), 50, 52)
    first = claimed(out, "first", epoch=2, generation=2, format="parquet", if_exists="overwrite")
    commit(first, 0, 2, epoch=2)
    assert ids_in_folder(out) == [50, 51, 100, 100, 101, 101, 102, 102]
    second = claimed(out, "second", epoch=3, generation=2, format="parquet", if_exists="overwrite")
    commit(second, 2, 4, epoch=3)
    assert ids_in_folder(out) == [50, 51, 100, 100, 101, 101, 102, 102]
    second.finish(3)
    assert ids_in_folder(out) == [0, 1, 2, 3]
    assert staged_files(out) == []
    second.finish(3)
    assert ids_in_folder(out) == [0, 1, 2, 3]


def test_overwriting_nothing_publishes_at_once(out):
    sink = claimed(out, format="parquet", if_exists="overwrite")
    commit(sink, 0, 2)
    assert ids_in_folder(out) == [0, 1]
    sink.finish(1)
    assert ids_in_folder(out) == [0, 1]


def test_a_reset_forgets_what_waited(out):
    old_data(out)
    first = claimed(out, "first", format="parquet", if_exists="overwrite")
    commit(first, 0, 2)
    second = claimed(out, "second", epoch=2, generation=2, format="parquet", if_exists="overwrite")
    assert staged_files(out) == []
    commit(second, 0, 1, epoch=2)
    second.finish(2)
    assert ids_in_folder(out) == [0]


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
    assert ids_in_folder(out) == [0, 1, 7]
    assert later.ledger().finished


def test_a_staged_file_that_somebody_removed_is_told(out):
    old_data(out)
    sink = claimed(out, format="parquet", if_exists="overwrite")
    commit(sink, 0, 2)
    [name] = staged_files(out)
    os.unlink(f"{out}_ferris/orders/staged/{name}")
    with pytest.raises(FatalError, match="was committed and is gone"):
        sink.finish(1)
    assert ids_in_folder(out) == [100, 101, 102]
