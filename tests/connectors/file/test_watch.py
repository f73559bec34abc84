"""Watching folders and globs: what is taken, when, and how often."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ferris_beam.connector import Reader, Split
from ferris_beam.connectors.file import CONNECTOR
from ferris_beam.connectors.file import watch as watch_module
from ferris_beam.connectors.file.listing import list_files
from ferris_beam.connectors.file.scan import Scan
from ferris_beam.errors import ConfigurationErrors, FatalError, SchemaError, SourceChangedError
from ferris_beam.options import resolve_endpoint
from ferris_beam.uri import Uri


class Clock:
    """Time that passes when it is told to."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(watch_module, "time", found)
    return found


def reader(uri: str, **options: Any) -> Reader:
    parsed = Uri.parse(uri)
    resolved = resolve_endpoint(CONNECTOR.source_options(), parsed, {"watch": True, **options})
    return CONNECTOR.reader(parsed, resolved.options)


class Watcher:
    """Polls a reader as the engine does, and remembers what it gave."""

    def __init__(self, watched: Reader, known: dict[str, str] | None = None) -> None:
        self.reader = watched
        self.known = dict(known or {})

    def poll(self) -> list[str]:
        """The names of the files that are taken now, in their order."""
        splits = list(self.reader.splits(self.known))
        self.known.update({split.interval.unit: split.identity for split in splits})
        return [os.path.basename(split.interval.unit) for split in splits]

    def rows(self, split: Split) -> list[dict[str, Any]]:
        return [row for chunk in self.reader.read(split) for row in chunk.records.to_pylist()]


def write(path: Path, rows: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("a,b\n" + "1,x\n" * rows)


def test_a_file_is_taken_once_it_was_left_alone(tmp_path: Path, clock: Clock) -> None:
    watcher = Watcher(reader(f"file://{tmp_path}/", settle="2s"))
    assert watcher.poll() == []
    write(tmp_path / "a.csv")
    assert watcher.poll() == []
    clock.now += 1.5
    write(tmp_path / "a.csv", rows=2)  # it is still being written
    assert watcher.poll() == []
    clock.now += 1.9
    assert watcher.poll() == []
    clock.now += 0.1
    assert watcher.poll() == ["a.csv"]
    clock.now += 9
    assert watcher.poll() == []


def test_files_that_arrive_whole_are_taken_at_once(tmp_path: Path) -> None:
    watcher = Watcher(reader(f"file://{tmp_path}/*.csv?settle=0"))
    write(tmp_path / "b.csv")
    write(tmp_path / "a.csv")
    write(tmp_path / "c.csv.part")
    assert watcher.poll() == ["a.csv", "b.csv"]
    os.rename(tmp_path / "c.csv.part", tmp_path / "c.csv")
    assert watcher.poll() == ["c.csv"]


def test_empty_files_hidden_files_and_folders_are_no_data(tmp_path: Path) -> None:
    watcher = Watcher(reader(f"file://{tmp_path}/?settle=0"))
    (tmp_path / "empty.csv").touch()
    (tmp_path / ".hidden.csv").write_text("a\n1\n")
    (tmp_path / "_SUCCESS").write_text("a\n1\n")
    (tmp_path / "folder.csv").mkdir()
    assert watcher.poll() == []
    write(tmp_path / "empty.csv")
    assert watcher.poll() == ["empty.csv"]


def test_what_a_ledger_knows_is_given_at_once_and_sets_the_schema(
    tmp_path: Path, clock: Clock
) -> None:
    (tmp_path / "z.csv").write_text("a,b\n1.5,x\n")
    earlier = Watcher(reader(f"file://{tmp_path}/?settle=0"))
    assert earlier.poll() == ["z.csv"]
    (tmp_path / "a.csv").write_text("a,b\n1,x\n")
    later = Watcher(reader(f"file://{tmp_path}/"), earlier.known)
    assert later.poll() == ["z.csv"]
    clock.now += 2
    (split,) = later.reader.splits(later.known)
    assert later.rows(split) == [{"a": 1.0, "b": "x"}]


def test_a_file_that_changes_after_it_was_taken_is_refused(tmp_path: Path) -> None:
    for number in range(5):
        write(tmp_path / f"{number}.csv")
    watcher = Watcher(reader(f"file://{tmp_path}/?settle=0"))
    assert len(watcher.poll()) == 5
    write(tmp_path / "3.csv", rows=2)
    with pytest.raises(SourceChangedError, match=r"3\.csv changed after it was taken"):
        _ = [watcher.poll() for _ in range(2)]  # a round through what was taken begins


def test_a_file_that_is_removed_and_made_anew_is_given_with_its_new_identity(
    tmp_path: Path,
) -> None:
    """The engine then refuses it: its name is in the ledger."""
    write(tmp_path / "a.csv")
    watcher = Watcher(reader(f"file://{tmp_path}/?settle=0"))
    assert watcher.poll() == ["a.csv"]
    before = dict(watcher.known)
    os.remove(tmp_path / "a.csv")
    assert watcher.poll() == []
    write(tmp_path / "a.csv", rows=2)
    assert watcher.poll() == ["a.csv"]
    assert watcher.known != before


def test_files_must_have_the_columns_of_the_first_ones(tmp_path: Path) -> None:
    write(tmp_path / "a.csv")
    watcher = Watcher(reader(f"file://{tmp_path}/?settle=0"))
    assert watcher.poll() == ["a.csv"]
    (tmp_path / "b.csv").write_text("a,c\n1,x\n")
    (split,) = watcher.reader.splits(watcher.known)
    with pytest.raises(SchemaError, match=r"b\.csv"):
        watcher.rows(split)


def test_a_glob_of_folders_that_come_later(tmp_path: Path) -> None:
    watcher = Watcher(reader(f"file://{tmp_path}/day=*/{{a,b}}*.csv?settle=0"))
    write(tmp_path / "day=1" / "a1.csv")
    assert watcher.poll() == ["a1.csv"]
    write(tmp_path / "day=2" / "b1.csv")
    write(tmp_path / "day=2" / "c1.csv")
    write(tmp_path / "other" / "a1.csv")
    assert watcher.poll() == ["b1.csv"]


def test_there_must_be_a_folder_to_watch(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match=r"there is no folder .*/nowhere; make it"):
        Watcher(reader(f"file://{tmp_path}/nowhere/*.csv")).poll()


def test_options_that_exclude_each_other() -> None:
    with pytest.raises(ConfigurationErrors, match="watch and tail exclude each other"):
        reader("file:///in/", tail=True)


_NAMES = st.sampled_from(["a", "b", "ab", ".a", "_b", "a.csv", "b.csv"])
_PATHS = st.lists(st.lists(_NAMES, min_size=1, max_size=3).map("/".join), min_size=1, max_size=8)
_GLOBS = st.sampled_from(
    ["", "*", "a*", "**", "*/*.csv", "**/*.csv", "a/**/b*", "{a,b}/*", "[ab]", ".*"]
)


@given(_PATHS, _GLOBS, st.booleans())
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_scan_finds_what_a_listing_finds(
    tmp_path_factory: pytest.TempPathFactory, paths: list[str], glob: str, recursive: bool
) -> None:
    root = tmp_path_factory.mktemp("tree")
    for path in paths:
        target = root / path
        if not any(parent.is_file() for parent in target.parents) and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
    pattern = f"{root}/{glob}"
    try:
        listed = list_files(pattern, recursive)
    except FatalError as error:
        if "is a folder with the name of a file" in str(error):
            return  # refused there; who watches waits for files
        listed = []
    try:
        found = sorted(set(scanned(pattern, recursive)))
    except FatalError:
        found = []
    assert found == listed


def scanned(pattern: str, recursive: bool) -> Iterator[str]:
    scan = Scan(pattern, recursive)
    for folder, names in scan.names().items():
        for name in names:
            path = os.path.join(folder, name)
            if scan.wants(folder, name) and os.path.isfile(path):
                yield path


def test_a_poll_opens_no_file_it_knows_and_asks_about_few(tmp_path: Path) -> None:
    for number in range(3000):
        write(tmp_path / f"{number:05}.csv")
    watcher = Watcher(reader(f"file://{tmp_path}/?settle=0"))
    assert len(watcher.poll()) == 3000
    asked: list[str] = []
    stat, opened = os.stat, watch_module.FileReader._detected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            os, "stat", lambda path, **more: asked.append(str(path)) or stat(path, **more)
        )
        patch.setattr(
            watch_module.FileReader,
            "_detected",
            lambda self, path: asked.append(path) or opened(self, path),
        )
        assert watcher.poll() == []
    assert len(asked) < 1100
