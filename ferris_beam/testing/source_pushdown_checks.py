"""Checks of what a source does by itself of columns, conditions and limits."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.connector import Chunk, Reader, Residual
from ferris_beam.testing.cases import SourceCase
from ferris_beam.testing.checks import NotApplicable, demand
from ferris_beam.testing.reading import all_splits, opened, opening, read_all
from ferris_beam.testing.rows import demand_rows, rows, table_of

_ROUNDS = 24
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


def pushdown_and_residual_are_a_filter(case: SourceCase) -> None:
    """Whatever columns, condition and limit a reader takes over, together with the residual that it
    leaves the result is that of a filter, a projection and a limit above everything; the reader
    that was asked stays as it was, and chunks cover their intervals also where no row remains.

    The engine does what the residual says and nothing else: what a store understands in another way
    (nulls, NaN, the case of letters) must stay above.
    """
    if case.rejected:
        raise NotApplicable("which rows are rejected may depend on the columns that are read")
    chance = random.Random(case.seed)
    with opened(case) as reader:
        everything = read_all(reader)
    for _ in range(_ROUNDS):
        asked = case.reader()
        asked.pushdown(*_question(chance, everything))  # and forgets it
        _try(asked, everything, *_question(chance, everything))


def _try(
    reader: Reader,
    everything: pa.Table,
    columns: Sequence[str] | None,
    predicate: pc.Expression | None,
    limit: int | None,
) -> None:
    asked = f"columns={columns}, predicate={predicate}, limit={limit}"
    pushed, residual = reader.pushdown(columns, predicate, limit)
    with opening(pushed):
        found = _above(_covered(pushed, asked), residual)
    wanted = everything if predicate is None else everything.filter(predicate)
    wanted = wanted if columns is None else wanted.select(list(columns))
    demand(
        found.schema.names == wanted.schema.names,
        f"{asked}: the columns are {found.schema.names} in this order",
    )
    if limit is None or wanted.num_rows <= limit:
        demand_rows(found, wanted, asked)
        return
    names = wanted.schema.names
    extra = Counter(rows(found, names)) - Counter(rows(wanted, names))
    demand(not extra, f"{asked}: there are rows that don't fit, such as {next(iter(extra), '')}")
    demand(found.num_rows == limit, f"{asked}: {found.num_rows} rows are left, not {limit}")


def _covered(reader: Reader, asked: str) -> pa.Table:
    """The rows of all splits; each must still be covered to its end."""
    schema = reader.schema()
    found: list[Chunk] = []
    for split in all_splits(reader):
        chunks = list(reader.read(split))
        end = chunks[-1].end if chunks else split.interval.start
        demand(
            split.interval.end in (None, end),
            f"{asked}: {split.interval} is covered up to {end} only",
        )
        found += chunks
    for chunk in found:
        names = chunk.records.schema.names
        demand(
            names == schema.names,
            f"{asked}: a batch has the columns {names}, schema() says {schema.names}",
        )
    return table_of(found, schema)


def _above(table: pa.Table, residual: Residual) -> pa.Table:
    """What the engine does with a residual."""
    if residual.predicate is not None:
        table = table.filter(residual.predicate)
    if residual.columns is not None:
        table = table.select(list(residual.columns))
    return table if residual.limit is None else table.slice(0, residual.limit)


def _question(chance: random.Random, table: pa.Table) -> tuple[Any, Any, Any]:
    """Columns, condition and limit, each of them None now and then."""
    limit = chance.choice([None, None, 1, 3, 10**6])
    return _columns(chance, table.schema), _predicate(chance, table), limit


def _columns(chance: random.Random, schema: pa.Schema) -> list[str] | None:
    if chance.random() < 0.3:
        return None
    return chance.sample(schema.names, chance.randint(1, len(schema.names)))


def _predicate(chance: random.Random, table: pa.Table, depth: int = 2) -> pc.Expression | None:
    """A condition over values that occur; None one time in four."""
    if chance.random() < 0.25:
        return None
    left, right = _condition(chance, table), _condition(chance, table)
    if depth and chance.random() < 0.4:
        left = left & right if chance.random() < 0.5 else left | right
    return ~left if chance.random() < 0.2 else left


def _condition(chance: random.Random, table: pa.Table) -> pc.Expression:
    name = chance.choice(table.schema.names)
    column, value = pc.field(name), _value(chance, table[name])
    if value is None:
        return column.is_null() if chance.random() < 0.5 else column.is_valid()
    comparison = chance.choice(_COMPARISONS)
    condition: Any = {
        "==": column == value,
        "!=": column != value,
        "<": column < value,
        "<=": column <= value,
        ">": column > value,
        ">=": column >= value,
    }[comparison]
    try:
        table.filter(condition)
    except pa.ArrowException:  # Arrow can't compare values of this type
        return column.is_valid()
    return condition


def _value(chance: random.Random, column: pa.ChunkedArray) -> pa.Scalar | None:
    if pa.types.is_nested(column.type) or not len(column):
        return None
    value = column[chance.randrange(len(column))]
    return value if value.is_valid else None
