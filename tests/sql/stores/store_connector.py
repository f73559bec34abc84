"""A connector for tests that is as able as a database: it filters, answers keys, aggregates.

``store://name`` reads a table of this process; what it was asked for is kept. DuckDB aggregates, so
that a result is not compared with itself.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.connector import (
    AggregateCall,
    Chunk,
    Connector,
    Reader,
    Residual,
    SourceFacts,
    Split,
)
from ferris_beam.errors import FatalError, TransientError
from ferris_beam.interval import Interval
from ferris_beam.options import Options, option
from ferris_beam.uri import Uri

CELL = 1_000


@dataclass
class Store:
    """``failures``: how many of the next lookups lose the connection."""

    table: pa.Table
    lookups: list[pa.RecordBatch] = field(default_factory=list)
    aggregations: list[tuple[tuple[str, ...], tuple[AggregateCall, ...]]] = field(
        default_factory=list
    )
    rows_read: int = 0
    failures: int = 0
    opened: int = 0
    closed: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def keys(self) -> list[tuple[object, ...]]:
        """All keys that were asked for, in order."""
        return [tuple(row.values()) for asked in self.lookups for row in asked.to_pylist()]


STORES: dict[str, Store] = {}


def put(name: str, table: pa.Table) -> Store:
    """Makes ``table`` the content of ``store://name``."""
    STORES[name] = Store(table)
    return STORES[name]


class StoreOptions(Options):
    """What the store does."""

    lookup: bool = option(False, description="whether a join asks for keys", example=True)
    cache: int = option(100_000, description="keys that are kept", example=100)
    seconds: float = option(60.0, description="for how long", example=1.0)
    filters: bool = option(True, description="whether it filters by itself", example=False)
    aggregates: bool = option(True, description="whether it aggregates by itself", example=False)


class StoreReader(Reader):
    """Unit: the table. Position: a cell of `CELL` rows."""

    def __init__(self, uri: Uri, options: StoreOptions) -> None:
        self.name = uri.hosts[0].name
        self.looks_up = options.lookup
        self.lookup_cache = options.cache
        self.lookup_seconds = options.seconds
        self.filters = options.filters
        self.aggregates = options.aggregates
        self.columns: Sequence[str] | None = None
        self.predicate: pc.Expression | None = None
        self.aggregation: tuple[tuple[str, ...], tuple[AggregateCall, ...], pa.Schema] | None = None

    @property
    def store(self) -> Store:
        return STORES[self.name]

    def schema(self) -> pa.Schema:
        if self.aggregation is not None:
            return self.aggregation[2]
        return self._narrow(self.store.table.schema.empty_table()).schema

    def pushdown(
        self,
        columns: Sequence[str] | None = None,
        predicate: pc.Expression | None = None,
        limit: int | None = None,
    ) -> tuple[Reader, Residual]:
        reader = StoreReader.__new__(StoreReader)
        reader.__dict__.update(self.__dict__)
        if self.filters:
            reader.columns, reader.predicate = columns, predicate
            return reader, Residual(limit=limit)
        return reader, Residual(columns, predicate, limit)

    def aggregated(
        self, keys: Sequence[str], calls: Sequence[AggregateCall], schema: pa.Schema
    ) -> Reader | None:
        if not self.aggregates:
            return None
        reader = StoreReader.__new__(StoreReader)
        reader.__dict__.update(self.__dict__)
        reader.aggregation = tuple(keys), tuple(calls), schema
        return reader

    def open(self) -> None:
        with self.store.lock:
            self.store.opened += 1

    def close(self) -> None:
        with self.store.lock:
            self.store.closed += 1

    def splits(self, known: Mapping[str, str]) -> Iterable[Split]:
        cells = max(1, -(-self._rows().num_rows // CELL))
        yield Split(Interval(self.name, 0, cells), identity="1", size=self.store.table.nbytes)

    def read(self, split: Split) -> Iterator[Chunk]:
        rows = self._rows()
        with self.store.lock:
            self.store.rows_read += rows.num_rows
        for cell in range(split.interval.start, split.interval.closed_end):
            yield Chunk(_one(rows.slice(cell * CELL, CELL)), end=cell + 1, nbytes=1)

    def lookup(self, keys: pa.RecordBatch) -> pa.RecordBatch:
        store = self.store
        with store.lock:
            if store.opened <= store.closed:
                raise FatalError("the connection is not open")
            if store.failures:
                store.failures -= 1
                raise TransientError("the connection was lost")
            store.lookups.append(keys)
        assert keys.num_rows
        wanted = pa.Table.from_batches([keys])
        assert wanted.group_by(keys.schema.names).aggregate([]).num_rows == keys.num_rows
        assert not any(column.null_count for column in keys.columns)
        names = keys.schema.names
        found = self.store.table
        if self.predicate is not None:
            found = found.filter(self.predicate)
        found = found.append_column("row", pa.array(range(found.num_rows)))
        rows = found.select([*names, "row"]).join(wanted, names, join_type="left semi")["row"]
        return _one(self._narrow(found.drop(["row"]).take(rows)))

    def _rows(self) -> pa.Table:
        found = self.store.table
        if self.predicate is not None:
            found = found.filter(self.predicate)
        return self._narrow(found) if self.aggregation is None else self._aggregates(found)

    def _narrow(self, table: pa.Table) -> pa.Table:
        return table if self.columns is None else table.select(list(self.columns))

    def _aggregates(self, rows: pa.Table) -> pa.Table:
        assert self.aggregation is not None
        keys, calls, schema = self.aggregation
        self.store.aggregations.append((keys, calls))
        items = [
            *(f'"{key}"' for key in keys),
            *(f'{call.function}({_column(call)}) AS "{call.name}"' for call in calls),
        ]
        by = f" GROUP BY {', '.join(items[: len(keys)])}" if keys else ""
        with duckdb.connect() as connection:
            connection.register("store_rows", rows)
            found = connection.sql(f"SELECT {', '.join(items)} FROM store_rows{by}")
            return found.to_arrow_table().cast(schema)


def _column(call: AggregateCall) -> str:
    return "*" if call.column is None else f'"{call.column}"'


def _one(table: pa.Table) -> pa.RecordBatch:
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], table.schema)


CONNECTOR = Connector(
    name="store",
    schemes=("store",),
    summary="Tables that filter, answer keys and aggregate, for tests.",
    source=SourceFacts(
        f"{__name__}:StoreOptions",
        f"{__name__}:StoreReader",
        unit="a cell of 1,000 rows",
        delivery="exactly once",
    ),
)
