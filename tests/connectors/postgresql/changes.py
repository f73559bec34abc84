"""Following changes in tests: by a reader alone, as the engine drives it, or by pipelines."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa

import ferris_beam as fb
from ferris_beam.connector import Chunk, Reader, Reject, Split
from ferris_beam.connectors.postgresql import CONNECTOR
from ferris_beam.options import resolve_endpoint
from ferris_beam.transforms.context import PipelineContext
from ferris_beam.transforms.stopping import request_stop
from ferris_beam.uri import Uri
from tests.services.database import Database
from tests.transforms.pipelines import options as beam_options

PATIENCE = 60.0
_STEP = 0.01
_HEADER = 40
"""Of a page of the log, at most: it is there only when something is written behind it."""
QUICK = {"mode": "cdc", "poll_interval": "10ms"}
META = ("_operation", "_lsn", "_commit_time", "_position", "_unchanged")


def reader_of(database: Database, **options: Any) -> Reader:
    uri = Uri.parse(database.uri())
    resolved = resolve_endpoint(CONNECTOR.source_options(), uri, {**QUICK, **options})
    return CONNECTOR.reader(uri, resolved.options)


class Follower:
    """Reads as the engine does; `split` is its ledger, which outlives a `restart`."""

    def __init__(self, database: Database, **options: Any) -> None:
        self.database = database
        self.options = options
        self.chunks: list[Chunk] = []
        self.reader = reader_of(database, **options)
        self.reader.open()
        [self.split] = self.reader.splits({})

    def restart(self, **options: Any) -> None:
        """As another process would go on: behind the last chunk, with its mark."""
        self.reader.close()
        self.options |= options
        self.reader = reader_of(self.database, **self.options)
        self.reader.open()

    def some(self, most: int | None = None) -> list[Chunk]:
        """One pass, or the first chunks of it."""
        found = []
        for chunk in self.reader.read(self.split):
            assert chunk.end > self.split.interval.start
            found.append(chunk)
            self.split = _behind(self.split, chunk)
            if len(found) == most:
                break
        self.chunks += found
        return found

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, "it never came true"
            self.some()

    def catch_up(self) -> list[Chunk]:
        """Reads all that is committed now, and the snapshot to its end."""
        row = self.database.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
        before, end = len(self.chunks), int(row[0][0])
        changes_only = self.options.get("snapshot") == "never"
        self.until(
            lambda: (
                (changes_only or '"done"' in self.split.mark) and self._reached() >= end - _HEADER
            )
        )
        return self.chunks[before:]

    def _reached(self) -> int:
        backlog = self.reader.backlog(self.split, self.split.interval.start)
        row = self.database.execute("SELECT pg_current_wal_flush_lsn() - '0/0'::pg_lsn")
        return int(row[0][0]) - backlog.nbytes if backlog is not None else 0

    def acknowledge(self) -> None:
        self.reader.acknowledge(self.split, self.split.interval.start)

    def changes(self) -> list[dict[str, Any]]:
        """What comes until all is read, without what depends on the time."""
        return rows_of(self.catch_up())

    def close(self) -> None:
        self.reader.close()


def _behind(split: Split, chunk: Chunk) -> Split:
    return replace(split, interval=replace(split.interval, start=chunk.end), mark=chunk.mark)


@contextmanager
def following(database: Database, **options: Any) -> Iterator[Follower]:
    follower = Follower(database, **options)
    try:
        yield follower
    finally:
        follower.close()


def rows_of(chunks: list[Chunk]) -> list[dict[str, Any]]:
    """The records of chunks."""
    return [row for chunk in chunks for row in chunk.records.to_pylist()]


def rejects_of(chunks: list[Chunk]) -> list[Reject]:
    return [reject for chunk in chunks for reject in chunk.rejects]


def without_meta(rows: list[dict[str, Any]], *more: str) -> list[dict[str, Any]]:
    """Flat rows without times and positions."""
    hidden = {"_lsn", "_commit_time", "_position", *more}
    return [{name: value for name, value in row.items() if name not in hidden} for row in rows]


def told(rows: list[dict[str, Any]], *columns: str) -> list[tuple[Any, ...]]:
    """The operation and some columns of flat rows."""
    return [(row["_operation"], *(row[column] for column in columns)) for row in rows]


class Replica:
    """Tables as changes in an envelope of JSON make them, in the order in which they come."""

    def __init__(self, keys: dict[str, tuple[str, ...]], strict: bool = True) -> None:
        """``strict``: a row is told by the snapshot once, and only then its changes."""
        self.keys = keys
        self.strict = strict
        self.tables: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {name: {} for name in keys}
        self.position = -1

    def apply(self, change: dict[str, Any]) -> None:
        name, operation = change["_table"], change["operation"]
        assert int(change["_position"]) > self.position, "a change came twice, or out of order"
        self.position = int(change["_position"])
        table = self.tables[name]
        if operation == "truncate":
            table.clear()
            return
        row = json.loads(change["before" if operation == "delete" else "after"])
        key = tuple(row[column] for column in self.keys[name])
        if operation == "delete":
            assert key in table or not self.strict, f"{name} has no {key} to be deleted"
            table.pop(key, None)
        elif operation in ("insert", "read"):
            assert key not in table or not self.strict, f"{name} has {key} already"
            table[key] = row
        else:
            assert key in table or not self.strict, f"{name} has no {key} to be updated"
            table[key] = {**table.get(key, {}), **row}


# ── pipelines ───────────────────────────────────────────────────────────────────────────────────


@dataclass
class Copy:
    """A pipeline under way in a thread of its own."""

    started: list[str]
    thread: threading.Thread
    outcome: list[Any]

    def wait(self, condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Raises the pipeline's error where it ends before."""
        deadline = time.monotonic() + seconds
        while not condition():
            if not self.thread.is_alive():
                self.report()
                raise AssertionError("the pipeline ended")
            assert time.monotonic() < deadline, "it never came true"
            self.thread.join(_STEP)

    def stop(self) -> fb.Report:
        request_stop(self.started[0])
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()
        return self.report()

    def report(self) -> fb.Report:
        self.thread.join(PATIENCE)
        if isinstance(self.outcome[0], BaseException):
            raise self.outcome[0]
        return self.outcome[0]


def start_copy(source: str, sink: str, *flags: str, dead_letters: str | None = None) -> Copy:
    """Copies ``source`` to ``sink`` until it is stopped."""
    started: list[str] = []
    outcome: list[Any] = []

    def build(pipeline: beam.Pipeline) -> None:
        if dead_letters is None:
            pipeline | fb.read(source) | fb.write(sink)
        else:
            with fb.DeadLetters(dead_letters) as letters:
                pipeline | fb.read(source, dead_letters=letters) | fb.write(sink)
        started.append(PipelineContext.of(pipeline).run)

    def work() -> None:
        try:
            outcome.append(fb.launch(build, beam_options(*flags), quiet=True))
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=work)
    copy = Copy(started, thread, outcome)
    thread.start()
    return copy


@contextmanager
def copying(source: str, sink: str, *flags: str, **options: Any) -> Iterator[Copy]:
    """Runs inside the ``with``, and is stopped cleanly after it."""
    copy = start_copy(source, sink, *flags, **options)
    try:
        while not copy.started and copy.thread.is_alive():
            copy.thread.join(_STEP)
        yield copy
    finally:
        if copy.started:
            request_stop(copy.started[0])
        copy.thread.join(PATIENCE)
    assert copy.report().status == "stopped"


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a file that grows."""
    if not path.exists():
        return []
    text = path.read_bytes()
    whole = text[: text.rfind(b"\n") + 1]
    return [json.loads(line) for line in whole.splitlines()]


def table_of(chunks: list[Chunk]) -> pa.Table:
    return pa.Table.from_batches([chunk.records for chunk in chunks])
