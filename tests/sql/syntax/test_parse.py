from __future__ import annotations

from datetime import timedelta

import pytest
from sqlglot import exp

from ferris_beam.errors import SqlError
from ferris_beam.sql.statements import (
    CreateStream,
    DeclareStream,
    Describe,
    Explain,
    Select,
    ShowStreams,
    Statement,
)
from ferris_beam.sql.syntax import Ferris, endpoint_of, parse, uri_of
from ferris_beam.sql.text import SqlText, span_of
from tests.sql.first_examples import FIRST_EXAMPLES

ALL_THREE = "\n".join(text for _, text in FIRST_EXAMPLES.values())


def one(text: str) -> Statement:
    (statement,) = parse(SqlText(text))
    return statement


def select(text: str) -> exp.Select:
    statement = one(text)
    assert isinstance(statement, Select)
    assert isinstance(statement.query, exp.Select)
    return statement.query


def created(text: str) -> CreateStream:
    statement = one(text)
    assert isinstance(statement, CreateStream)
    return statement


def test_the_three_streams_of_the_guide() -> None:
    first, second, third = parse(SqlText(ALL_THREE))
    assert isinstance(first, CreateStream)
    assert first.name == "realtime_analytics"
    assert first.sink is not None
    assert first.sink.uri == "clickhouse://localhost:8123/analytics"
    assert isinstance(second, CreateStream)
    assert second.sink is None
    relations = [uri_of(table) for table in second.query.find_all(exp.Table)]
    assert set(relations) == {
        "kafka://localhost:9092/orders",
        "postgresql://localhost/customers",
        "s3://bucket/products/*.parquet",
    }
    assert isinstance(third, CreateStream)
    assert third.sink is not None
    assert third.sink.uri == "s3://data-lake/events/year=${year}/month=${month}/"
    assert third.sink.options == {
        "format": "parquet",
        "partition_by": ["year", "month"],
        "compression": "snappy",
    }


@pytest.mark.parametrize(
    "tail",
    [
        "FROM t WHERE a > 1 ORDER BY a LIMIT 3 EMIT FINAL INTO 'memory://o' WITH (x = 1)",
        "FROM t WHERE a > 1 ORDER BY a LIMIT 3 INTO 'memory://o' WITH (x = 1) EMIT FINAL",
        "FROM t INTO 'memory://o' WITH (x = 1) WHERE a > 1 EMIT FINAL ORDER BY a LIMIT 3",
        "INTO 'memory://o' WITH (x = 1) EMIT FINAL FROM t WHERE a > 1 ORDER BY a LIMIT 3",
        "FROM t WHERE a > 1 EMIT FINAL INTO 'memory://o' ORDER BY a WITH (x = 1) LIMIT 3",
    ],
)
def test_into_emit_and_with_stand_anywhere_in_the_query(tail: str) -> None:
    stream = created(f"CREATE STREAM s AS SELECT a {tail}")
    assert stream.emit == "final"
    assert stream.sink is not None
    assert stream.sink.uri == "memory://o"
    assert stream.sink.options == {"x": 1}
    assert stream.query.sql(dialect=Ferris) == "SELECT a FROM t WHERE a > 1 ORDER BY a LIMIT 3"


def test_options_of_the_pipeline_are_told_from_those_of_the_sink() -> None:
    stream = created(
        "CREATE STREAM s AS SELECT 1 INTO 'memory://o' WITH (name = 'n', format = 'csv')"
    )
    assert dict(stream.options) == {"name": "n"}
    assert stream.sink is not None
    assert dict(stream.sink.options) == {"format": "csv"}


def test_values_of_options() -> None:
    stream = created(
        "INSERT INTO 'memory://o' SELECT 1 WITH (a = 'it''s', b = -1, c = 1.5, d = TRUE, e = false,"
        " f = INTERVAL '5' SECOND, g = 2h, h = ['a', 1], i = [], \"j k\" = 1e3)"
    )
    assert stream.sink is not None
    assert stream.sink.options == {
        "a": "it's",
        "b": -1,
        "c": 1.5,
        "d": True,
        "e": False,
        "f": timedelta(seconds=5),
        "g": timedelta(hours=2),
        "h": ["a", 1],
        "i": [],
        "j k": 1000.0,
    }


def test_every_option_knows_where_its_name_stands() -> None:
    text = "INSERT INTO 'memory://o' SELECT 1 WITH (alpha = 1, beta = 2)"
    sink = created(text).sink
    assert sink is not None
    assert {name: text[slice(*span)] for name, span in sink.option_spans.items()} == {
        "alpha": "alpha",
        "beta": "beta",
    }
    assert text[slice(*sink.span)] == "'memory://o'"


def test_insert_and_a_query_with_into_are_the_same() -> None:
    inserted = created("INSERT INTO 'memory://o' SELECT a FROM t")
    selected = created("SELECT a FROM t INTO 'memory://o'")
    assert inserted.name == selected.name == ""
    assert inserted.query == selected.query
    assert inserted.sink is not None
    assert selected.sink is not None
    assert inserted.sink.uri == selected.sink.uri


@pytest.mark.parametrize(
    "text",
    [
        "WITH a AS (SELECT 1 AS x) SELECT x FROM a",
        "(SELECT 1 AS x) UNION ALL (SELECT 2)",
        "VALUES (1, 'a'), (2, 'b')",
        "SELECT 1 UNION SELECT 2 ORDER BY 1",
        "((SELECT 1))",
        "FROM t SELECT x",
        "FROM t",
    ],
)
def test_queries_of_all_kinds_stand_on_their_own(text: str) -> None:
    statement = one(text)
    assert isinstance(statement, Select)
    assert not isinstance(statement.query, exp.Subquery)


def test_the_tail_of_a_union_belongs_to_all_of_it() -> None:
    stream = created("SELECT a FROM t UNION ALL SELECT b FROM u LIMIT 3 INTO 'memory://o'")
    assert isinstance(stream.query, exp.Union)
    assert stream.query.args["limit"].expression.name == "3"


def test_modifiers_behind_parentheses_make_an_outer_query() -> None:
    query = select("(SELECT a FROM t LIMIT 5) ORDER BY a LIMIT 2")
    assert query.args["limit"].expression.name == "2"
    inner = query.args["from_"].this.this
    assert inner.args["limit"].expression.name == "5"


def test_a_declared_stream() -> None:
    statement = one(
        "CREATE STREAM o (id BIGINT NOT NULL, amount DECIMAL(10, 2), tags LIST<STRUCT<a INT, b"
        " VARCHAR>>, at TIMESTAMP(3), WATERMARK FOR at AS at - INTERVAL '5' SECOND)"
        " FROM 'file:///o.csv' WITH (delimiter = ';')"
    )
    assert isinstance(statement, DeclareStream)
    assert [(c.name, c.type, c.nullable) for c in statement.columns] == [
        ("id", "BIGINT", False),
        ("amount", "DECIMAL(10, 2)", True),
        ("tags", "LIST<STRUCT<a INT, b VARCHAR>>", True),
        ("at", "TIMESTAMP(3)", True),
    ]
    assert statement.source.uri == "file:///o.csv"
    assert statement.source.options == {"delimiter": ";"}
    assert statement.watermark is not None
    assert statement.watermark.column == "at"
    assert isinstance(statement.watermark.delay, exp.Interval)


def test_tables_are_told_from_streams() -> None:
    assert created("CREATE TABLE t AS SELECT 1").is_table
    assert not created("CREATE STREAM t AS SELECT 1").is_table


def test_short_statements() -> None:
    assert one("DESCRIBE orders") == Describe("orders", False, (9, 15))
    assert one("desc 'file:///a.csv'") == Describe("file:///a.csv", True, (5, 20))
    assert one("SHOW STREAMS") == ShowStreams(False, (0, 12))
    assert one("SHOW TABLES;") == ShowStreams(True, (0, 11))
    explained = one("EXPLAIN ANALYZE INSERT INTO 'memory://o' SELECT 1")
    assert isinstance(explained, Explain)
    assert explained.analyze
    assert isinstance(explained.statement, CreateStream)
    described = one("DESCRIBE 'file:///a.csv' WITH (header = FALSE)")
    assert isinstance(described, Describe)
    assert described.options == {"header": False}


def test_statements_and_comments() -> None:
    text = "-- first;\nSELECT 1; /* a ; /* nested */ b */ SELECT ';' -- last"
    assert len(parse(SqlText(text))) == 2


@pytest.mark.parametrize(
    ("relation", "alias"),
    [("'file:///x' o", "o"), ("'file:///x' AS o", "o"), ("'file:///x'", "")],
)
def test_a_quoted_uri_is_a_relation(relation: str, alias: str) -> None:
    table = select(f"SELECT * FROM {relation}").find(exp.Table)
    assert table is not None
    assert uri_of(table) == "file:///x"
    assert table.alias == alias


def test_a_source_has_options_of_its_own() -> None:
    text = (
        "SELECT * FROM 'file:///x' o WITH (delimiter = ';') JOIN 'file:///y' WITH (header = FALSE)"
        " AS y ON o.a = y.a"
    )
    with pytest.raises(SqlError):
        parse(SqlText(text))  # the alias comes first
    query = select(text.replace("WITH (header = FALSE) AS y", "AS y WITH (header = FALSE)"))
    first, second = (endpoint_of(table) for table in query.find_all(exp.Table))
    assert first is not None
    assert second is not None
    assert (first.options, second.options) == ({"delimiter": ";"}, {"header": False})
    copied = query.copy().find(exp.Table)
    assert copied is not None
    assert endpoint_of(copied) == first


def test_names_that_are_keywords_elsewhere() -> None:
    names = "session, format, list, object, show, percent, comment, schema, partition, emit, stream"
    assert [column.name for column in select(f"SELECT {names} FROM t").expressions] == (
        names.split(", ")
    )


def test_nulls_sort_as_in_postgresql() -> None:
    order = select("SELECT a FROM t ORDER BY a, a DESC, a DESC NULLS LAST, a NULLS FIRST")
    assert [item.args["nulls_first"] for item in order.args["order"].expressions] == [
        False,
        True,
        False,
        True,
    ]


NODES = """
SELECT o.a + 1, CAST(b AS INT), b::DATE, lower(c), COUNT(*), now(), CURRENT_DATE, NULL, TRUE,
       CASE WHEN a IS NULL THEN 'x' ELSE b END, INTERVAL '5' MINUTE, -a, NOT d, x[1], j -> 'k',
       [1, 2], {'a': 1}, a BETWEEN 1 AND 2, a IN (1, 2), EXISTS (SELECT 1), (SELECT MAX(a) FROM u),
       ROW_NUMBER() OVER (PARTITION BY a ORDER BY b), * EXCEPT (a)
FROM 'file:///x' o JOIN u USING (a) CROSS JOIN UNNEST(o.l) AS v(w)
WHERE a LIKE 'x%' GROUP BY a, TUMBLE(t, 5m) HAVING COUNT(*) > 1 QUALIFY b = 1 ORDER BY 1 LIMIT 3
"""


def test_every_node_has_a_place() -> None:
    for node in select(NODES).walk():
        if isinstance(node, exp.Condition) and not isinstance(node, exp.Literal):
            assert span_of(node) is not None, repr(node)


def test_places_are_those_of_the_text() -> None:
    text = "SELECT a, lower(name), 5m, 'x' FROM \"my table\" WHERE price > 1.5"
    query = select(text)
    shown = {
        text[slice(*(span_of(node) or (0, 0)))]
        for node in query.walk()
        if isinstance(node, (exp.Identifier, exp.Literal, exp.Interval)) and node.meta
    }
    assert {"a", "name", "5m", "'x'", '"my table"', "price", "1.5"} <= shown


def test_options_at_the_end_of_an_insert_are_those_of_its_sink() -> None:
    """Also directly behind the URI of a source, whose own stand before the statement ends."""
    (insert,) = parse(SqlText("INSERT INTO 'file:o/' SELECT a FROM 'file:i' WITH (format = 'csv')"))
    assert isinstance(insert, CreateStream)
    assert insert.sink is not None
    assert insert.sink.options == {"format": "csv"}
    text = "INSERT INTO 'file:o/' SELECT a FROM 'file:i' WITH (delimiter = ';') WHERE a > 1"
    (insert,) = parse(SqlText(text + " WITH (format = 'csv')"))
    assert isinstance(insert, CreateStream)
    assert insert.sink is not None
    assert insert.sink.options == {"format": "csv"}
    (table,) = insert.query.find_all(exp.Table)
    assert endpoint_of(table).options == {"delimiter": ";"}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r"E'a\tb'", "a\tb"),
        (r"e'it\'s'", "it's"),
        (r"E'it''s'", "it's"),
        (r"E'\\n'", r"\n"),
        (r"E'\u00e9\U0001F600\x41\101'", "é😀AA"),
        (r"E'\q'", "q"),
        (r"'a\tb'", r"a\tb"),
    ],
)
def test_strings_with_escapes(written: str, value: str) -> None:
    (literal,) = select(f"SELECT {written}").expressions
    assert (literal.this, literal.is_string) == (value, True)
    assert span_of(literal) == (7, 7 + len(written))
