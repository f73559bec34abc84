"""Values of every type, decoded, against psycopg's decoding and the server's own text, and back."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ferris_beam.connectors.postgresql import binary
from ferris_beam.connectors.postgresql.binary import text
from ferris_beam.connectors.postgresql.types import Choices, columns_of
from tests.connectors.postgresql.reading import connected, read, values_of
from tests.connectors.postgresql.values import BY_TYPE, columns_with
from tests.services.postgresql import PostgresqlServer

_EXAMPLES = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_TYPES = pytest.mark.parametrize("kind", list(BY_TYPE))
_ORACLES = {
    # What psycopg reads otherwise: documents, intervals with months, and texts of float4, which
    # are the shortest that name it.
    "interval": "text",
    "json": "text",
    "jsonb": "text",
    "jsonb[]": "text[]",
    "oid": "text",
    "float4": "float8",
}
_DECIMALS = (
    st.decimals(allow_nan=True, allow_infinity=True)
    .map(lambda value: format(value, "f"))
    .filter(lambda text: len(text) < 300)
)


@pytest.fixture(scope="module")
def connection(server: PostgresqlServer) -> Iterator[psycopg.Connection[Any]]:
    with connected(server) as opened:
        opened.prepare_threshold = None  # the tests' tables change under the same statements
        yield opened


def _comparable(value: Any) -> Any:
    """NaN equals NaN; UUIDs are texts here; floats keep the sign of zero."""
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else (value, math.copysign(1, value))
    if isinstance(value, UUID):
        return str(value)
    return [_comparable(item) for item in value] if isinstance(value, list) else value


@_TYPES
@_EXAMPLES
@given(data=st.data())
def test_values_are_those_that_psycopg_reads(
    connection: psycopg.Connection[Any], kind: str, data: st.DataObject
) -> None:
    query = values_of(data.draw(columns_with(kind)), kind)
    found, bad = read(connection, query)
    as_read = f"SELECT v::{_ORACLES.get(kind, kind)} FROM ({query}) AS q"
    expected = [row[0] for row in connection.execute(as_read).fetchall()]
    decoded = found["v"].to_pylist()
    if kind == "interval":
        decoded = _shown(connection, decoded)
    elif kind == "oid":
        decoded = [None if value is None else str(value) for value in decoded]
    assert not bad
    assert _comparable(decoded) == _comparable(expected)


def _shown(connection: psycopg.Connection[Any], values: list[Any]) -> list[str | None]:
    """Intervals as the server writes them."""
    made = "SELECT make_interval(months => %s, days => %s, secs => 0) + %s * '1 us'::interval"
    return [
        None
        if value is None
        else connection.execute(
            f"SELECT ({made})::text", (value.months, value.days, value.nanoseconds // 1000)
        ).fetchone()[0]
        for value in values
    ]


@_TYPES
@_EXAMPLES
@given(data=st.data())
def test_what_was_decoded_is_encoded_to_the_same_values(
    connection: psycopg.Connection[Any], kind: str, data: st.DataObject
) -> None:
    query = values_of(data.draw(columns_with(kind)), kind)
    found, _ = read(connection, query)
    connection.execute("DROP TABLE IF EXISTS copied")
    connection.execute(f"CREATE TEMP TABLE copied (n serial, v {kind})")
    columns = columns_of(connection, "SELECT v FROM copied", Choices())
    encoder = binary.Encoder(found.schema, columns)
    with connection.cursor().copy("COPY copied (v) FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(encoder.header())
        for records in found.to_batches():
            copy.write(encoder.rows(records).to_pybytes())
        copy.write(encoder.trailer())
    expected = connection.execute(f"SELECT v::text FROM ({query}) AS q").fetchall()
    assert connection.execute("SELECT v::text FROM copied ORDER BY n").fetchall() == expected


@_TYPES
@_EXAMPLES
@given(data=st.data())
def test_the_servers_text_decodes_to_what_its_binary_format_does(
    connection: psycopg.Connection[Any], kind: str, data: st.DataObject
) -> None:
    query = values_of(data.draw(columns_with(kind)), kind)
    found, _ = read(connection, query)
    [column] = columns_of(connection, query, Choices())
    rows = connection.execute(f"SELECT v::text FROM ({query}) AS q").fetchall()
    written = [None if row[0] is None else row[0].encode() for row in rows]
    lengths = np.array([-1 if value is None else len(value) for value in written], np.int32)
    ends = np.cumsum(np.maximum(lengths, 0), dtype=np.int64)
    content = np.frombuffer(b"".join(value or b"" for value in written), np.uint8)
    decoded = text.decode_column(column, content, ends - np.maximum(lengths, 0), lengths)
    decoded.validate(full=True)
    assert _comparable(decoded.to_pylist()) == _comparable(found["v"].to_pylist())


@pytest.mark.parametrize("option", ["decimal", "float", "text"])
@_EXAMPLES
@given(values=st.lists(_DECIMALS, min_size=1, max_size=30))
def test_numerics_of_any_size_are_right_or_named(
    connection: psycopg.Connection[Any], option: str, values: list[str]
) -> None:
    texts = [text.replace("sNaN", "NaN").replace("-NaN", "NaN") for text in values]
    query = values_of(texts, "numeric")
    found, bad = read(connection, query, numeric=option)
    written = [row[0] for row in connection.execute(f"SELECT v::text FROM ({query}) q").fetchall()]
    for row, (value, expected) in enumerate(zip(found["v"].to_pylist(), written, strict=True)):
        if row in bad:
            assert value is None
            assert option == "decimal" or abs(float(expected)) == math.inf
        elif option == "text":
            assert value == expected
        else:
            assert _comparable(float(value)) == _comparable(float(expected))
            if option == "decimal":
                assert value == pa.scalar(expected).cast(pa.decimal256(76, 9)).as_py()
