"""Runs that follow one another, overtake each other, or are killed half-way."""

from __future__ import annotations

import os

import pytest

from ferris_beam.errors import (
    SupersededError,
)
from tests.connectors.file.sinks import (
    claimed,
    commit,
    entry,
    ids_in_folder,
    rows,
    staged_files,
    tree,
    writer,
)


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
    assert ids_in_folder(out) == list(range(10))


def test_a_claim_leaves_alone_what_later_runs_stage(out):
    first = claimed(out, "first", format="parquet")
    second = claimed(out, "second", epoch=2, format="parquet")
    staged = second.begin()
    staged.write(rows(0, 3))
    first._opened.publisher.sweep(first._opened.log.state, first.ledger().past)
    second.commit(2, staged, [entry(0, 3)])
    assert ids_in_folder(out) == [0, 1, 2]


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
    assert ids_in_folder(out) == [0, 1, 2, 3, 4]
    assert sink.ledger().epoch == 1


def test_two_identities_keep_their_own_ledgers(out):
    first = claimed(out, format="parquet")
    second = writer(out, name="a/b", format="parquet", if_exists="append")
    commit(first, 0, 3)
    second.claim(1, 1)
    commit(second, 0, 3)
    assert ids_in_folder(out) == [0, 0, 1, 1, 2, 2]
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
    assert ids_in_folder(out) == list(range(8))
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
    assert ids_in_folder(out, "jsonl") == list(range(80))


def test_the_finish_is_idempotent_and_sweeps(out):
    sink = claimed(out, format="parquet")
    commit(sink, 0, 3)
    sink.begin().write(rows(7, 8))
    assert len(staged_files(out)) == 1
    sink.finish(1)
    sink.finish(1)
    assert writer(out, format="parquet").ledger().finished
    assert staged_files(out) == []
    assert ids_in_folder(out) == [0, 1, 2]
