"""What `memory://` refers to: named batches and named streams of this process."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from ferris_beam.errors import ConfigurationError
from ferris_beam.ledger import LedgerState
from ferris_beam.uri import Uri

END_OF_TIME = 9_223_372_036_854_775_000
"""The watermark of a stream that was closed, in microseconds: Beam's largest timestamp."""


class Store:
    """The batches under one name, with the ledgers of those who write them.

    ``lock`` guards everything. ``identity`` changes when the content is replaced; appending keeps
    it, since positions that were read stay what they were. ``waiting`` is what each of those who
    write has committed, to be shown at the finish.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.identity = uuid.uuid4().hex
        self.schema: pa.Schema | None = None
        self.batches: list[pa.RecordBatch] = []
        self.ledgers: dict[str, LedgerState] = {}
        self.waiting: dict[str, list[pa.RecordBatch]] = {}

    def replace(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> None:
        with self.lock:
            self.identity = uuid.uuid4().hex
            self.schema = schema
            self.batches = list(batches)

    def table(self) -> pa.Table:
        with self.lock:
            schema, batches = self.schema, list(self.batches)
        if not batches:
            return pa.schema([]).empty_table() if schema is None else schema.empty_table()
        tables = [pa.Table.from_batches([batch]) for batch in batches]
        return pa.concat_tables(tables, promote_options="default")


@dataclass(frozen=True, slots=True)
class Event:
    """One position of a stream: rows (maybe none) and the watermark behind them."""

    records: pa.RecordBatch
    timestamp: int | None
    watermark: int | None


class Stream:
    """An unbounded source for tests: what is pushed is read in this order.

    Positions count pushes and watermarks. Once closed, the watermark is at the end of time and
    nothing follows.
    """

    def __init__(self, name: str, schema: pa.Schema | None = None) -> None:
        self.name = name
        self.schema = schema
        self.identity = uuid.uuid4().hex
        self.closed = False
        self._events: list[Event] = []
        self._watermark: int | None = None
        self._lock = threading.Lock()

    def push(self, records: pa.RecordBatch | pa.Table, timestamp: int | None = None) -> None:
        """Adds rows. ``timestamp``: their smallest event time, in microseconds since 1970."""
        if isinstance(records, pa.Table):
            records = records.combine_chunks().to_batches()[0] if len(records) else None
        if records is not None:
            self._add(records, timestamp)

    def advance_watermark(self, micros: int) -> None:
        """Promises that no row older than ``micros`` (since 1970) will be pushed."""
        self._add(None, None, watermark=micros)

    def close(self) -> None:
        """Ends the stream; it may be closed already."""
        if not self.closed:
            nothing = pa.RecordBatch.from_pylist([], schema=self.schema)
            self._add(nothing, None, watermark=END_OF_TIME)
        self.closed = True

    def events(self, start: int, end: int | None) -> list[Event]:
        """What is there from position ``start`` on, up to ``end`` or the present end."""
        with self._lock:
            return self._events[start:end]

    @property
    def length(self) -> int:
        return len(self._events)

    def _add(
        self, records: pa.RecordBatch | None, timestamp: int | None, watermark: int | None = None
    ) -> None:
        with self._lock:
            if self.closed:
                raise ValueError(f"the stream {self.name!r} is closed")
            if records is None:
                records = self._nothing()
            self.schema = self.schema or records.schema
            if watermark is not None:
                self._watermark = watermark
            self._events.append(Event(records, timestamp, self._watermark))

    def _nothing(self) -> pa.RecordBatch:
        if self.schema is None:
            raise ConfigurationError(
                f"the stream {self.name!r} has no schema yet: push rows before the first "
                f"watermark, or create it with memory.stream({self.name!r}, schema=…)"
            )
        return pa.RecordBatch.from_pylist([], schema=self.schema)


_stores: dict[str, Store] = {}
_streams: dict[str, Stream] = {}
_registry = threading.Lock()


def store(name: str) -> Store:
    """The store of this name; an empty one where there was none."""
    with _registry:
        return _stores.setdefault(name, Store())


def known(name: str) -> Store | None:
    with _registry:
        return _stores.get(name)


def names() -> list[str]:
    with _registry:
        return sorted(_stores)


def put(name: str, data: pa.Table | pa.RecordBatch) -> None:
    """Makes ``data`` the content of ``memory://name``; its batches stay as they are."""
    batches = data.to_batches() if isinstance(data, pa.Table) else [data]
    store(name).replace(batches, data.schema)


def take(name: str) -> pa.Table:
    """All rows of ``memory://name``; an empty table where nothing was written."""
    return store(name).table()


def stream(name: str, schema: pa.Schema | None = None) -> Stream:
    """The stream that ``memory://name?unbounded=true`` reads; creates it the first time."""
    with _registry:
        return _streams.setdefault(name, Stream(name, schema))


def clear() -> None:
    """Forgets all stores, their ledgers, and all streams."""
    with _registry:
        _stores.clear()
        _streams.clear()


def name_of(uri: Uri) -> str:
    """The name in ``memory://name``; raises `ConfigurationError` where there is none."""
    host = uri.hosts[0].name if uri.hosts else ""
    name = f"{host}{uri.path}".strip("/")
    if not name:
        raise ConfigurationError("a memory URI names what it refers to, like memory://orders")
    return name
