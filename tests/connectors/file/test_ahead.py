"""Reading ahead on a thread: the same items, errors in their place, no thread left."""

from __future__ import annotations

import gc
import gzip
import os
import pickle
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ferris_beam.connectors.file import reader as reader_module
from ferris_beam.connectors.file.ahead import AHEAD, Ahead
from ferris_beam.errors import FatalError, SourceChangedError
from tests.connectors.file.test_reader import elsewhere, reader

ROWS = 2_000_000


def running() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "read-ahead" in thread.name]


@pytest.fixture(autouse=True)
def _no_thread_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(reader_module, "has_cores", lambda: True)
    monkeypatch.setattr(reader_module, "_LARGE", 0)
    yield
    gc.collect()
    assert running() == []


@pytest.fixture
def zipped(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"v\n" + b"1234567\n" * ROWS, 1))
    return path


def test_items_come_in_their_order() -> None:
    ahead = Ahead(iter(range(100)))
    assert list(ahead) == list(range(100))
    assert list(ahead) == []
    ahead.close()


def test_no_more_is_made_than_is_wanted() -> None:
    made: list[int] = []
    full = threading.Event()

    def items() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            if len(made) == AHEAD + 1:
                full.set()
            yield number

    ahead = Ahead(items())
    next(ahead)
    assert full.wait(10)
    ahead.close()
    assert len(made) <= AHEAD + 1
    ahead.close()


def test_an_error_comes_where_its_item_was_due() -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise FatalError("damaged")

    ahead = Ahead(items())
    assert [next(ahead), next(ahead)] == [1, 2]
    for _ in range(2):
        with pytest.raises(FatalError, match="damaged"):
            next(ahead)
    ahead.close()


def test_a_reader_gives_the_same_with_and_without(
    zipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (split,) = reader(zipped).splits({})
    source = elsewhere(reader(zipped))
    with_thread = list(source.read(split))
    source.close()
    monkeypatch.setattr(reader_module, "has_cores", lambda: False)
    assert list(elsewhere(reader(zipped)).read(split)) == with_thread
    assert sum(chunk.records.num_rows for chunk in with_thread) == ROWS


def test_a_read_that_is_left_ends_its_thread(zipped: Path) -> None:
    (split,) = reader(zipped).splits({})
    source = elsewhere(reader(zipped))
    chunks = source.read(split)
    first = next(chunks)
    assert running()
    chunks.close()  # type: ignore[attr-defined]
    assert not running()
    assert next(source.read(split)) == first  # dropped at once
    again = source.read(split)
    assert next(again) == first
    assert len(running()) == 1
    source.close()
    assert not running()


def test_a_reader_can_be_sent_elsewhere_meanwhile(zipped: Path) -> None:
    (split,) = reader(zipped).splits({})
    source = elsewhere(reader(zipped))
    chunks = source.read(split)
    first = next(chunks)
    other = pickle.loads(pickle.dumps(source))
    assert next(other.read(split)) == first
    other.close()
    source.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # that it is not advised
def test_another_process_does_not_wait_for_the_thread(zipped: Path) -> None:
    (split,) = reader(zipped).splits({})
    source = elsewhere(reader(zipped))
    chunks = source.read(split)
    next(chunks)
    child = os.fork()
    if child == 0:
        try:
            source.close()
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert sum(chunk.records.num_rows for chunk in chunks) > 0
    source.close()


def test_a_file_that_is_cut_while_it_is_read_is_refused(zipped: Path) -> None:
    (split,) = reader(zipped).splits({})
    source = elsewhere(reader(zipped))
    chunks = source.read(split)
    next(chunks)
    os.truncate(zipped, 100)
    with pytest.raises(SourceChangedError):
        list(chunks)
    source.close()
