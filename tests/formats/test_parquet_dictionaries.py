"""Columns that are read as dictionaries come out as they went in, filtered by any condition."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from ferris_beam.formats.options import ReadOptions
from ferris_beam.formats.parquet.file import open_parquet
from ferris_beam.formats.parquet.format import ParquetFormat
from tests.formats.memory import MemorySource

ROWS = 100_000
TABLE = pa.table(
    {
        "id": pa.array(range(ROWS)),
        "country": pa.array([("DE", "FR", None)[at % 3] for at in range(ROWS)]),
        "name": pa.array([f"name {at}" for at in range(ROWS)]),
    }
)


@pytest.fixture(scope="module")
def source() -> MemorySource:
    target = io.BytesIO()
    pq.write_table(TABLE, target, row_group_size=30_000)
    return MemorySource(target.getvalue(), "x.parquet")


def read(
    source: MemorySource, columns: list[str] | None, predicate: pc.Expression | None
) -> pa.Table:
    format, options = ParquetFormat(), ReadOptions()
    schema = format.discover(source, options).schema
    reader = format.open(source, schema, options, columns, predicate)
    pieces = list(reader.read(0, format.extent(source, options).end))
    return pa.Table.from_batches([piece.records for piece in pieces])


def test_few_texts_are_read_as_a_dictionary(source: MemorySource) -> None:
    kinds = open_parquet(source, dictionaries=True).schema_arrow
    assert pa.types.is_dictionary(kinds.field("country").type)
    assert pa.types.is_string(kinds.field("name").type)
    assert ParquetFormat().discover(source, ReadOptions()).schema.equals(TABLE.schema)


@pytest.mark.parametrize("columns", [None, ["id", "country"], ["country"], ["name"]])
@pytest.mark.parametrize(
    "predicate",
    [
        None,
        pc.field("country") == "DE",
        pc.field("country").isin(["FR", "XX"]),
        pc.starts_with(pc.field("country"), pattern="D"),
        pc.field("country").is_null(),
        (pc.field("id") > 50_000) & (pc.field("country") != "DE"),
        pc.scalar(True),
        pc.field("id") < 0,
    ],
    ids=str,
)
def test_any_condition_gives_what_pyarrow_gives(
    source: MemorySource, columns: list[str] | None, predicate: pc.Expression | None
) -> None:
    expected = TABLE if predicate is None else TABLE.filter(predicate)
    expected = expected if columns is None else expected.select(columns)
    found = read(source, columns, predicate)
    assert found.schema.equals(expected.schema)
    assert found.combine_chunks().equals(expected.combine_chunks())
