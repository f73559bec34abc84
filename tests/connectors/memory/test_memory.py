"""memory://: batches replayed by index, rows and ledger under one lock, streams in order."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pyarrow as pa
import pytest

from ferris_beam.connectors import memory
from ferris_beam.connectors.memory.store import END_OF_TIME
from ferris_beam.errors import (
    ConfigurationError,
    ConflictError,
    SourceChangedError,
    SupersededError,
)
from ferris_beam.interval import Interval, Origin
from ferris_beam.ledger import Entry, Identity
from ferris_beam.options import resolve
from ferris_beam.uri import Uri

SCHEMA = pa.schema([("x", pa.int64())])


@pytest.fixture(autouse=True)
def empty():
    memory.clear()
    yield
    memory.clear()


def batch(*values):
    return pa.record_batch([pa.array(values, pa.int64())], schema=SCHEMA)


def reader(text):
    uri = Uri.parse(text)
    return memory.CONNECTOR.reader(uri, resolve(memory.CONNECTOR.source_options(), uri, {}))


def writer(text="memory://out", run="one", name="orders"):
    uri = Uri.parse(text)
    made = memory.CONNECTOR.writer(uri, resolve(memory.CONNECTOR.sink_options(), uri, {}))
    made = pickle.loads(pickle.dumps(made))
    made.open(Identity(name, run, "plan"))
    return made


def entry(start, end, identity=""):
    return Entry(Origin(("Read",), Interval("u", start, end), identity), end - start)


def commit(sink, records, *entries, epoch=1):
    staged = sink.begin()
    staged.write(records)
    return sink.commit(epoch, staged, entries)


# ── reading ─────────────────────────────────────────────────────────────────────────────────


def test_batches_are_positions_and_can_be_read_in_any_part():
    memory.put("in", pa.Table.from_batches([batch(1, 2), batch(3), batch(4, 5, 6)]))
    source = reader("memory://in")
    [split] = source.splits({})
    assert source.bounded
    assert split.divisible
    assert split.interval == Interval("in", 0, 3)
    assert source.schema() == SCHEMA
    chunks = list(source.read(split))
    assert [chunk.end for chunk in chunks] == [1, 2, 3]
    assert [chunk.records["x"].to_pylist() for chunk in chunks] == [[1, 2], [3], [4, 5, 6]]
    part = replace(split, interval=Interval("in", 1, 2))
    assert [chunk.records for chunk in source.read(part)] == [batch(3)]
    assert source.backlog(split, 2).nbytes == 24
    assert source.backlog(split, 3).idle


def test_what_is_appended_later_belongs_to_later_splits():
    memory.put("in", batch(1))
    source = reader("memory://in")
    [before] = source.splits({})
    sink = writer("memory://in")
    sink.claim(1, 1)
    commit(sink, batch(2), entry(0, 1))
    assert [chunk.records for chunk in source.read(before)] == [batch(1)]
    [after] = source.splits({})
    assert after.identity == before.identity
    assert after.interval.end == 2


def test_replaced_content_is_noticed():
    memory.put("in", batch(1))
    source = reader("memory://in")
    [split] = source.splits({})
    memory.put("in", batch(2))
    with pytest.raises(SourceChangedError):
        list(source.read(split))


def test_names_that_do_not_exist_are_told_with_those_that_do():
    memory.put("orders", batch(1))
    with pytest.raises(ConfigurationError, match="there are: orders"):
        reader("memory://order").splits({})
    with pytest.raises(ConfigurationError, match="names what it refers to"):
        reader("memory://")


def test_nothing_put_is_nothing_to_read():
    memory.put("in", SCHEMA.empty_table())
    assert list(reader("memory://in").splits({})) == []
    assert reader("memory://in").schema() == SCHEMA


# ── streams ─────────────────────────────────────────────────────────────────────────────────


def test_a_stream_is_one_ordered_unit_that_never_ends():
    live = memory.stream("clicks", SCHEMA)
    source = reader("memory://clicks?unbounded=true")
    [split] = source.splits({})
    assert not source.bounded
    assert split.ordered
    assert not split.divisible
    assert split.interval == Interval("clicks", 0, None)
    assert list(source.read(split)) == []
    assert source.backlog(split, 0).idle

    live.push(batch(1, 2), timestamp=5)
    live.advance_watermark(10)
    live.push(pa.Table.from_batches([batch(3), batch(4)]), timestamp=11)
    chunks = list(source.read(split))
    seen = [(c.end, c.records["x"].to_pylist(), c.timestamp, c.watermark) for c in chunks]
    assert seen == [(1, [1, 2], 5, None), (2, [], None, 10), (3, [3, 4], 11, 10)]
    assert source.backlog(split, 2).nbytes == 16

    live.close()
    rest = replace(split, interval=Interval("clicks", 3, None))
    [last] = source.read(rest)
    assert (last.end, last.records.num_rows, last.watermark) == (4, 0, END_OF_TIME)
    with pytest.raises(ValueError, match="closed"):
        live.push(batch(9))


def test_a_watermark_needs_a_schema():
    with pytest.raises(ConfigurationError, match="no schema yet"):
        memory.stream("clicks").advance_watermark(1)
    with pytest.raises(ConfigurationError, match="schema is unknown"):
        reader("memory://clicks?unbounded=true").schema()


def test_the_end_of_time_is_beams():
    from apache_beam.utils.timestamp import MAX_TIMESTAMP

    assert MAX_TIMESTAMP.micros == END_OF_TIME


# ── writing ─────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_visible_before_the_commit_and_rolled_back_rows_never_are():
    sink = writer()
    sink.claim(1, 1)
    staged = sink.begin()
    staged.write(batch(1, 2))
    assert (staged.rows, staged.nbytes) == (2, 16)
    assert len(memory.take("out")) == 0
    sink.rollback(staged)
    receipt = commit(sink, batch(3), entry(0, 1))
    assert (receipt.rows, receipt.nbytes) == (1, 8)
    assert memory.take("out")["x"].to_pylist() == [3]


def test_rows_and_ledger_change_together():
    sink = writer()
    sink.claim(1, 1)
    commit(sink, batch(1, 2), entry(0, 2))
    with pytest.raises(ConflictError):
        commit(sink, batch(1, 2), entry(0, 2))
    assert memory.take("out")["x"].to_pylist() == [1, 2]
    ledger = writer(run="two").ledger()
    assert ledger.is_masked(Origin(("Read",), Interval("u", 0, 2)))
    assert not ledger.finished
    sink.finish(1)
    sink.finish(1)
    assert writer().ledger().finished


def test_the_same_commit_again_is_the_same_commit():
    sink = writer()
    sink.claim(1, 1)
    staged = sink.begin()
    staged.write(batch(1))
    first = sink.commit(1, staged, [entry(0, 1)])
    assert sink.commit(1, staged, [entry(0, 1)]) == first
    sink.rollback(staged)
    assert memory.take("out")["x"].to_pylist() == [1]


def test_rows_without_intervals_and_intervals_without_rows():
    sink = writer()
    sink.claim(1, 1)
    commit(sink, batch(1))
    commit(sink, batch(1))
    sink.commit(1, sink.begin(), [entry(0, 5)])
    assert memory.take("out")["x"].to_pylist() == [1, 1]
    assert sink.ledger().missing(("Read",), Interval("u", 0, 6)) == [Interval("u", 5, 6)]


def test_an_older_run_is_superseded():
    old, new = writer(run="old"), writer(run="new")
    old.claim(1, 1)
    commit(old, batch(1), entry(0, 1))
    new.claim(2, 1)
    with pytest.raises(SupersededError):
        commit(old, batch(2), entry(1, 2))
    with pytest.raises(SupersededError):
        old.claim(3, 1)
    with pytest.raises(SupersededError):
        old.finish(1)
    new.claim(2, 1)
    commit(new, batch(2), entry(1, 2), epoch=2)
    assert memory.take("out")["x"].to_pylist() == [1, 2]


def test_a_run_from_the_start_appends():
    sink = writer()
    sink.claim(1, 1)
    commit(sink, batch(1), entry(0, 1))
    again = writer(run="again")
    again.claim(2, 2)
    commit(again, batch(1), entry(0, 1), epoch=2)
    assert memory.take("out")["x"].to_pylist() == [1, 1]
    assert again.ledger().rows == 1


def test_a_ledger_that_was_given_out_stays_as_it_is():
    sink = writer()
    sink.claim(1, 1)
    before = sink.ledger()
    commit(sink, batch(1), entry(0, 1))
    assert not before.is_masked(Origin(("Read",), Interval("u", 0, 1)))


def test_batches_of_different_columns_are_united():
    sink = writer()
    sink.claim(1, 1)
    commit(sink, batch(1), entry(0, 1))
    commit(sink, pa.record_batch({"y": ["a"]}), entry(1, 2))
    assert memory.take("out").to_pylist() == [{"x": 1, "y": None}, {"x": None, "y": "a"}]


def test_writers_in_parallel_lose_nothing():
    first = writer()
    first.claim(1, 1)

    def work(position):
        try:
            commit(writer(), batch(position), entry(position, position + 1))
        except ConflictError:
            return 0
        return 1

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(work, [position % 50 for position in range(100)]))
    assert sum(done) == 50
    assert sorted(memory.take("out")["x"].to_pylist()) == list(range(50))
