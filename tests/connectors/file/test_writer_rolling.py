"""Small commits that are gathered into files of a useful size."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ferris_beam.connectors.file import roller, rolling
from ferris_beam.errors import ConfigurationError, FatalError, SupersededError
from ferris_beam.formats.registry import format_named, formats
from tests.connectors.file.sinks import (
    claimed,
    commit,
    entry,
    ids_in_file,
    ids_in_folder,
    ids_we_read,
    rows,
    stage,
    staged_files,
    tree,
    writer,
)


@pytest.fixture
def clock(monkeypatch):
    """What the rollers take for the time; tests turn it on."""
    now = SimpleNamespace(seconds=1000.0)
    monkeypatch.setattr(roller, "time", SimpleNamespace(time=lambda: now.seconds))
    return now


def rolled_commit(sink, start, end, epoch=1):
    commit(sink, start, end, epoch)
    sink.roll(epoch)


def elsewhere(sink):
    """The same writer as if it were in another process."""
    sink._opened.roller.process = roller.Process()
    return sink


def files(out):
    """The ids in each file, in the order of the files' names."""
    return [ids_in_file(f"{out}{name}") for name in tree(out)]


@pytest.mark.parametrize(
    "options",
    [
        {"format": "parquet"},
        {"format": "csv"},
        {"format": "csv", "compression": "gzip"},
        {"format": "jsonl"},
        {"format": "jsonl", "compression": "gzip"},
    ],
    ids=str,
)
def test_commits_are_gathered_until_a_file_has_enough_rows(out, options):
    sink = claimed(out, roll_rows=5, **options)
    rolled_commit(sink, 0, 2)
    rolled_commit(sink, 2, 4)
    assert tree(out) == []
    assert sink.ledger().rows == 4
    rolled_commit(sink, 4, 6)
    assert files(out) == [[0, 1, 2, 3, 4, 5]]
    assert staged_files(out) == []
    rolled_commit(sink, 6, 8)
    assert files(out) == [[0, 1, 2, 3, 4, 5]]
    sink.finish(1)
    assert files(out) == [[0, 1, 2, 3, 4, 5], [6, 7]]
    assert staged_files(out) == []


@pytest.mark.parametrize("format", formats())
def test_files_of_every_format_and_compression_are_put_together(folder, format):
    for compression in format_named(format).compressions:
        out = f"{folder}/{compression}/"
        sink = claimed(out, format=format, compression=compression, roll_rows=6)
        for start in range(0, 6, 2):
            rolled_commit(sink, start, start + 2)
        [name] = tree(out)
        assert ids_we_read(f"{out}{name}") == list(range(6))


def test_a_file_has_enough_bytes(out):
    sink = claimed(out, format="jsonl", roll_bytes=200)
    for start in range(0, 20, 2):
        rolled_commit(sink, start, start + 2)
    assert len(tree(out)) > 1
    assert all(200 <= os.path.getsize(f"{out}{name}") < 320 for name in tree(out))
    sink.finish(1)
    assert ids_in_folder(out, "jsonl") == list(range(20))


def test_rows_wait_for_no_longer_than_the_interval(out, clock):
    sink = claimed(out, format="csv", roll_interval="1m")
    rolled_commit(sink, 0, 2)
    clock.seconds += 40
    rolled_commit(sink, 2, 4)
    clock.seconds += 19
    sink.roll(1)
    assert tree(out) == []
    clock.seconds += 1
    sink.roll(1)
    assert files(out) == [[0, 1, 2, 3]]


def test_a_writer_leaves_the_parts_of_another_one_to_it_for_a_while(out, clock):
    one = claimed(out, format="csv", roll_interval="1m")
    other = elsewhere(writer(out, format="csv", roll_interval="1m"))
    commit(one, 0, 2)
    other.ledger()
    clock.seconds += 60
    other.roll(1)
    assert tree(out) == []
    clock.seconds += rolling.GRACE_SECONDS
    other.roll(1)
    assert files(out) == [[0, 1]]
    one.roll(1)
    one.finish(1)
    assert files(out) == [[0, 1]]


def test_writers_of_one_process_roll_for_each_other_one_at_a_time(out, monkeypatch):
    one, other = claimed(out, format="csv", roll_rows=4), writer(out, format="csv", roll_rows=4)
    commit(one, 0, 4)
    other.ledger()
    write, at_once = roller.Merge.write, []

    def meanwhile(merge, parts, header):
        one.roll(1)
        at_once.append(tree(out))
        return write(merge, parts, header)

    monkeypatch.setattr(roller.Merge, "write", meanwhile)
    other.roll(1)
    assert at_once == [[]]
    assert files(out) == [[0, 1, 2, 3]]


def test_a_clock_that_was_set_back_delays_nothing(out, clock):
    sink = claimed(out, format="csv", roll_interval="1m")
    commit(sink, 0, 2)
    clock.seconds -= 500
    sink.roll(1)
    assert files(out) == [[0, 1]]


def test_each_partition_and_each_schema_fills_files_of_its_own(out):
    sink = claimed(out, format="parquet", partition_by="country", roll_rows=4)
    for start in range(0, 12, 2):
        rolled_commit(sink, start, start + 2)
    assert {os.path.dirname(name) for name in tree(out)} == set()
    for start in range(12, 16, 2):
        rolled_commit(sink, start, start + 2)
    assert sorted(len(ids) for ids in files(out)) == [4, 4, 4, 4]
    other = pa.record_batch({"other": [1, 2, 3, 4, 5], "country": ["DE"] * 5})
    sink.commit(1, stage(sink, other), [entry(16, 21)])
    sink.roll(1)
    [name] = [name for name in tree(out) if pq.read_schema(f"{out}{name}").names == ["other"]]
    assert os.path.dirname(name) == "country=DE"


def test_endless_input_is_gathered_for_a_minute_unless_told(out, clock):
    made = writer(out, format="jsonl")
    made.close()
    made.endless = True
    made.open(claimed(f"{out}other/", format="jsonl")._opened.identity)
    made.claim(1, 1)
    rolled_commit(made, 0, 2)
    assert "part-" not in "".join(os.listdir(out))
    clock.seconds += 60
    made.roll(1)
    assert [ids_in_file(f"{out}{name}") for name in os.listdir(out) if "part-" in name] == [[0, 1]]


@pytest.mark.parametrize("options", [{}, {"roll_interval": "0"}], ids=str)
def test_without_rolling_every_commit_is_a_file(out, options):
    sink = claimed(out, format="jsonl", **options)
    commit(sink, 0, 2)
    commit(sink, 2, 4)
    assert files(out) == [[0, 1], [2, 3]]


def test_the_next_run_rolls_what_a_killed_one_gathered(out, clock):
    commit(claimed(out, "one", format="csv", roll_interval="1m"), 0, 2)
    two = claimed(out, "two", 2, format="csv", roll_interval="1m")
    assert len(staged_files(out)) == 1
    rolled_commit(two, 2, 4, epoch=2)
    assert tree(out) == []
    clock.seconds += 60
    two.roll(2)
    assert files(out) == [[0, 1, 2, 3]]
    assert staged_files(out) == []


def test_what_was_gathered_in_another_format_stays_in_it(out):
    commit(claimed(out, "one", format="csv", roll_rows=100), 0, 2)
    commit(claimed(out, "two", 2, format="parquet", roll_rows=100), 2, 4, epoch=2)
    three = claimed(out, "three", 3, format="jsonl", compression="gzip")
    commit(three, 4, 6, epoch=3)
    three.finish(3)
    found = {name.split(".", 1)[1]: ids_in_file(f"{out}{name}") for name in tree(out)}
    assert found == {"csv": [0, 1], "parquet": [2, 3], "jsonl.gz": [4, 5]}


def test_overwriting_shows_nothing_before_the_finish_and_files_of_the_size_then(out):
    before = claimed(out, "before", format="jsonl")
    commit(before, 100, 101)
    sink = claimed(out, "sink", 2, 2, format="jsonl", if_exists="overwrite", roll_rows=4)
    for start in range(0, 14, 2):
        rolled_commit(sink, start, start + 2, epoch=2)
        assert files(out) == [[100]]
    sink.finish(2)
    assert files(out) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11], [12, 13]]
    assert staged_files(out) == []


def test_a_start_from_zero_keeps_or_drops_what_was_gathered_as_if_exists_says(out):
    commit(claimed(out, "one", format="jsonl", roll_rows=100), 0, 2)
    with pytest.raises(ConfigurationError, match="1 committed parts of files to come"):
        claimed(out, "two", 2, 2, format="jsonl", roll_rows=100)
    three = claimed(out, "three", 3, 3, format="jsonl", roll_rows=100, if_exists="append")
    commit(three, 0, 1, epoch=3)
    four = claimed(out, "four", 4, 4, format="jsonl", roll_rows=100, if_exists="overwrite")
    commit(four, 5, 6, epoch=4)
    four.finish(4)
    assert files(out) == [[5]]


def test_appending_from_zero_adds_to_what_was_gathered(out):
    commit(claimed(out, "one", format="jsonl", roll_rows=100), 0, 2)
    two = claimed(out, "two", 2, 2, format="jsonl", roll_rows=100, if_exists="append")
    commit(two, 0, 1, epoch=2)
    two.finish(2)
    assert files(out) == [[0, 1, 0]]


def test_of_two_that_roll_at_once_one_is_taken(out, monkeypatch):
    slow = claimed(out, format="csv", roll_rows=4)
    quick = elsewhere(writer(out, format="csv", roll_rows=4))
    write = roller.Merge.write

    def overtaken(merge, parts, header):
        monkeypatch.setattr(roller.Merge, "write", write)
        made = write(merge, parts, header)
        quick.roll(1, everything=True)
        return made

    monkeypatch.setattr(roller.Merge, "write", overtaken)
    rolled_commit(slow, 0, 4)
    assert files(out) == [[0, 1, 2, 3]]
    assert staged_files(out) == []


def test_parts_that_another_one_takes_while_they_are_read_are_left_to_it(out, monkeypatch):
    slow = claimed(out, format="csv", roll_rows=4)
    quick = elsewhere(writer(out, format="csv", roll_rows=4))
    write = roller.Merge.write

    def overtaken(merge, parts, header):
        monkeypatch.setattr(roller.Merge, "write", write)
        quick.roll(1, everything=True)
        return write(merge, parts, header)

    monkeypatch.setattr(roller.Merge, "write", overtaken)
    rolled_commit(slow, 0, 4)
    assert files(out) == [[0, 1, 2, 3]]
    assert staged_files(out) == []


def test_a_roll_that_fails_leaves_all_as_it_was(out, monkeypatch):
    sink = claimed(out, format="parquet", roll_rows=4)
    commit(sink, 0, 2)
    commit(sink, 2, 4)
    before = staged_files(out)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(FatalError, match="no space is left"):
            sink.roll(1)
    assert staged_files(out) == before
    sink.roll(1)
    assert files(out) == [[0, 1, 2, 3]]
    assert staged_files(out) == []


def test_a_roll_whose_answer_was_lost_is_found_again(out, monkeypatch):
    sink = claimed(out, format="csv", roll_rows=4)
    commit(sink, 0, 4)
    link = os.link

    def link_and_fail(source, target):
        link(source, target)
        raise OSError(5, "Input/output error", target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "link", link_and_fail)
        sink.roll(1)
    assert files(out) == [[0, 1, 2, 3]]
    assert staged_files(out) == []


def test_a_gathered_part_that_somebody_removed_is_told(out):
    sink = claimed(out, format="csv", roll_rows=4)
    commit(sink, 0, 4)
    [name] = staged_files(out)
    os.unlink(f"{out}_ferris/orders/staged/{name}")
    with pytest.raises(FatalError, match="was committed and is gone"):
        sink.roll(1)


def test_a_superseded_run_rolls_nothing(out):
    old = claimed(out, "old", format="csv", roll_rows=4)
    commit(old, 0, 4)
    new = claimed(out, "new", 2, format="csv", roll_rows=8)
    with pytest.raises(SupersededError):
        old.roll(1)
    assert tree(out) == []
    rolled_commit(new, 4, 8, epoch=2)
    assert files(out) == [list(range(8))]
    assert staged_files(out) == []


def test_the_number_of_parts_is_limited(out, monkeypatch):
    monkeypatch.setattr(rolling, "MOST_PARTS", 5)
    sink = claimed(out, format="jsonl", roll_rows=1000)
    for at in range(12):
        rolled_commit(sink, at, at + 1)
    assert files(out) == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]


def test_the_log_forgets_neither_what_is_gathered_nor_what_is_left_to_remove(out):
    sink = claimed(out, format="jsonl", roll_rows=150)
    for at in range(200):
        rolled_commit(sink, at, at + 1)
    assert [len(ids) for ids in files(out)] == [150]
    other = writer(out, format="jsonl", roll_rows=150)
    other.finish(1)
    assert [len(ids) for ids in files(out)] == [150, 50]
    assert staged_files(out) == []


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=25),
    enough=st.integers(1, 20),
    format=st.sampled_from(["csv", "jsonl", "parquet"]),
    writers=st.integers(1, 3),
)
def test_any_commits_become_files_that_are_full_and_in_order(
    tmp_path_factory, sizes, enough, format, writers
):
    out = f"{tmp_path_factory.mktemp('rolled')}/out/"
    claimed(out, format=format, roll_rows=enough)
    sinks = [writer(out, format=format, roll_rows=enough) for _ in range(writers)]
    start = 0
    for at, size in enumerate(sizes):
        rolled_commit(sinks[at % writers], start, start + size)
        start += size
    full = files(out)
    assert all(enough <= len(ids) < enough + 9 for ids in full)
    sinks[0].finish(1)
    assert [at for ids in files(out) for at in ids] == list(range(start))
    assert staged_files(out) == []


def test_options_that_would_have_no_effect_are_refused(folder):
    with pytest.raises(ConfigurationError, match="roll_rows and roll_bytes need a folder"):
        writer(f"{folder}/out.csv", roll_rows=5, roll_bytes=5)
    with pytest.raises(ConfigurationError, match="roll_interval needs a folder"):
        writer(f"{folder}/${{day}}.csv", roll_interval="5m", event_time="at")
    with pytest.raises(ConfigurationError, match=r"every commit is a file; leave out roll_rows"):
        writer(f"{folder}/out/", format="csv", roll_rows=5, roll_interval="0")


def test_limits_are_told_in_words():
    assert str(rolling.Rolling()) == "128MiB"
    assert str(rolling.Rolling(5000, 1 << 20, 90.0)) == "5,000 rows, 1MiB or 1m30s"


def test_rows_are_as_they_were(out):
    sink = claimed(out, format="parquet", roll_rows=6)
    for start in range(0, 6, 2):
        rolled_commit(sink, start, start + 2)
    [name] = tree(out)
    assert pq.read_table(f"{out}{name}").to_pylist() == rows(0, 6).to_pylist()
