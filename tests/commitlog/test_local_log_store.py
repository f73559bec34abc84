"""Documents in a folder: exclusive, whole, and swept."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from ferris_beam.commitlog import LocalLogStore
from ferris_beam.commitlog.durable import make_folder


@pytest.fixture
def store(tmp_path):
    return LocalLogStore(str(tmp_path / "deep" / "log"))


def test_a_log_that_was_never_written_is_empty_and_leaves_no_trace(store):
    assert list(store.names()) == []
    assert store.read("0.entry") is None
    store.delete("0.entry")
    store.sweep()
    assert not os.path.exists(os.path.dirname(store.folder))


def test_what_is_created_can_be_read_and_deleted(store):
    assert store.create_exclusive("0.entry", b"one")
    assert store.names() == ["0.entry"]
    assert store.read("0.entry") == b"one"
    store.delete("0.entry")
    assert store.names() == []


def test_a_name_is_taken_once(store):
    assert store.create_exclusive("0.entry", b"first")
    assert not store.create_exclusive("0.entry", b"second")
    assert store.read("0.entry") == b"first"
    assert os.listdir(store.folder) == ["0.entry"]


def test_of_many_threads_one_creates(store):
    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(lambda n: store.create_exclusive("0.entry", b"%d" % n), range(64)))
    assert sum(won) == 1
    assert store.read("0.entry") == b"%d" % won.index(True)
    assert os.listdir(store.folder) == ["0.entry"]


def test_temporary_files_of_the_dead_are_swept_and_never_listed(store):
    store.create_exclusive("0.entry", b"whole")
    left = os.path.join(store.folder, ".abc.tmp")
    with open(left, "wb") as file:
        file.write(b"half")
    assert store.names() == ["0.entry"]
    store.sweep()
    assert os.listdir(store.folder) == ["0.entry"]


def test_a_temporary_file_swept_by_another_process_is_written_again(store, monkeypatch):
    link = os.link
    swept = []

    def sweep_once_then_link(source, target):
        if not swept:
            swept.append(source)
            store.sweep()
        link(source, target)

    monkeypatch.setattr(os, "link", sweep_once_then_link)
    assert store.create_exclusive("0.entry", b"whole")
    assert swept
    assert store.read("0.entry") == b"whole"


def test_a_file_in_the_way_of_a_folder_is_an_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError):
        make_folder(str(tmp_path / "file" / "log"))
    with pytest.raises(NotADirectoryError):
        LocalLogStore(str(tmp_path / "file")).names()
