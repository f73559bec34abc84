"""Exactly once, whatever dies: writers are killed amidst transactions, or wake up too late."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ferris_beam.connectors.kafka.writing import ledger
from ferris_beam.connectors.kafka.writing.writer import KafkaWriter
from ferris_beam.errors import SupersededError
from ferris_beam.ledger import Identity
from tests.connectors.kafka.conftest import NewTopic
from tests.connectors.kafka.copier import commit
from tests.connectors.kafka.endpoints import writer_of
from tests.services.kafka import Topic

_COUNT = 8000


@contextmanager
def copier(uri: str, run: str) -> Iterator[subprocess.Popen[str]]:
    """The process, once it commits."""
    command = [sys.executable, "-m", "tests.connectors.kafka.copier", uri, run, str(_COUNT)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("go"), "it did not begin"
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def outcome(process: subprocess.Popen[str]) -> str:
    out, _ = process.communicate(timeout=120)
    return out.strip()


def numbers(topic: Topic, committed: bool = True) -> list[int]:
    return sorted(json.loads(value)["id"] for value in topic.values(committed) if value)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rows_are_there_once_after_kills_amidst_transactions(
    new_topic: NewTopic, seed: int
) -> None:
    topic = new_topic(2)
    chance = random.Random(seed)
    uri = topic.uri(key="id")
    for attempt in range(4):
        with copier(uri, f"run-{attempt}") as process:
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0.05, 0.6))
            process.send_signal(signal.SIGKILL)
            process.wait()
    with copier(uri, "last") as process:
        assert outcome(process) == "done"
    assert numbers(topic) == list(range(_COUNT))


def test_what_a_killed_process_left_open_is_ended_at_once(new_topic: NewTopic) -> None:
    """Its transactions would hold up all readers for a minute else."""
    topic = new_topic()
    with copier(topic.uri(transaction_timeout="10m"), "killed") as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    began = time.monotonic()
    with copier(topic.uri(), "next") as process:
        assert outcome(process) == "done"
    assert time.monotonic() - began < 60
    assert numbers(topic) == list(range(_COUNT))


def test_a_process_that_wakes_up_after_the_next_run_began_writes_nothing(
    new_topic: NewTopic,
) -> None:
    topic = new_topic()
    with copier(topic.uri(), "zombie") as zombie:
        zombie.send_signal(signal.SIGSTOP)
        with copier(topic.uri(), "next") as process:
            assert outcome(process) == "done"
        zombie.send_signal(signal.SIGCONT)
        assert outcome(zombie) == "SupersededError"
    assert numbers(topic) == list(range(_COUNT))


def test_an_older_run_is_refused_also_where_its_producer_was_never_fenced(topic: Topic) -> None:
    older, newer = writer_of(topic.uri()), writer_of(topic.uri())
    older.open(Identity("p", "run-1", "plan"))
    newer.open(Identity("p", "run-2", "plan"))
    try:
        older.claim(1, 1)
        commit(older, 1, 0, 10)
        newer.claim(2, 1)
        with pytest.raises(SupersededError):
            commit(older, 1, 10, 20)
        commit(newer, 2, 10, 20)
    finally:
        older.close()
        newer.close()
    assert numbers(topic) == list(range(20))


def test_a_writer_of_the_same_run_that_hangs_is_passed_and_writes_again(
    topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its transaction is ended by the one that waits behind it; what it held is sent anew."""
    monkeypatch.setattr(ledger, "_PATIENCE", 0.2)
    slow, quick = writer_of(topic.uri()), writer_of(topic.uri())
    for writer in (slow, quick):
        writer.open(Identity("p", "run-1", "plan"))
        writer.claim(1, 1)
    hangs, goes_on = threading.Event(), threading.Event()
    assert isinstance(slow, KafkaWriter)
    inner = slow._ledger(create=True)
    assert inner is not None
    wait = inner._wait_for

    def hanging(offset: int) -> None:
        hangs.set()
        assert goes_on.wait(60)
        wait(offset)

    monkeypatch.setattr(inner, "_wait_for", hanging)
    thread = threading.Thread(target=commit, args=(slow, 1, 0, 10, "first"))
    thread.start()
    try:
        assert hangs.wait(60)
        commit(quick, 1, 10, 20, "second")
        assert numbers(topic) == list(range(10, 20))
    finally:
        goes_on.set()
        thread.join()
        slow.close()
        quick.close()
    assert numbers(topic) == list(range(20))
    assert len(numbers(topic, committed=False)) == 30


def test_aborted_messages_show_that_transactions_were_at_work(topic: Topic) -> None:
    """What is not committed is in the topic, and consumers of committed messages don't see it."""
    writer = writer_of(topic.uri())
    writer.open(Identity("p", "run-1", "plan"))
    try:
        writer.claim(1, 1)
        commit(writer, 1, 0, 10)
        with pytest.raises(Exception, match="committed meanwhile"):
            commit(writer, 1, 0, 10)
    finally:
        writer.close()
    assert numbers(topic) == list(range(10))
    assert numbers(topic, committed=False) == sorted([*range(10), *range(10)])


def test_a_ledger_of_many_commits_is_folded_and_read_again(topic: Topic) -> None:
    first = writer_of(topic.uri())
    first.open(Identity("p", "run-1", "plan"))
    first.claim(1, 1)
    for start in range(200):
        commit(first, 1, start, start + 1)
    first.close()
    again = writer_of(topic.uri())
    again.open(Identity("p", "run-2", "plan"))
    try:
        state = again.ledger()
        assert (state.rows, state.epoch) == (200, 1)
        assert state.committed["Read",].end_of("numbers") == 200
        again.claim(2, 1)
        commit(again, 2, 200, 201)
        with pytest.raises(Exception, match="committed meanwhile"):
            commit(again, 2, 5, 6)
    finally:
        again.close()
    deleted = [m for m in Topic(topic.broker, f"_ferris_ledger.{topic.name}").messages()]
    assert sum(message.value() is None for message in deleted) >= 128
    assert numbers(topic) == list(range(201))
