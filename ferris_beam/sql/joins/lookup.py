"""Joins with a source that is asked for the keys of each batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.batches import concatenate
from ferris_beam.errors import SqlError
from ferris_beam.sql import nodes
from ferris_beam.sql.joins.looked_up import LookedUp
from ferris_beam.sql.joins.lookup_cache import LookupCache
from ferris_beam.sql.joins.matching import Build, Joiner
from ferris_beam.sql.joins.planning import rule_of, sides_of
from ferris_beam.sql.joins.sides import JoinSide, empty
from ferris_beam.sql.joins.table import TABLE_BYTES
from ferris_beam.sql.kernel.types import spoken
from ferris_beam.sql.rules.lookups import lookup_keys, lookup_scan
from ferris_beam.sql.text import SqlText
from ferris_beam.transforms.context import Run


class LookupJoin:
    """Joins batches of the left side with those rows of a source that have their keys.

    Pickled to the workers, opened there; each thread has a connection and a cache of its own.
    ``limit``: bytes of rows that it may keep between batches. Raises `SqlError` where keys can't be
    compared, or not in the types of the source.
    """

    def __init__(
        self,
        node: nodes.Join,
        text: SqlText | None = None,
        limit: int = TABLE_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        scan = lookup_scan(node.right)
        assert scan is not None
        assert scan.lookup is not None
        self._left, self._right = sides_of(node, text)
        self._rule = rule_of(node, self._left, self._right, text)
        self._keys = _keys_of(node, scan, self._right, text)
        self.source = LookedUp(scan, node.right, text)
        self._lookup = scan.lookup
        self._limit = limit
        self._clock = clock

    @property
    def varies(self) -> bool:
        return self.source.varies

    def description(self) -> str:
        keys = f"{self._left.spoken} = {self._right.spoken}"
        return f"{self._rule.description()} on {keys} by lookup of {self.source.description()}"

    def open(self, run: Run) -> None:
        self.source.open(run)
        names = [self._right.key_columns[number] for number in self._keys.numbers]
        self._cache = LookupCache(
            self._keys.schema,
            self._right.schema,
            names,
            self._lookup.cache,
            self._lookup.seconds,
            self._limit,
            self._clock,
        )
        self._build: Build | None = None

    def close(self) -> None:
        self.source.close()

    def run(self, records: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """The results for one batch, in parts of bounded size; at least one, perhaps empty.

        Raises `BadRecordError` for a row whose key or condition has no value, that has several
        matches where one may be, or whose rows on the other side can't be read or computed.
        """
        prepared = self._left.prepared(records)
        self._ask(prepared)
        if self._build is None:
            held = self._cache.rows
            self._build = Build(held, self._right.keys(held, nulls_equal=False))
        keys = self._left.keys(prepared, nulls_equal=False)
        found = False
        for part in Joiner(self._rule, self._build).probe(prepared, keys):
            found = True
            yield part
        if not found:
            yield pa.RecordBatch.from_pylist([], self._rule.schema)
        if self._cache.trim():
            self._build = None

    def _ask(self, prepared: pa.RecordBatch) -> None:
        """Puts what is missing into the cache."""
        columns = [prepared.column(self._left.key_columns[each]) for each in self._keys.numbers]
        keys = pa.RecordBatch.from_arrays(columns, schema=self._keys.schema)
        missing = self._cache.missing(keys)
        if not missing.num_rows:
            return
        rows = [empty(self._right.schema)]
        wanted = self._keys.in_source(missing)
        if wanted.num_rows:
            rows += [self._right.prepared(part) for part in self.source.rows(wanted)]
        self._cache.add(missing, concatenate(rows))
        self._build = None


@dataclass(frozen=True)
class _LookupKeys:
    """Those keys of a join, by number, that the source is asked for. ``schema`` has its own names
    and the types in which both sides are compared, ``stored`` the types that it has there."""

    numbers: tuple[int, ...]
    schema: pa.Schema
    stored: pa.Schema

    def in_source(self, keys: pa.RecordBatch) -> pa.RecordBatch:
        """``keys`` in the types of the source, without those that it can't hold."""
        columns = [
            _narrowed(column, field.type)
            for column, field in zip(keys.columns, self.stored, strict=True)
        ]
        asked = pa.RecordBatch.from_arrays(columns, schema=self.stored)
        return asked.drop_null() if any(column.null_count for column in columns) else asked


def _keys_of(
    node: nodes.Join, scan: nodes.Scan, right: JoinSide, text: SqlText | None
) -> _LookupKeys:
    """Raises `SqlError` where the source can't be asked for any of the keys in its type."""
    types = dict(zip(scan.names, scan.schema.types, strict=True))
    numbers: dict[str, int] = {}
    for number, name in lookup_keys(node).items():
        common = right.schema.field(right.key_columns[number]).type
        if _is_narrower(types[name], common):
            numbers.setdefault(name, number)
    if not numbers:
        raise _refusal(node, right, types, text)
    compared = [right.schema.field(right.key_columns[each]).type for each in numbers.values()]
    return _LookupKeys(
        tuple(numbers.values()),
        pa.schema(list(zip(numbers, compared, strict=True))),
        pa.schema([(name, types[name]) for name in numbers]),
    )


def _refusal(
    node: nodes.Join, right: JoinSide, types: Mapping[str, pa.DataType], text: SqlText | None
) -> SqlError:
    number, name = next(iter(lookup_keys(node).items()))
    left, _ = node.keys[number]
    common = right.schema.field(right.key_columns[number]).type
    message = (
        f"{name} is {spoken(types[name])} and is compared as {spoken(common)}, by which the source "
        "can't be asked"
    )
    text = text or SqlText(left.sql())
    return text.error(message, left, f"cast the other side to {spoken(types[name])}")


def _is_narrower(stored: pa.DataType, compared: pa.DataType) -> bool:
    """Whether values of one can be cast to the other, or told to lie outside of it."""
    if stored.equals(compared):
        return True
    kinds = (pa.types.is_integer, _is_text, _is_bytes)
    return any(is_kind(stored) and is_kind(compared) for is_kind in kinds)


def _narrowed(column: pa.Array, stored: pa.DataType) -> pa.Array:
    """NULL for an integer that the type can't hold."""
    if not pa.types.is_integer(stored) or column.type.equals(stored):
        return column.cast(stored)
    found = pc.cast(column, stored, safe=False)
    is_same = pc.equal(pc.cast(found, column.type, safe=False), column)
    return pc.if_else(is_same, found, pa.scalar(None, stored))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))
