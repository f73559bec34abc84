"""Chaos for input that never ends: files that arrive, logs that grow and are rotated."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.harness import ROOT

POLL = 0.02
PATIENCE = 30.0


@dataclass
class EndlessCopy:
    """A copy of a source that never ends into a growing file, rejected rows into another."""

    source: str
    out: Path
    name: str = "chaos"
    flags: Sequence[str] = ()

    def start(self) -> subprocess.Popen[str]:
        command = [
            *(sys.executable, "-m", "pipelines.copy", "--quiet", "--name", self.name),
            *("--source", f"file://{self.source}"),
            *("--sink", f"file://{self.out}/rows.jsonl"),
            *("--dead-letters", f"file://{self.out}/rejected.jsonl"),
            *self.flags,
        ]
        self.out.mkdir(exist_ok=True)
        return subprocess.Popen(
            command, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    def written(self) -> Counter[int]:
        """The ids of the rows that are visible."""
        return Counter(row["id"] for row in _rows(self.out / "rows.jsonl"))

    def rejected(self) -> Counter[str]:
        return Counter(row["payload"] for row in _rows(self.out / "rejected.jsonl"))


class Input(ABC):
    """Input that is written while it is read; ``total`` rows and ``bad`` ones so far."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.total = 0
        self.bad: set[str] = set()

    @abstractmethod
    def write(self, times: int = 1) -> None:
        """Adds some rows, in one of the ways that happen."""

    def identifiers(self, count: int) -> range:
        first, self.total = self.total, self.total + count
        return range(first, self.total)


class Files(Input):
    """CSV files that arrive whole, by a rename; each ninth row or so is broken."""

    files = 0

    def write(self, times: int = 1) -> None:
        for _ in range(times):
            lines = ["id,text"]
            for identifier in self.identifiers(40):
                lines.append(f"{identifier},text {identifier}")
                if identifier % 9 == 4:
                    lines.append(f"bad{identifier},text")
                    self.bad.add(lines[-1])
            partial = self.folder / f".{self.files}.partial"
            partial.write_text("\n".join(lines) + "\n")
            os.rename(partial, self.folder / f"{self.files:05}.csv")
            self.files += 1


class Logs(Input):
    """Two logs that grow by lines, some in two pieces, and are rotated now and then."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.chance = random.Random(7)
        for name in ("a", "b"):
            self._append(name, 1)

    def write(self, times: int = 1) -> None:
        for _ in range(times):
            name = self.chance.choice("ab")
            if self.chance.random() < 0.08:
                self._rotate(name)
            self._append(name, self.chance.randint(1, 9))

    def _append(self, name: str, count: int) -> None:
        lines = ""
        for identifier in self.identifiers(count):
            lines += json.dumps({"id": identifier, "text": f"text {identifier}"}) + "\n"
            if identifier % 9 == 4:
                bad = f'{{"id": "bad{identifier}", "text": "x"}}'
                self.bad.add(bad)
                lines += bad + "\n"
        cut = self.chance.randint(0, len(lines))
        with open(self.folder / f"{name}.log", "a") as file:
            file.write(lines[:cut])
            file.flush()
            file.write(lines[cut:])

    def _rotate(self, name: str) -> None:
        """The file becomes number 1, that one number 2, and so on; none is removed."""
        numbers = [int(path.suffix[1:]) for path in self.folder.glob(f"{name}.log.*")]
        for number in sorted(numbers, reverse=True):
            path = self.folder / f"{name}.log.{number}"
            os.rename(path, self.folder / f"{name}.log.{number + 1}")
        os.rename(self.folder / f"{name}.log", self.folder / f"{name}.log.1")


def kill_while_written(copy: EndlessCopy, source: Input, kills: int, seed: int) -> int:
    """Kills the copy at seeded moments while ``source`` is written, starts it again, and checks
    that in the end every row and every rejected row is there once. Returns the kills that hit."""
    chance = random.Random(seed)
    done = 0
    source.write(2)
    process = copy.start()
    wait_until(lambda: copy.written().total() >= source.total, process)
    ended = threading.Event()
    writer = threading.Thread(target=_keep_writing, args=(source, ended))
    writer.start()
    try:
        for _ in range(kills):
            goal = copy.written().total() + chance.randint(1, 120)
            wait_until(lambda goal=goal: copy.written().total() >= goal, process)  # type: ignore[misc]
            try:
                process.wait(chance.random() * 0.2)
            except subprocess.TimeoutExpired:
                process.kill()
                done += 1
            process.communicate()
            assert max(copy.written().values()) == 1, "a row is visible twice"
            process = copy.start()
    finally:
        ended.set()
        writer.join()
    source.write()  # seen only when the copy that was started last is at work, and can be stopped
    wait_until(
        lambda: (
            copy.written().total() >= source.total and copy.rejected().total() >= len(source.bad)
        ),
        process,
    )
    stopped_cleanly(process, signal.SIGTERM)
    assert copy.written() == Counter(range(source.total))
    assert copy.rejected() == Counter(source.bad)
    return done


def stopped_cleanly(process: subprocess.Popen[str], number: int) -> None:
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Raises where the process ends before, or nothing happens for long."""
    for _ in range(int(PATIENCE / POLL)):
        if condition():
            return
        try:
            process.wait(POLL)
        except subprocess.TimeoutExpired:
            continue
        raise AssertionError(f"it ended with {process.returncode}: {process.communicate()[1]}")
    process.kill()
    raise AssertionError(f"nothing happened in {PATIENCE} s: {process.communicate()[1]}")


def _keep_writing(source: Input, ended: threading.Event) -> None:
    while not ended.wait(0.05):
        source.write()


def _rows(path: Path) -> list[dict[str, object]]:
    """The whole lines: the last one may be on its way."""
    if not path.exists():
        return []
    return [
        json.loads(line) for line in path.read_text().splitlines(keepends=True) if line[-1:] == "\n"
    ]
