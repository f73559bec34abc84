"""What all contenders share that drain a slot: the slot, the changes, and a clock that stops when
the last one is in the file."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

_TABLE = """
CREATE TABLE IF NOT EXISTS changing
    (id int8 PRIMARY KEY, amount float8, status text, at timestamptz)
"""
_INSERT = """
DO $$ BEGIN FOR n IN 0..{last} LOOP
    INSERT INTO changing SELECT i, i / 4.0, 'paid', now()
    FROM generate_series({first} + n * 1000, {first} + n * 1000 + 999) AS i;
    COMMIT;
END LOOP; END $$
"""
_POLL_SECONDS = 0.01


def dsn() -> str:
    return os.environ["BENCH_POSTGRESQL"]


class Slot:
    """A slot behind which ``rows`` inserts wait, 1,000 in each transaction."""

    def __init__(self, rows: int) -> None:
        self.name = f"bench_{uuid.uuid4().hex[:8]}"
        self._connection = psycopg.connect(dsn(), autocommit=True)
        self._run(_TABLE)
        self._run("TRUNCATE changing")
        self._run(f"CREATE PUBLICATION {self.name} FOR TABLE changing")
        self._run(f"SELECT pg_create_logical_replication_slot('{self.name}', 'pgoutput')")
        self._run(_INSERT.format(first=1, last=rows // 1000 - 1))

    def drop(self) -> None:
        self._run(
            "SELECT pg_terminate_backend(active_pid, 10000) FROM pg_replication_slots "
            f"WHERE slot_name = '{self.name}' AND active_pid IS NOT NULL"
        )
        self._run(f"SELECT pg_drop_replication_slot('{self.name}')")
        self._run(f"DROP PUBLICATION {self.name}")
        self._connection.close()

    def _run(self, statement: str) -> None:
        self._connection.execute(statement)  # type: ignore[call-overload]


def drained(rows: int, file: str, start: Callable[[Slot], Callable[[], Any]]) -> dict[str, Any]:
    """The seconds until ``file`` has so many lines. ``start`` begins to drain a slot and gives
    what ends that."""
    slot = Slot(rows)
    try:
        began = time.perf_counter()
        end = start(slot)
        until_written(rows, file)
        seconds = time.perf_counter() - began
        end()
    finally:
        slot.drop()
    return {"seconds": seconds, "rows": rows}


def until_written(rows: int, file: str) -> None:
    """Returns when ``file`` has so many lines."""
    lines = Lines(Path(file))
    while lines.count() < rows:
        time.sleep(_POLL_SECONDS)


class Lines:
    """Counts the lines of a file that grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self._lines = 0

    def count(self) -> int:
        if self._path.exists():
            with open(self._path, "rb") as file:
                file.seek(self._read)
                while data := file.read(1 << 22):
                    self._read += len(data)
                    self._lines += data.count(b"\n")
        return self._lines
