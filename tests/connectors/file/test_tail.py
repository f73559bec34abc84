"""Following files that grow and are rotated: every line once, in its file's order."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from ferris_beam.connector import ENDED, Reader
from ferris_beam.connectors.file import CONNECTOR
from ferris_beam.connectors.file.tail import CONTENT
from ferris_beam.errors import ConfigurationError, FatalError, SchemaError, SourceChangedError
from ferris_beam.interval import Interval
from ferris_beam.options import resolve_endpoint
from ferris_beam.transforms.split import narrowed
from ferris_beam.uri import Uri


def reader(uri: str, **options: Any) -> Reader:
    parsed = Uri.parse(uri)
    given = {"tail": True, "settle": "0", **options}
    resolved = resolve_endpoint(CONNECTOR.source_options(), parsed, given)
    return CONNECTOR.reader(parsed, resolved.options)


class Follower:
    """Reads as the engine does; what it has read is its ledger, which outlives a `restart`."""

    def __init__(self, uri: str, **options: Any) -> None:
        self.arguments = (uri, options)
        self.ledger: dict[str, tuple[str, int]] = {}
        self.rows: list[dict[str, Any]] = []
        self.rejected: list[tuple[str, bytes]] = []
        self.restart()

    def restart(self) -> None:
        uri, options = self.arguments
        self.lister, self.reader = reader(uri, **options), reader(uri, **options)
        self.given: dict[str, Any] = {}

    def poll(self) -> list[dict[str, Any]]:
        """The rows that are new."""
        known = {unit: identity for unit, (identity, _) in self.ledger.items()}
        for split in self.lister.splits({**known, **dict.fromkeys(self.given, "")}):
            self.given[split.interval.unit] = split
        before = len(self.rows)
        for split in self.given.values():
            self._read(split)
        return self.rows[before:]

    def _read(self, split: Any) -> None:
        unit = split.interval.unit
        position = self.ledger.get(unit, ("", 0))[1]
        if position == ENDED:
            return
        for chunk in self.reader.read(narrowed(split, Interval(unit, position, None))):
            assert chunk.end > position
            position = chunk.end
            self.ledger[unit] = (split.identity, position)
            self.rows += chunk.records.to_pylist()
            self.rejected += [(reject.place, reject.payload) for reject in chunk.rejects]
            assert chunk.final == (position == ENDED)

    @property
    def ended(self) -> int:
        return sum(position == ENDED for _, position in self.ledger.values())


class Log:
    """Writes numbered lines of JSON, in pieces if told to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = 0

    def line(self) -> str:
        self.number += 1
        return json.dumps({"n": self.number, "text": f"line {self.number}"}) + "\n"

    def write(self, count: int = 1, path: Path | None = None) -> None:
        with open(path or self.path, "a") as file:
            file.write("".join(self.line() for _ in range(count)))


def numbers(rows: list[dict[str, Any]]) -> list[int]:
    return [row["n"] for row in rows]


def test_whole_lines_are_read_as_they_come(tmp_path: Path) -> None:
    log = Log(tmp_path / "app.log")
    follower = Follower(f"file://{log.path}")
    assert follower.poll() == []  # there is no such file yet
    log.write(2)
    assert numbers(follower.poll()) == [1, 2]
    assert follower.poll() == []
    line = log.line()
    with open(log.path, "a") as file:
        file.write(line[:7])
        file.flush()
        assert follower.poll() == []
        file.write(line[7:])
    log.write()
    assert numbers(follower.poll()) == [3, 4]


def test_a_first_line_that_is_not_whole_waits(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    follower = Follower(f"file://{tmp_path}/*.jsonl")
    path.write_text('{"n":')
    assert follower.poll() == []
    path.write_text('{"n": 1}\n')
    assert numbers(follower.poll()) == [1]


def test_rotation_by_rename(tmp_path: Path) -> None:
    log = Log(tmp_path / "app.log")
    follower = Follower(f"file://{log.path}")
    log.write(3)
    follower.poll()
    log.write()
    os.rename(log.path, tmp_path / "app.log.1")
    log.write(1, tmp_path / "app.log.1")  # its writer has not noticed yet
    log.write(2)
    assert sorted(numbers(follower.poll())) == [4, 5, 6, 7]
    follower.poll()
    assert follower.ended == 1
    log.write()
    assert numbers(follower.poll()) == [8]


def test_a_file_that_is_removed_is_read_to_its_end(tmp_path: Path) -> None:
    log = Log(tmp_path / "app.log")
    follower = Follower(f"file://{log.path}")
    log.write(3)
    follower.poll()
    log.write(2)
    os.remove(log.path)
    assert numbers(follower.poll()) == [4, 5]
    log.write(2)
    assert numbers(follower.poll()) == [6, 7]
    assert follower.ended == 1


@pytest.mark.parametrize("rotated", [None, "old-*"])
def test_rotation_while_nobody_followed(tmp_path: Path, rotated: str | None) -> None:
    log = Log(tmp_path / "app.log")
    follower = Follower(f"file://{log.path}", **({"rotated": rotated} if rotated else {}))
    log.write(3)
    follower.poll()
    log.write(2)
    os.rename(log.path, tmp_path / ("old-app" if rotated else "app.log-20260101"))
    log.write(2)
    follower.restart()
    assert sorted(numbers(follower.poll())) == [4, 5, 6, 7]
    follower.poll()
    assert follower.ended == 1
    follower.restart()
    assert follower.poll() == []


def test_a_file_that_is_lost_while_nobody_followed(tmp_path: Path) -> None:
    log = Log(tmp_path / "app.log")
    follower = Follower(f"file://{log.path}")
    log.write(3)
    follower.poll()
    os.rename(log.path, tmp_path / "elsewhere")
    log.write(2)
    follower.restart()
    with pytest.raises(SourceChangedError, match=r"followed up to byte \d+.*on_loss=continue"):
        follower.poll()
    follower.arguments[1]["on_loss"] = "continue"
    follower.restart()
    follower.poll()
    assert numbers(follower.rows) == [1, 2, 3, 4, 5]
    follower.restart()
    assert follower.poll() == []


def test_copy_and_truncate_is_noticed(tmp_path: Path) -> None:
    log = Log(tmp_path / "app.log")
    follower = Follower(f"file://{log.path}")
    log.write(3)
    follower.poll()
    shutil.copy(log.path, tmp_path / "app.log.1")
    os.truncate(log.path, 0)
    with pytest.raises(SourceChangedError, match="shortened or overwritten"):
        follower.poll()


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("same_first_line", [False, True])
def test_on_loss_continue_goes_on_with_the_new_content(
    tmp_path: Path, restarted: bool, same_first_line: bool
) -> None:
    log = Log(tmp_path / "app.log")
    follower = Follower(f"file://{log.path}", on_loss="continue")
    log.write(3)
    follower.poll()
    os.truncate(log.path, 0)
    if not restarted:
        assert follower.poll() == []
    if same_first_line:
        log.number = 0
    first = log.number + 1
    log.write(2)
    if restarted:
        follower.restart()
    assert numbers(follower.poll()) == [first, first + 1]
    log.write(9)  # now it is longer than it was
    assert numbers(follower.poll()) == list(range(first + 2, first + 11))
    assert any(CONTENT <= position < ENDED for _, position in follower.ledger.values()) == (
        same_first_line
    )


def test_an_inode_that_is_used_again_is_another_file(tmp_path: Path) -> None:
    log = Log(tmp_path / "app.log")
    follower = Follower(f"file://{log.path}")
    inodes = set()
    for _ in range(5):
        log.write(2)
        follower.poll()
        inodes.add(os.stat(log.path).st_ino)
        os.remove(log.path)
        follower.poll()
        follower.restart()
    assert numbers(follower.rows) == list(range(1, 11))
    assert follower.ended == 5


def test_csv_with_a_header_that_all_files_share(tmp_path: Path) -> None:
    path = tmp_path / "app.csv"
    follower = Follower(f"file://{tmp_path}/*.csv", types="n:int64")
    path.write_text("n,text\n")
    assert follower.poll() == []  # the header alone does not tell one file from the next
    with open(path, "a") as file:
        file.write("1,a\n2,b\n")
    assert numbers(follower.poll()) == [1, 2]
    os.rename(path, tmp_path / "app.csv.1")
    path.write_text("n,text\n3,c\nx,d\n")
    assert numbers(follower.poll()) == [3]
    assert follower.rejected == [(f"byte 11 of {path}", b"x,d")]


def test_a_value_with_a_line_end_is_refused_where_the_file_ended_then(tmp_path: Path) -> None:
    path = tmp_path / "app.csv"
    path.write_text('n,text\n1,a\n2,"b\n')
    with pytest.raises(FatalError, match="can't be followed"):
        Follower(f"file://{path}").poll()


def test_other_columns_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("n,text\n1,a\n")
    (tmp_path / "b.csv").write_text("n,other\n1,a\n")
    with pytest.raises(SchemaError, match=r"b\.csv"):
        Follower(f"file://{tmp_path}/*.csv").poll()


def test_what_can_not_be_followed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("n,text\n1,a\n")
    with pytest.raises(ConfigurationError, match="newlines_in_values"):
        reader(f"file://{tmp_path}/a.csv", newlines_in_values=True)
    with pytest.raises(ConfigurationError, match="schema_drift"):
        reader(f"file://{tmp_path}/a.csv", schema_drift="union")
    with gzip.open(tmp_path / "a.csv.gz", "wt") as file:
        file.write("n,text\n" + "".join(f"{number},{number * 7919}\n" for number in range(9999)))
    with pytest.raises(ConfigurationError, match="csv in gzip can't be followed"):
        Follower(f"file://{tmp_path}/a.csv.gz").poll()


def test_a_line_longer_than_a_cell(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    long = "x" * (5 << 20)
    follower = Follower(f"file://{path}", schema="n:int64,text:string")
    path.write_text(f'{{"n": 1, "text": "a"}}\n{{"n": 2, "text": "{long}"')
    assert numbers(follower.poll()) == [1]
    with open(path, "a") as file:
        file.write('}\n{"n": 3, "text": "c"}\n')
    assert numbers(follower.poll()) == [2, 3]


def test_files_that_were_rotated_before_the_first_start_are_left_out(tmp_path: Path) -> None:
    log = Log(tmp_path / "app.log")
    log.write(2, tmp_path / "app.log.1")
    follower = Follower(f"file://{log.path}")
    log.write(2)
    assert numbers(follower.poll()) == [3, 4]
    follower.restart()
    assert follower.poll() == []
    os.rename(tmp_path / "app.log.1", tmp_path / "app.log.2")
    assert follower.poll() == []


def test_files_that_nobody_saw_under_their_first_name(tmp_path: Path) -> None:
    log = Log(tmp_path / "app.log")
    follower = Follower(f"file://{log.path}")
    log.write(2)
    follower.poll()
    for _ in range(2):
        for number in (3, 2, 1, 0):
            old = tmp_path / (f"app.log.{number}" if number else "app.log")
            if old.exists():
                os.rename(old, tmp_path / f"app.log.{number + 1}")
        log.write(2)
    follower.restart()
    assert sorted(numbers(follower.poll())) == [3, 4, 5, 6]


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_each_line_is_read_once_in_order(tmp_path: Path, seed: int) -> None:
    """Lines in pieces, rotation, restarts, polls, in random order, for three files."""
    chance = random.Random(seed)
    follower = Follower(f"file://{tmp_path}/*.log")
    expected: dict[str, list[int]] = {}
    pieces: dict[str, str] = {}
    total = rotations = 0

    def write(name: str) -> None:
        nonlocal total
        text = pieces.pop(name, "")
        for _ in range(chance.randint(0, 3)):
            total += 1
            text += json.dumps({"file": name, "n": total}) + "\n"
            expected.setdefault(name, []).append(total)
        cut = chance.randint(0, len(text)) if chance.random() < 0.3 else len(text)
        pieces[name] = text[cut:]
        with open(tmp_path / f"{name}.log", "a") as file:
            file.write(text[:cut])

    def rotate(name: str) -> None:
        nonlocal rotations
        path = tmp_path / f"{name}.log"
        if path.exists() and not pieces.get(name):
            rotations += 1
            os.rename(path, tmp_path / f"{name}.log.{rotations}")

    for name in "abc":  # so that a restart knows of each
        with open(tmp_path / f"{name}.log", "a") as file:
            file.write(json.dumps({"file": name, "n": -1}) + "\n")
    follower.poll()
    follower.rows.clear()
    for _ in range(200):
        name = chance.choice("abc")
        action = chance.choices([write, rotate, None, follower.restart], [8, 1, 5, 1])[0]
        if action is None:
            follower.poll()
        elif action == follower.restart:
            follower.restart()
        else:
            action(name)  # type: ignore[operator]
    for name in "abc":
        with open(tmp_path / f"{name}.log", "a") as file:
            file.write(pieces.pop(name, ""))
    follower.poll()
    follower.poll()
    assert sorted(numbers(follower.rows)) == list(range(1, total + 1))
    assert total > 100
    assert rotations > 0
