"""A run of a pipeline at the PostgreSQL sink, without the engine."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from ferris_beam.connector import Receipt
from ferris_beam.connectors.postgresql.options import PostgresqlSinkOptions
from ferris_beam.connectors.postgresql.writer import PostgresqlWriter
from ferris_beam.errors import BadRecordError
from ferris_beam.interval import Interval, Origin
from ferris_beam.ledger import Entry, Identity
from ferris_beam.options import check, resolve_endpoint
from ferris_beam.reliability import write_good_rows
from ferris_beam.uri import Uri
from tests.services.database import Database


def writer_of(uri: str) -> PostgresqlWriter:
    scrubbed, kept = check(PostgresqlSinkOptions, Uri.parse(uri), {})
    resolved = resolve_endpoint(PostgresqlSinkOptions, scrubbed, kept)
    options = resolved.options
    assert isinstance(options, PostgresqlSinkOptions)
    return PostgresqlWriter(resolved.uri, options)


class Run:
    """An open writer that holds an epoch; each commit stands for the next position of a unit."""

    def __init__(self, uri: str, name: str = "orders", epoch: int = 1, generation: int = 1) -> None:
        self.writer = writer_of(uri)
        self.epoch = epoch
        self.generation = generation
        self.identity = Identity(name, f"run-{uuid.uuid4().hex[:8]}", "plan")
        self.position = 0

    def open(self) -> None:
        self.writer.open(self.identity)
        self.writer.claim(self.epoch, self.generation)

    def entry(self, rows: int, *, ordered: bool = True, at: int | None = None) -> Entry:
        start = self.position if at is None else at
        self.position = max(self.position, start + 1)
        interval = Interval("unit", start, start + 1)
        return Entry(Origin(("Read",), interval, "version", ordered), rows)

    def commit(self, *batches: pa.RecordBatch | pa.Table, ordered: bool = True) -> Receipt:
        """Writes all rows, of which none may be bad."""
        staged = self.writer.begin()
        for records in batches:
            for batch in batches_of(records):
                staged.write(batch)
        return self.writer.commit(self.epoch, staged, [self.entry(staged.rows, ordered=ordered)])

    def commit_good(self, records: pa.RecordBatch | pa.Table) -> list[tuple[int, BadRecordError]]:
        """As the engine does: halves until the bad rows are found; returns these."""
        staged = self.writer.begin()
        (batch,) = batches_of(records)
        bad = list(write_good_rows(batch, staged.write))
        self.writer.commit(self.epoch, staged, [self.entry(staged.rows)])
        return bad

    def finish(self) -> None:
        self.writer.finish(self.epoch)


def batches_of(records: pa.RecordBatch | pa.Table) -> Sequence[pa.RecordBatch]:
    if isinstance(records, pa.RecordBatch):
        return [records]
    return records.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], records.schema)]


@contextmanager
def running(database: Database, /, name: str = "orders", **options: Any) -> Iterator[Run]:
    """A run at a table of the database; ``epoch`` and ``generation`` are the claim's."""
    epoch, generation = options.pop("epoch", 1), options.pop("generation", 1)
    run = Run(database.uri(**options), name, epoch, generation)
    run.open()
    try:
        yield run
    finally:
        run.writer.close()


def kill_backends(database: Database) -> None:
    """Ends the connections of all writers at this database, and waits until they are gone."""
    found = database.execute(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name = 'ferris_beam'"
    )
    for (pid,) in found:
        assert database.execute("SELECT pg_terminate_backend(%s, 10000)", [pid]) == [(True,)]
