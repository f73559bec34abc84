"""What is asked of the rows: columns, a condition, a limit; what of it the server does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from ferris_beam.batches.predicates import conjuncts
from ferris_beam.connectors.postgresql.reading.conditions import condition_of
from ferris_beam.connectors.postgresql.types import Column, schema_of
from ferris_beam.errors import SchemaError
from ferris_beam.formats.predicate import columns_of


@dataclass(frozen=True)
class Wish:
    """What `Reader.pushdown` was asked for; of no columns one is read, to know the rows."""

    columns: tuple[str, ...] | None = None
    predicate: pc.Expression | None = None
    limit: int | None = None


@dataclass(frozen=True)
class Selection:
    """``sent``: the columns that the server sends; ``schema``: those of the batches, the first of
    them. ``condition`` and ``limit`` are the server's, ``residual`` is Arrow's."""

    sent: tuple[Column, ...]
    schema: pa.Schema
    condition: sql.Composable | None = None
    limit: int | None = None
    residual: pc.Expression | None = None

    def statement(
        self,
        source: sql.Composable,
        conditions: Iterable[sql.Composable | None] = (),
        order: sql.Composable | None = None,
        offset: int = 0,
    ) -> sql.Composed:
        """The SELECT of ``sent`` from what stands behind FROM."""
        expressions = sql.SQL(", ").join(column.expression for column in self.sent)
        parts = [sql.SQL("SELECT {} FROM {}").format(expressions, source)]
        found = [part for part in (*conditions, self.condition) if part is not None]
        if found:
            parts.append(sql.SQL("WHERE {}").format(sql.SQL(" AND ").join(found)))
        if order is not None:
            parts.append(sql.SQL("ORDER BY {}").format(order))
        if self.limit is not None:
            parts.append(sql.SQL("LIMIT {}").format(sql.Literal(self.limit)))
        if offset:
            parts.append(sql.SQL("OFFSET {}").format(sql.Literal(offset)))
        return sql.SQL(" ").join(parts)

    def finished(self, records: pa.RecordBatch) -> pa.RecordBatch:
        """What is left to be done of a batch that was sent."""
        if self.residual is not None:
            records = records.filter(self.residual)
        if records.num_columns > len(self.schema):
            records = records.select(self.schema.names)
        return records


def select(wish: Wish, columns: Sequence[Column], *, utf8: bool) -> Selection:
    """How the wish is fulfilled over these columns; raises `SchemaError` for one that isn't there.

    ``utf8``: how the server keeps texts, see `condition_of`.
    """
    wanted = _wanted(wish, columns)
    schema = schema_of(wanted)
    if wish.predicate is None:
        return Selection(wanted, schema, limit=wish.limit)
    everything = schema_of(tuple(columns))
    named = {column.name: column for column in columns}
    needed = columns_of(wish.predicate, everything)
    told = [
        None if part is None else condition_of(part, named, utf8=utf8)
        for part in conjuncts(wish.predicate)
    ]
    known = [part for part in told if part is not None]
    condition = sql.SQL(" AND ").join(known) if known else None
    if len(known) == len(told):
        return Selection(wanted, schema, condition, wish.limit)
    more = tuple(named[name] for name in needed if name not in schema.names)
    return Selection((*wanted, *more), schema, condition, None, wish.predicate)


def _wanted(wish: Wish, columns: Sequence[Column]) -> tuple[Column, ...]:
    if wish.columns is None:
        return tuple(columns)
    named = {column.name: column for column in columns}
    for name in wish.columns:
        if name not in named:
            raise SchemaError(f"there is no column {name!r}; there are {', '.join(named)}")
    return tuple(named[name] for name in wish.columns) or tuple(columns[:1])
