"""Conditions in the server: exactly the rows that Arrow's filter keeps, and which are its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ferris_beam.connectors.postgresql.reading.base import RelationReader
from tests.connectors.postgresql.sources import read_table, reader_of
from tests.services.database import Database
from tests.services.postgresql import PostgresqlServer

ROWS = (
    "SELECT n AS id, nullif(n % 7, 3)::int2 AS i, (n % 5 - 2)::int8 AS big, "
    "CASE n % 6 WHEN 0 THEN float8 'NaN' WHEN 1 THEN '-Infinity' WHEN 2 THEN NULL "
    "WHEN 3 THEN '-0' ELSE n % 4 END AS f, "
    "CASE n % 5 WHEN 0 THEN float4 'NaN' WHEN 1 THEN NULL ELSE (n % 3) / 10.0 END AS r, "
    "nullif((n % 9) / 4.0, 1)::numeric(9, 2) AS d, "
    "(ARRAY['a', 'B', 'ä', 'Z', '', NULL, 'aa', 'é', '%', 'a b', 'it''s'])[1 + n % 11] AS s, "
    "('x' || n % 4)::char(3) AS padded, nullif(n % 3 = 0, n % 5 = 0) AS b, "
    "decode(repeat('0' || n % 3, n % 3), 'hex') AS y, "
    "timestamp '2020-01-01' + (n % 6) * interval '1.000001 s' AS at, "
    "timestamptz '2020-03-01' + (n % 4) * interval '7 h' AS az, date '2019-12-30' + n % 5 AS day, "
    "time '00:00' + (n % 3) * interval '7 min' AS clock, md5((n % 4)::text)::uuid AS u, "
    "ROW(NULLIF(n % 2, 1), NULL)::pair AS c, jsonb_build_object('a', n % 2) AS j "
    "FROM generate_series(0, 59) n"
)


@pytest.fixture(scope="module")
def table(server: PostgresqlServer) -> Iterator[Database]:
    made = Database(server)
    made.execute("CREATE TYPE pair AS (x int, y int)")
    made.execute(f"CREATE TABLE t AS {ROWS}")
    made.execute("INSERT INTO t (id) VALUES (60)")
    yield made
    made.drop()


@pytest.fixture(scope="module")
def everything(table: Database) -> pa.Table:
    return read_table(reader_of(table.uri(table="t")))


def compared(column: Any, word: str, value: Any) -> pc.Expression:
    return {
        "==": column == value,
        "!=": column != value,
        "<": column < value,
        "<=": column <= value,
        ">": column > value,
        ">=": column >= value,
    }[word]


def condition(data: st.DataObject, table: pa.Table, depth: int) -> pc.Expression:
    shapes = ["leaf", "leaf", "and", "or", "not"] if depth else ["leaf"]
    shape = data.draw(st.sampled_from(shapes))
    if shape == "leaf":
        return leaf(data, table)
    first = condition(data, table, depth - 1)
    if shape == "not":
        return ~first
    second = condition(data, table, depth - 1)
    return first & second if shape == "and" else first | second


def leaf(data: st.DataObject, table: pa.Table) -> pc.Expression:
    name = data.draw(st.sampled_from(table.schema.names))
    column, values = pc.field(name), table[name].drop_null()
    kind = table.schema.field(name).type
    shape = data.draw(st.sampled_from(["null", "compare", "compare", "compare", "in", "prefix"]))
    if shape == "null" or pa.types.is_nested(kind):
        return column.is_null() if data.draw(st.booleans()) else column.is_valid()
    if shape == "prefix" and pa.types.is_string(kind):
        return pc.starts_with(column, data.draw(st.sampled_from(["", "a", "x1", "ä", "%"])))
    picks = data.draw(st.lists(st.integers(0, len(values) - 1), min_size=1, max_size=3))
    if shape == "in" and not pa.types.is_boolean(kind):
        asked = [values[pick].as_py() for pick in picks]
        return column.isin(pa.array([*asked, None] if data.draw(st.booleans()) else asked, kind))
    word = data.draw(st.sampled_from(["==", "!=", "<", "<=", ">", ">="]))
    return compared(column, word, values[picks[0]])


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_a_condition_keeps_the_rows_that_arrow_keeps(
    table: Database, everything: pa.Table, data: st.DataObject
) -> None:
    predicate = condition(data, everything, 3)
    reader, residual = reader_of(table.uri(table="t")).pushdown(["id"], predicate)
    assert residual.predicate is None
    found = read_table(reader)["id"].to_pylist()
    assert sorted(found) == sorted(everything.filter(predicate)["id"].to_pylist()), str(predicate)


F = pc.field
SERVERS = {
    "integers": F("i") > 3,
    "of another width": F("i") == pa.scalar(3, pa.int64()),
    "floats": F("f") >= 1.5,
    "floats of 32 bits": F("r") < pa.scalar(0.1, pa.float32()),
    "decimals": F("d") == pa.scalar("1.50").cast(pa.decimal128(9, 2)),
    "texts": F("s") < "b",
    "texts that begin": pc.starts_with(F("s"), "a"),
    "sets": F("s").isin(["a", "b"]),
    "times": F("az") > pa.scalar(0, pa.timestamp("us", "UTC")),
    "uuids": F("u") == "cfcd2084-95d5-65ef-66e7-dff9f98764da",
    "nothing is there": F("c").is_null(),
    "everything together": ~((F("i") > 3) | F("b")) & F("s").is_valid(),
}
ARROWS = {
    "arithmetic": F("i") + 1 > 3,
    "blanks at the end count": F("padded") == "x1 ",
    "NaN": F("f") == float("nan"),
    "a text with a NUL": F("s") == "a\0",
    "a text that is no UUID": F("u") == "CFCD2084-95D5-65EF-66E7-DFF9F98764DA",
    "documents": F("j") == '{"a": 1}',
    "nanoseconds": F("at") > pa.scalar(1, pa.timestamp("ns")),
}


def opened(database: Database, predicate: pc.Expression) -> tuple[str, bool]:
    """The server's condition, and whether something is left to Arrow."""
    reader, _ = reader_of(database.uri(table="t")).pushdown(None, predicate)
    assert isinstance(reader, RelationReader)
    reader.open()
    selection = reader.now.selection
    reader.close()
    text = selection.condition.as_string() if selection.condition is not None else ""
    return text, selection.residual is not None


@pytest.mark.parametrize("predicate", SERVERS.values(), ids=SERVERS.keys())
def test_what_the_server_does(table: Database, predicate: pc.Expression) -> None:
    text, left = opened(table, predicate)
    assert text
    assert not left


@pytest.mark.parametrize("predicate", ARROWS.values(), ids=ARROWS.keys())
def test_what_is_left_to_arrow(
    table: Database, everything: pa.Table, predicate: pc.Expression
) -> None:
    assert opened(table, predicate) == ("", True)
    both, left = opened(table, predicate & (F("i") > 0))
    assert "i" in both
    assert left
    reader, _ = reader_of(table.uri(table="t")).pushdown(["id"], predicate)
    found = read_table(reader)["id"].to_pylist()
    assert sorted(found) == sorted(everything.filter(predicate)["id"].to_pylist())


def test_a_value_can_not_become_sql(table: Database) -> None:
    for text in ("'; DROP TABLE t; --", "\\' OR TRUE --", "%s %(x)s {}", "$$"):
        reader, _ = reader_of(table.uri(table="t")).pushdown(["id"], F("s") == text)
        assert read_table(reader).num_rows == 0
    assert table.execute("SELECT count(*) FROM t") == [(61,)]


def test_limits_end_the_servers_work_where_no_row_is_left_to_arrow(table: Database) -> None:
    reader, residual = reader_of(table.uri(table="t")).pushdown(["id"], F("i") > 3, 5)
    assert residual.limit == 5
    assert read_table(reader).num_rows == 5
    reader, _ = reader_of(table.uri(table="t")).pushdown(["id"], F("i") + 1 > 4, 5)
    assert read_table(reader).num_rows > 5


def test_texts_are_not_ordered_by_a_server_with_other_bytes(server: PostgresqlServer) -> None:
    with server.connect() as connection:
        connection.execute(
            "CREATE DATABASE latin ENCODING 'EUC_JP' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        )
    try:
        with server.connect("latin") as connection:
            connection.execute("CREATE TABLE t AS SELECT * FROM (VALUES ('a'), ('β'), ('漢')) x(s)")
        uri = f"postgresql://postgres@127.0.0.1:{server.port}/latin?table=t"
        for predicate, wanted in ((F("s") < "γ", ["a", "β"]), (F("s") == "漢", ["漢"])):
            reader, _ = reader_of(uri).pushdown(None, predicate)
            assert isinstance(reader, RelationReader)
            reader.open()
            assert (reader.now.selection.residual is None) == (wanted == ["漢"])
            assert read_table(reader)["s"].to_pylist() == wanted
    finally:
        with server.connect() as connection:
            connection.execute("DROP DATABASE latin WITH (FORCE)")
