"""Running a copy, killing it at seeded moments, and checking what readers see."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import duckdb

from tests.chaos.orders import Orders

ROOT = Path(__file__).resolve().parents[2]
POLL = 0.005
PATIENCE = 240.0


class Restartable(Protocol):
    """A command that can be killed and started again."""

    def start(self) -> subprocess.Popen[str]: ...

    def progress(self) -> int:
        """A number that grows with each commit."""


AnyCommand = TypeVar("AnyCommand", bound=Restartable)


@dataclass
class Copy:
    """One copy with a name, from ``orders`` into a folder and its dead letters."""

    orders: Orders
    out: Path
    name: str = "chaos"
    module: str = "pipelines.copy"
    flags: Sequence[str] = ()
    batch_size: int = 9_000

    @property
    def data(self) -> Path:
        return self.out / "data"

    @property
    def rejected(self) -> Path:
        return self.out / "rejected"

    def command(self) -> list[str]:
        options = f"format=parquet&partition_by=country&batch_size={self.batch_size}"
        return [
            *(sys.executable, "-m", self.module),
            *("--name", self.name, "--quiet"),
            *("--source", f"file://{self.orders.folder}/*"),
            *("--sink", f"file://{self.data}/?{options}"),
            *("--dead-letters", f"file://{self.rejected}/?format=jsonl"),
            *self.flags,
        ]

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(), cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    def run(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(), cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False
        )

    def progress(self) -> int:
        """Entries that both ledgers ever got, checkpoints or not: a number that only grows."""
        total = 0
        for folder in (self.data, self.rejected):
            log = folder / "_ferris" / self.name / "log"
            names = os.listdir(log) if log.exists() else []
            numbers = [int(found.group()) for name in names if (found := re.search(r"\d+", name))]
            total += 1 + max(numbers, default=-1)
        return total


def wait_until(process: subprocess.Popen[str], condition: Callable[[], bool]) -> bool:
    """Whether ``condition`` became true before ``process`` ended."""
    for _ in range(int(PATIENCE / POLL)):
        if process.poll() is not None:
            return False
        if condition():
            return True
        try:
            process.wait(POLL)
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError(f"nothing happened in {PATIENCE} s")


def run_and_kill(
    copy: AnyCommand,
    kills: int,
    seed: int,
    check: Callable[[AnyCommand], None],
    commits: tuple[int, int] = (1, 4),
) -> int:
    """Starts the same command until it exits 0, killing it ``kills`` times at most.

    A kill comes a seeded number of ``commits`` after the start plus a seeded fraction of a
    second, so it hits the middle of whatever the process does then. Returns the kills that hit.
    """
    chance = random.Random(seed)
    done = 0
    while True:
        process = copy.start()
        if done < kills and _kill(copy, process, chance, commits):
            done += 1
            check(copy)
            continue
        _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, errors
        return done


def _kill(
    copy: Restartable,
    process: subprocess.Popen[str],
    chance: random.Random,
    commits: tuple[int, int],
) -> bool:
    target = copy.progress() + chance.randint(*commits)
    delay = chance.random() * 0.03
    if not wait_until(process, lambda: copy.progress() >= target):
        return False
    try:
        process.wait(delay)
        return False
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return True


def ids_of(copy: Copy) -> Counter[int]:
    if not any(copy.data.glob("country=*/*.parquet")):
        return Counter()
    rows = duckdb.sql(f"SELECT id FROM '{copy.data}/**/*.parquet'").fetchall()
    return Counter(identifier for (identifier,) in rows)


def rejected_marks(copy: Copy) -> Counter[str]:
    files = sorted(copy.rejected.glob("*.jsonl"))
    found: Counter[str] = Counter()
    for file in files:
        found.update(re.findall(r"\b[cj]\d+-\d+\b(?=[\\\",])", file.read_text()))
    return found


def only_whole_files(copy: Copy) -> None:
    """What a reader sees in the middle: whole files, no row twice, nothing else."""
    ids = ids_of(copy)
    assert all(count == 1 for count in ids.values()), "a row is visible twice"
    assert ids.keys() <= copy.orders.good
    marks = rejected_marks(copy)
    assert marks.keys() <= copy.orders.bad


def everything_once(copy: Copy) -> None:
    """Every row once, every reject once."""
    ids, marks = ids_of(copy), rejected_marks(copy)
    assert ids.keys() == copy.orders.good, f"{len(copy.orders.good - ids.keys())} rows are missing"
    twice = [identifier for identifier, count in ids.items() if count > 1]
    assert not twice, f"{len(twice)} rows were written more than once"
    assert marks == Counter(copy.orders.bad), "rejected rows are missing or repeated"
