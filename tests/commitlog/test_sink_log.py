"""The numbered log: every entry once, in one order, whoever stands still and whenever."""

from __future__ import annotations

import multiprocessing
import threading

import pytest

from ferris_beam.commitlog import (
    Claim,
    Commit,
    Finish,
    LocalLogStore,
    NumberedLog,
    Placement,
    Removal,
    SinkLog,
)
from ferris_beam.commitlog.sinklog import CHECKPOINT_EVERY
from ferris_beam.errors import ConflictError, FatalError
from ferris_beam.interval import Interval, Origin
from ferris_beam.ledger import Entry


class MemoryStore:
    """A store whose next creation can be preceded or followed by somebody else's doings."""

    def __init__(self):
        self.documents = {}
        self.before = self.after = None

    def names(self):
        return list(self.documents)

    def read(self, name):
        return self.documents.get(name)

    def create_exclusive(self, name, data):
        before, self.before = self.before, None
        if before:
            before()
        created = name not in self.documents
        self.documents.setdefault(name, data)
        after, self.after = self.after, None
        if after:
            after()
        return created

    def delete(self, name):
        self.documents.pop(name, None)


@pytest.fixture
def store():
    return MemoryStore()


def sink_log(store):
    return SinkLog(NumberedLog(store), "orders")


def entry(position, unit="u"):
    return Entry(Origin(("Read",), Interval(unit, position, position + 1)), 1)


def add(log, position, unit="u", identifier=None):
    """A commit of one position, with the ledger's checks; writes checkpoints when they are due."""
    found = entry(position, unit)

    def build(state):
        state.ledger.check_entries([found])
        return Commit(identifier, 1, 1, (found,))

    identifier = identifier or f"{unit}-{position}"
    number = log.append(identifier, build)
    if log.checkpoint_is_due:
        log.checkpoint()
    return number


def committed(log):
    ledger = log.refresh().ledger
    return {} if not ledger.committed else ledger.committed[("Read",)].to_json()


def test_entries_are_numbered_from_zero_and_read_by_others(store):
    log = sink_log(store)
    assert [add(log, position) for position in range(5)] == [0, 1, 2, 3, 4]
    assert committed(sink_log(store)) == {"u": [[0, 5]]}


def test_a_taken_number_is_checked_again_against_what_took_it(store):
    slow, quick = sink_log(store), sink_log(store)
    store.before = lambda: add(quick, 7)
    assert add(slow, 8) == 1
    store.before = lambda: add(quick, 9)
    with pytest.raises(ConflictError):
        add(slow, 9, identifier="other")
    assert committed(slow) == {"u": [[7, 10]]}


def test_an_entry_whose_outcome_was_unknown_is_found_again(store):
    log = sink_log(store)

    def power_failure():
        raise OSError("no answer")

    store.after = power_failure
    with pytest.raises(OSError):
        add(log, 0)
    assert add(log, 0) == 0
    assert add(sink_log(store), 0) == 0
    assert len(store.documents) == 1


def test_checkpoints_stand_for_entries_that_are_deleted(store):
    log = sink_log(store)
    for position in range(CHECKPOINT_EVERY * 3 + 5):
        add(log, position)
    found = NumberedLog(store).listing()
    assert len(found.checkpoints) == 2
    assert found.covered == ()
    assert len(found.entries) < CHECKPOINT_EVERY
    assert committed(sink_log(store)) == {"u": [[0, CHECKPOINT_EVERY * 3 + 5]]}
    assert add(sink_log(store), 3, identifier="u-3") == 3


def others(store, count, unit="v"):
    """Somebody who commits a lot, and so writes checkpoints and deletes entries."""

    def run():
        log = sink_log(store)
        for position in range(count):
            add(log, position, unit)

    return run


@pytest.mark.parametrize("count", [CHECKPOINT_EVERY - 1, CHECKPOINT_EVERY * 2, 1000])
def test_a_number_deleted_before_it_is_created_is_a_stray_and_tried_again(store, count):
    slow = sink_log(store)
    add(slow, 0)
    store.before = others(store, count)
    number = add(slow, 1)
    assert number == count + 1
    assert committed(sink_log(store)) == {"u": [[0, 2]], "v": [[0, count]]}
    assert set(NumberedLog(store).listing().covered) == set()


@pytest.mark.parametrize("count", [CHECKPOINT_EVERY - 1, CHECKPOINT_EVERY * 2, 500])
def test_an_entry_that_a_checkpoint_covers_at_once_is_not_added_twice(store, count):
    slow = sink_log(store)
    add(slow, 0)
    store.after = others(store, count)
    assert add(slow, 1) == 1
    assert committed(sink_log(store)) == {"u": [[0, 2]], "v": [[0, count]]}
    assert sink_log(store).refresh().ledger.rows == count + 2


def test_a_creator_slower_than_what_is_remembered_is_refused_by_the_ledger(store):
    slow = sink_log(store)
    add(slow, 0)
    store.after = others(store, 1000)
    with pytest.raises(ConflictError):
        add(slow, 1)
    assert committed(sink_log(store)) == {"u": [[0, 2]], "v": [[0, 1000]]}


def test_a_reader_overtaken_between_listing_and_reading_starts_again(store):
    for position in range(10):
        add(sink_log(store), position)
    reader = sink_log(store)
    read, calls = store.read, []

    def read_late(name):
        if not calls:
            calls.append(name)
            others(store, 300)()
        return read(name)

    store.read = read_late
    assert committed(reader) == {"u": [[0, 10]], "v": [[0, 300]]}


def test_a_missing_entry_is_told(store):
    for position in range(3):
        add(sink_log(store), position)
    del store.documents["00000001.entry"]
    with pytest.raises(FatalError, match="entry 1 is missing"):
        sink_log(store).refresh()


def test_a_number_that_can_neither_be_read_nor_created_is_told(store):
    store.create_exclusive = lambda name, data: False
    with pytest.raises(FatalError, match="entry 0 can neither be read nor created"):
        add(sink_log(store), 0)


def test_entries_of_another_version_are_refused(store):
    store.documents["00000000.entry"] = b'{"version":2,"kind":"claim"}'
    with pytest.raises(FatalError, match="format 2"):
        sink_log(store).refresh()
    store.documents["00000000.entry"] = b'{"version":1,"kind":"surprise"}'
    with pytest.raises(FatalError, match="surprise"):
        sink_log(store).refresh()


def test_what_was_published_before_a_checkpoint_is_not_published_again(store):
    placement = Placement("a.staged", "a.parquet", 10)
    writer, reader = sink_log(store), sink_log(store)
    writer.append("1", lambda state: Commit("1", 1, 1, files=(placement,)))
    assert reader.refresh().due == [(0, placement)]
    writer.append("2", lambda state: Finish("2", 1, removals=(Removal("old", "f"),)))
    writer.checkpoint()
    assert reader.refresh().due == []
    assert reader.state.removals == []
    assert sink_log(store).refresh().ledger.finished


def test_what_waits_for_the_finish_survives_checkpoints(store):
    placement = Placement("a.staged", "", 10, prefix="é,b\n".encode())
    log = sink_log(store)
    log.append("0", lambda state: Claim("0", "run", 1, "", 1, held=True, replaces=True))
    log.append("1", lambda state: Commit("1", 1, 1, files=(placement,), held=True))
    log.checkpoint()
    state = sink_log(store).refresh()
    assert state.waiting == [placement]
    assert state.held
    assert state.replaces
    assert state.due == []
    assert state.origin == "0"
    log.append("2", lambda state: Claim("2", "again", 2, "", 2))
    assert log.state.waiting == []
    assert not log.state.held
    assert log.state.origin == "2"


def hammer(folder, worker, count):
    log = SinkLog(NumberedLog(LocalLogStore(folder)), "orders")
    for position in range(count):
        add(log, position, f"w{worker}")


@pytest.mark.parametrize("kind", [threading.Thread, multiprocessing.get_context("spawn").Process])
def test_many_at_once_commit_everything_once_in_one_order(tmp_path, kind):
    workers, count = 4, 60
    folder = str(tmp_path / "log")
    started = [kind(target=hammer, args=(folder, worker, count)) for worker in range(workers)]
    for one in started:
        one.start()
    for one in started:
        one.join()
    log = SinkLog(NumberedLog(LocalLogStore(folder)), "orders")
    state = log.refresh()
    assert committed(log) == {f"w{worker}": [[0, count]] for worker in range(workers)}
    assert state.next == state.ledger.rows == workers * count
    assert sorted(state.recent.values()) == list(range(workers * count))
    for worker in range(workers):
        numbers = [state.recent[f"w{worker}-{position}"] for position in range(count)]
        assert numbers == sorted(numbers)
    assert len(NumberedLog(LocalLogStore(folder)).listing().checkpoints) <= 2
