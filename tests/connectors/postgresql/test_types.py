"""The server's types as Arrow's, and back."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from psycopg import sql

from ferris_beam.connectors.postgresql.types import (
    Choices,
    Described,
    columns_of,
    ddl_type,
    resolve,
    schema_of,
)
from ferris_beam.errors import ConfigurationError, SchemaError
from tests.connectors.postgresql.reading import connected, read
from tests.services.database import Database
from tests.services.postgresql import PostgresqlServer

_UTC = pa.timestamp("us", "UTC")
_INTERVAL = pa.month_day_nano_interval()

_MAPPED = {
    "boolean": pa.bool_(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "oid": pa.int64(),
    "real": pa.float32(),
    "double precision": pa.float64(),
    "numeric(12,2)": pa.decimal128(12, 2),
    "numeric(5)": pa.decimal128(5, 0),
    "numeric(38,37)": pa.decimal128(38, 37),
    "numeric(39,1)": pa.decimal256(39, 1),
    "numeric(76,0)": pa.decimal256(76, 0),
    "numeric(3,-2)": pa.decimal128(5, 0),
    "numeric(2,4)": pa.decimal128(4, 4),
    "numeric(77,0)": pa.decimal128(38, 9),
    "numeric": pa.decimal128(38, 9),
    "text": pa.string(),
    "varchar(10)": pa.string(),
    "char(10)": pa.string(),
    "name": pa.string(),
    '"char"': pa.string(),
    "bytea": pa.binary(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "time(3)": pa.time64("us"),
    "timetz": pa.string(),
    "timestamp": pa.timestamp("us"),
    "timestamp(0)": pa.timestamp("us"),
    "timestamptz": _UTC,
    "interval": _INTERVAL,
    "interval day to second": _INTERVAL,
    "uuid": pa.string(),
    "json": pa.string(),
    "jsonb": pa.string(),
    "jsonpath": pa.string(),
    "inet": pa.string(),
    "cidr": pa.string(),
    "macaddr": pa.string(),
    "macaddr8": pa.string(),
    "bit(3)": pa.string(),
    "bit varying": pa.string(),
    "int4range": pa.string(),
    "tstzrange": pa.string(),
    "nummultirange": pa.string(),
    "regclass": pa.string(),
    "integer[]": pa.list_(pa.int32()),
    "integer[][]": pa.list_(pa.int32()),
    "numeric(7,3)[]": pa.list_(pa.decimal128(7, 3)),
    "text[]": pa.list_(pa.string()),
    "timestamptz[]": pa.list_(_UTC),
    "int4range[]": pa.list_(pa.string()),
    "inet[]": pa.list_(pa.string()),
}


@pytest.fixture(scope="module")
def connection(server: PostgresqlServer) -> Iterator[psycopg.Connection[Any]]:
    with connected(server) as opened:
        yield opened


@pytest.mark.parametrize("kind", list(_MAPPED))
def test_a_type_of_the_server_has_its_type_in_arrow(
    connection: psycopg.Connection[Any], kind: str
) -> None:
    query = f"SELECT NULL::{kind} AS v"
    [column] = columns_of(connection, query, Choices())
    assert column.type == _MAPPED[kind]
    assert read(connection, query)[0]["v"].to_pylist() == [None]


@pytest.mark.parametrize(("option", "kind"), [("float", pa.float64()), ("text", pa.string())])
def test_an_option_says_what_a_numeric_without_precision_becomes(
    connection: psycopg.Connection[Any], option: Any, kind: pa.DataType
) -> None:
    query = "SELECT 1.5::numeric AS a, 1.5::numeric(3,1) AS b, '{1.5}'::numeric[] AS c"
    found, bad = read(connection, query, numeric=option)
    assert found.schema.types == [kind, pa.decimal128(3, 1), pa.list_(kind)]
    assert not bad
    assert float(found["a"][0].as_py()) == 1.5


def test_domains_are_what_stands_behind_them(database: Database) -> None:
    database.execute("CREATE DOMAIN cents AS numeric(10,2) CHECK (VALUE >= 0)")
    database.execute("CREATE DOMAIN price AS cents NOT NULL")
    database.execute("CREATE DOMAIN names AS text[]")
    with database.connect() as connection:
        query = "SELECT 1.5::price AS a, '{1,2}'::price[] AS b, '{x,NULL}'::names AS c"
        found, bad = read(connection, query)
    assert not bad
    assert found.schema.types == [
        pa.decimal128(10, 2),
        pa.list_(pa.decimal128(10, 2)),
        pa.list_(pa.string()),
    ]
    [row] = found.to_pylist()
    assert (float(row["a"]), [float(item) for item in row["b"]], row["c"]) == (
        1.5,
        [1.0, 2.0],
        ["x", None],
    )


def test_enums_are_texts_and_composites_structs(database: Database) -> None:
    database.execute("CREATE TYPE mood AS ENUM ('sad', 'very \"happy\"')")
    database.execute("CREATE TYPE point3 AS (x int, label text, moods mood[])")
    database.execute('CREATE TYPE weighted AS ("from" point3, weight numeric(4,1))')
    with database.connect() as connection:
        query = """SELECT 'sad'::mood AS a,
            ROW(ROW(1, NULL, '{sad,"very \\"happy\\""}'), 2.5)::weighted AS b,
            ARRAY[ROW(NULL, 'x', '{}')::point3, NULL] AS c, NULL::weighted AS d"""
        found, bad = read(connection, query)
    assert not bad
    point = pa.struct([("x", pa.int32()), ("label", pa.string()), ("moods", pa.list_(pa.string()))])
    line = pa.struct([("from", point), ("weight", pa.decimal128(4, 1))])
    assert found.schema.types == [pa.string(), line, pa.list_(point), line]
    [row] = found.to_pylist()
    assert row["b"]["from"] == {"x": 1, "label": None, "moods": ["sad", 'very "happy"']}
    assert row["c"] == [{"x": None, "label": "x", "moods": []}, None]
    assert row["d"] is None


@pytest.mark.parametrize("kind", ["money", "point", "tsvector", "int4range", "point[]"])
def test_what_arrow_does_not_have_is_named_with_the_option(
    connection: psycopg.Connection[Any], kind: str
) -> None:
    named = "shape" if kind == "int4range" else kind
    query = f"SELECT NULL::{kind} AS v"
    if kind == "int4range":
        connection.execute("DROP TYPE IF EXISTS shape; CREATE TYPE shape AS (r int4range)")
        query = "SELECT ROW('[1,2)')::shape AS v"
    with pytest.raises(ConfigurationError, match=rf"'v'.*{named.strip('[]')}.*unmapped=text"):
        columns_of(connection, query, Choices())
    [column] = columns_of(connection, query, Choices(unmapped="text"))
    assert (column.type, column.cast, column.binary) == (pa.string(), "text", False)


def test_texts_of_unmapped_types_are_the_servers(connection: psycopg.Connection[Any]) -> None:
    query = (
        "SELECT point '(1,2)' AS a, int4range(1, 5) AS b, inet '10.0.0.1/8' AS c, "
        "ARRAY[int4range(1, 2), NULL] AS d, timetz '10:00+02' AS e, bit '101' AS f"
    )
    found, _ = read(connection, query, unmapped="text")
    assert list(found.to_pylist()[0].values()) == [
        *["(1,2)", "[1,5)", "10.0.0.1/8", ["[1,2)", None], "10:00:00+02", "101"]
    ]


def test_types_of_extensions_are_known_by_their_name(database: Database) -> None:
    available = database.execute("SELECT name FROM pg_available_extensions")
    if ("citext",) not in available or ("hstore",) not in available:
        pytest.skip("the server has no contrib extensions")
    database.execute("CREATE EXTENSION citext; CREATE EXTENSION hstore")
    with database.connect() as connection:
        found, _ = read(connection, "SELECT 'Ab'::citext AS v, '{x}'::citext[] AS w")
        assert found.to_pylist() == [{"v": "Ab", "w": ["x"]}]
        with pytest.raises(ConfigurationError, match="hstore"):
            columns_of(connection, "SELECT 'a=>1'::hstore AS v", Choices())


def test_nullability_is_that_of_the_table_and_unknown_in_queries(database: Database) -> None:
    database.execute("CREATE TABLE a (x int PRIMARY KEY, y int, z text NOT NULL)")
    database.execute("CREATE VIEW b AS SELECT * FROM a")
    with database.connect() as connection:
        table = columns_of(connection, sql.Identifier("public", "a"), Choices())
        view = columns_of(connection, sql.Identifier("b"), Choices())
        query = columns_of(connection, "SELECT * FROM a -- all;", Choices())
    assert [column.nullable for column in table] == [False, True, False]
    assert all(column.nullable for column in (*view, *query))


def test_a_query_must_name_its_columns_apart(connection: psycopg.Connection[Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"two columns.*'a'.*AS"):
        columns_of(connection, "SELECT 1 AS a, 2 AS a", Choices())


def test_names_that_need_quotes(database: Database) -> None:
    database.execute('CREATE TABLE "Odd ""Table" ("a;b" int, "%s" text, "ü" int4range)')
    database.execute("""INSERT INTO "Odd ""Table" VALUES (1, 'x', '[1,2]')""")
    with database.connect() as connection:
        found, _ = read(connection, sql.Identifier('Odd "Table'))
    assert found.to_pylist() == [{"a;b": 1, "%s": "x", "ü": "[1,3)"}]


def test_the_catalog_is_asked_once_for_all_types_that_are_not_built_in(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.execute("CREATE TYPE a AS ENUM ('x'); CREATE DOMAIN b AS a; CREATE DOMAIN c AS int")
    asked = []
    with database.connect() as connection:
        oids = [row[0] for row in connection.execute("SELECT unnest('{a,b,c}'::regtype[])::oid")]
        execute = psycopg.Cursor.execute
        monkeypatch.setattr(
            psycopg.Cursor, "execute", lambda *a, **k: (asked.append(a), execute(*a, **k))[1]
        )
        described = [Described(f"v{oid}", oid) for oid in [*oids, 23, 1007]]
        found = resolve(connection, described, Choices())
    assert [column.type for column in found] == [
        *[pa.string(), pa.string(), pa.int32(), pa.int32(), pa.list_(pa.int32())]
    ]
    assert len(asked) == 1


def test_columns_go_to_workers(connection: psycopg.Connection[Any]) -> None:
    columns = columns_of(connection, "SELECT 1 AS a, '{1.5}'::numeric[] AS b", Choices())
    assert pickle.loads(pickle.dumps(columns)) == columns
    assert schema_of(columns).names == ["a", "b"]


_DDL = {
    pa.null(): "text",
    pa.int8(): "smallint",
    pa.uint8(): "smallint",
    pa.uint16(): "integer",
    pa.uint32(): "bigint",
    pa.uint64(): "numeric(20,0)",
    pa.float16(): "real",
    pa.large_string(): "text",
    pa.string_view(): "text",
    pa.binary(3): "bytea",
    pa.decimal128(12, 2): "numeric(12,2)",
    pa.decimal128(3, -2): "numeric(5,0)",
    pa.decimal256(76, 76): "numeric(76,76)",
    pa.date64(): "date",
    pa.time32("s"): "time",
    pa.timestamp("ns"): "timestamp",
    pa.timestamp("s", "Europe/Berlin"): "timestamptz",
    pa.duration("ms"): "interval",
    pa.dictionary(pa.int8(), pa.string()): "text",
    pa.uuid(): "uuid",
    pa.list_(pa.int64()): "bigint[]",
    pa.large_list(pa.decimal128(5, 1)): "numeric(5,1)[]",
    pa.list_(pa.int8(), 3): "smallint[]",
    pa.list_(pa.list_(pa.int8())): "jsonb",
    pa.struct([("a", pa.int8())]): "jsonb",
    pa.list_(pa.struct([("a", pa.int8())])): "jsonb",
    pa.map_(pa.string(), pa.int8()): "jsonb",
    pa.run_end_encoded(pa.int32(), pa.bool_()): "boolean",
}


@pytest.mark.parametrize("kind", list(_DDL), ids=str)
def test_a_type_of_arrow_has_its_type_on_the_server(
    connection: psycopg.Connection[Any], kind: pa.DataType
) -> None:
    assert ddl_type(kind, "v") == _DDL[kind]
    connection.execute(f"SELECT NULL::{_DDL[kind]}")


@pytest.mark.parametrize("kind", [pa.dense_union([]), pa.list_(pa.sparse_union([]))], ids=str)
def test_what_the_server_can_not_hold_is_named(kind: pa.DataType) -> None:
    with pytest.raises(SchemaError, match=r"'odd'.*union"):
        ddl_type(kind, "odd")


@pytest.mark.parametrize("kind", [kind for kind in _MAPPED if _MAPPED[kind] != pa.string()])
def test_types_that_were_read_are_created_so_that_they_are_read_the_same(
    connection: psycopg.Connection[Any], kind: str
) -> None:
    back = ddl_type(_MAPPED[kind], "v")
    [column] = columns_of(connection, f"SELECT NULL::{back} AS v", Choices())
    assert column.type == _MAPPED[kind]
