"""What is encoded is what the server had: values go out and in again, in every type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from ferris_beam.connectors.postgresql.binary import Encoder
from ferris_beam.connectors.postgresql.types import Choices, columns_of
from ferris_beam.errors import BadRecordError, SchemaError
from tests.connectors.postgresql.reading import connected, read, values_of
from tests.connectors.postgresql.values import BY_TYPE, columns_with
from tests.services.postgresql import PostgresqlServer

EXAMPLES = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def connection(server: PostgresqlServer) -> Iterator[psycopg.Connection[Any]]:
    with connected(server) as made:
        yield made


def copy_in(
    connection: psycopg.Connection[Any], kind: str, values: pa.Array, rows_at_once: int = 1000
) -> list[tuple[str | None]]:
    """The values as texts, after they went into a column of this type."""
    connection.execute("DROP TABLE IF EXISTS pg_temp.given")
    connection.execute(f"CREATE TEMPORARY TABLE given (n serial, v {kind})")
    columns = columns_of(connection, sql.SQL("SELECT v FROM given"), Choices())
    records = pa.RecordBatch.from_arrays([values], ["v"])
    encoder = Encoder(records.schema, columns)
    with connection.cursor() as cursor:
        with cursor.copy("COPY given (v) FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(encoder.header())
            for start in range(0, len(values), rows_at_once):
                copy.write(encoder.rows(records.slice(start, rows_at_once)))
            copy.write(encoder.trailer())
        return cursor.execute("SELECT v::text FROM given ORDER BY n").fetchall()


@pytest.mark.parametrize("kind", BY_TYPE)
@EXAMPLES
@given(data=st.data())
def test_what_was_read_is_written_as_it_was(
    connection: psycopg.Connection[Any], kind: str, data: st.DataObject
) -> None:
    """Whole and in slices of two rows."""
    query = values_of(data.draw(columns_with(kind)), kind)
    table, bad = read(connection, query)
    assert not bad
    (values,) = table.combine_chunks().to_batches()[0].columns if table.num_rows else [pa.nulls(0)]
    wanted = connection.execute(f"SELECT v::text FROM ({query}) given").fetchall()
    assert copy_in(connection, kind, values) == wanted
    assert copy_in(connection, kind, values, rows_at_once=2) == wanted


def test_a_character_nul_is_refused_in_its_own_row_only(
    connection: psycopg.Connection[Any],
) -> None:
    """A slice has the memory of all rows that it was cut from."""
    values = pa.array(["a", "b", "c\0d", None, "e"])
    assert copy_in(connection, "text", values.slice(3)) == [(None,), ("e",)]
    with pytest.raises(BadRecordError, match="NUL") as caught:
        copy_in(connection, "text", values.slice(1))
    assert caught.value.row == 1


@pytest.mark.parametrize(
    ("kind", "values", "row"),
    [
        ("int2", pa.array([1, 40_000], pa.int32()), 1),
        ("int8", pa.array([2**63], pa.uint64()), 0),
        ("uuid", pa.array([None, "no uuid"]), 1),
        ("interval", pa.array([pa.MonthDayNano([1, 1, 1000]), pa.MonthDayNano([0, 0, 1])]), 1),
        ("int4[]", pa.array([[1], [None], [2, 2**40]], pa.list_(pa.int64())), 2),
    ],
)
def test_a_value_that_its_type_can_not_hold_names_its_row(
    connection: psycopg.Connection[Any], kind: str, values: pa.Array, row: int
) -> None:
    with pytest.raises(BadRecordError) as caught:
        copy_in(connection, kind, values)
    assert caught.value.row == row


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("int4", pa.array(["1"])),
        ("bool", pa.array([1])),
        ("date", pa.array([b"x"])),
        ("int4[]", pa.array([1])),
    ],
)
def test_a_type_that_does_not_go_is_refused_by_name(
    connection: psycopg.Connection[Any], kind: str, values: pa.Array
) -> None:
    with pytest.raises(SchemaError, match="'v'"):
        copy_in(connection, kind, values)


def test_a_slice_costs_what_its_own_rows_cost(connection: psycopg.Connection[Any]) -> None:
    """Its bytes are those of a copy of these rows."""
    values = pa.array([f"text {n}" for n in np.arange(100)])
    records = pa.RecordBatch.from_arrays([values], ["v"])
    columns = columns_of(connection, sql.SQL("SELECT 'x'::text AS v"), Choices())
    encoder = Encoder(records.schema, columns)
    part = records.slice(90, 5)
    own = pa.RecordBatch.from_pydict(part.to_pydict())
    assert encoder.rows(part).to_pybytes() == encoder.rows(own).to_pybytes()
