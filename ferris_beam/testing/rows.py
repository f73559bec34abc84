"""Rows as values, to compare what is there with what should be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from ferris_beam.connector import Chunk
from ferris_beam.testing.checks import demand


def rows(table: pa.Table | pa.RecordBatch, names: Sequence[str]) -> list[str]:
    """Each row as text, its values in the order of ``names``."""
    columns = [table.column(name).to_pylist() for name in names]
    return [repr(row) for row in zip(*columns, strict=True)] if names else [""] * table.num_rows


def demand_rows(found: pa.Table, wanted: pa.Table, where: str) -> None:
    """Fails unless the columns of both and the rows of both are the same, in any order."""
    names = found.schema.names
    demand(
        sorted(names) == sorted(wanted.schema.names),
        f"{where}: the columns are {names}, expected were {wanted.schema.names}",
    )
    have, want = Counter(rows(found, names)), Counter(rows(wanted, names))
    missing, extra = list((want - have).elements()), list((have - want).elements())
    problems = []
    if missing:
        problems.append(f"{len(missing)} rows are missing, such as {missing[0]}")
    if extra:
        problems.append(f"{len(extra)} rows are there that should not, such as {extra[0]}")
    demand(not problems, f"{where}: {' and '.join(problems)} (columns {names})")


def table_of(chunks: Iterable[Chunk], schema: pa.Schema) -> pa.Table:
    """The rows of some chunks; of no chunks, an empty table."""
    tables = [pa.Table.from_batches([chunk.records]) for chunk in chunks]
    return pa.concat_tables([schema.empty_table(), *tables], promote_options="permissive")


def same_values(found: pa.ChunkedArray, wanted: pa.ChunkedArray) -> bool:
    """Whether two columns hold the same values; NaN is itself."""
    if len(found) != len(wanted):
        return False
    if pa.types.is_null(wanted.type):
        return found.null_count == len(found)
    if found.type != wanted.type:
        try:
            found = found.cast(wanted.type)
        except pa.ArrowException:
            return _plain(found) == _plain(wanted)
    return bool(found.equals(wanted)) or _plain(found) == _plain(wanted)


def _plain(column: pa.ChunkedArray) -> list[Any]:
    return [repr(scalar) for chunk in column.chunks for scalar in chunk]
