"""What users read when a query can't be planned or computed."""

from __future__ import annotations

import datetime
import textwrap

import pyarrow as pa
import pytest
from sqlglot import exp, parse_one

from ferris_beam.errors import BadRecordError, FatalError, SqlError
from ferris_beam.sql.kernel import render, types_of
from ferris_beam.sql.kernel.faults import run_error
from ferris_beam.sql.syntax import parse
from ferris_beam.sql.text import SqlText
from tests.sql.kernel.evaluating import planned, value

SCHEMA = pa.schema(
    [
        ("amount", pa.int64()),
        ("price", pa.decimal128(10, 2)),
        ("name", pa.string()),
        ("day", pa.date32()),
        ("tags", pa.list_(pa.string())),
        ("place", pa.struct([("city", pa.string())])),
    ]
)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "SELECT amount + name FROM input_0",
            """\
            BIGINT and VARCHAR can't be combined by + (line 1, column 8)
            SELECT amount + name FROM input_0
                   ^^^^^^^^^^^^^
            convert one of the two: CAST(… AS BIGINT)""",
        ),
        (
            "SELECT amount\nFROM input_0\nWHERE upper(name) = 'A' AND amount = name",
            """\
            VARCHAR and BIGINT can't be compared (line 3, column 29)
            WHERE upper(name) = 'A' AND amount = name
                                        ^^^^^^^^^^^^^
            convert one of the two: CAST(… AS BIGINT)""",
        ),
        (
            "SELECT amount FROM input_0 WHERE day > 'soon'",
            """\
            'soon' is not a DATE (line 1, column 34)
            SELECT amount FROM input_0 WHERE day > 'soon'
                                             ^^^^^^^^^^^^""",
        ),
        (
            "SELECT CAST('x' AS INTEGER) + amount FROM input_0",
            """\
            'x' is not an INTEGER (line 1, column 13)
            SELECT CAST('x' AS INTEGER) + amount FROM input_0
                        ^^^""",
        ),
        (
            "SELECT amount FROM input_0 WHERE amount BETWEEN SYMMETRIC 3 AND 1",
            """\
            BETWEEN SYMMETRIC is not supported (line 1, column 34)
            SELECT amount FROM input_0 WHERE amount BETWEEN SYMMETRIC 3 AND 1
                                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
            order the two bounds""",
        ),
        (
            "SELECT price // 2 FROM input_0",
            """\
            // divides integers, and here are DECIMAL(10, 2) and BIGINT (line 1, column 8)
            SELECT price // 2 FROM input_0
                   ^^^^^^^^^^
            use / or trunc(a / b)""",
        ),
        (
            "SELECT NOT amount FROM input_0",
            """\
            NOT needs a condition, and this is a value of type BIGINT (line 1, column 12)
            SELECT NOT amount FROM input_0
                       ^^^^^^
            compare it with something""",
        ),
        (
            "SELECT name FROM input_0 WHERE amount",
            """\
            WHERE needs a condition, and this is a value of type BIGINT (line 1, column 32)
            SELECT name FROM input_0 WHERE amount
                                           ^^^^^^
            compare it with something""",
        ),
        (
            "SELECT upper(amount, 2) FROM input_0",
            """\
            upper takes 1 argument, not 2 (line 1, column 8)
            SELECT upper(amount, 2) FROM input_0
                   ^^^^^^^^^^^^^^^
            it is called like this: upper(text)""",
        ),
        (
            "SELECT upper(amount) FROM input_0",
            """\
            upper does not take (BIGINT) (line 1, column 8)
            SELECT upper(amount) FROM input_0
                   ^^^^^^^^^^^^
            it is called like this: upper(text)""",
        ),
        (
            "SELECT day AT TIME ZONE name FROM input_0",
            """\
            AT TIME ZONE needs the name of a zone in quotes (line 1, column 8)
            SELECT day AT TIME ZONE name FROM input_0
                   ^^^^^^^^^^^^^^^^^^^^^
            'Europe/Paris'""",
        ),
    ],
)
def test_errors_point_at_the_smallest_part(query: str, message: str) -> None:
    with pytest.raises(SqlError) as caught:
        planned(query, SCHEMA)
    assert caught.value.message.startswith(textwrap.dedent(message)), caught.value.message
    for rust in ("DataFusion", "Utf8", "Int64", "Execution error", "planning"):
        assert rust not in caught.value.message


def test_types_of_expressions() -> None:
    text = SqlText("SELECT amount * 2, price / 3, name || 'x', day + 1, tags[1], place.city, 1")
    selects = parse(text)[0].query.selects
    assert types_of(selects, SCHEMA, text) == [
        pa.int64(),
        pa.decimal128(38, 16),
        pa.string(),
        pa.date32(),
        pa.string(),
        pa.string(),
        pa.int64(),
    ]
    with pytest.raises(SqlError, match="can't be combined"):
        types_of(parse(SqlText("SELECT amount + name"))[0].query.selects, SCHEMA)


def test_planning_leaves_the_expression_as_it_was() -> None:
    query = parse(SqlText("SELECT amount + 1 AS b FROM input_0 WHERE tags[1] = 'x'"))[0].query
    before = query.copy()
    planned("SELECT amount + 1 AS b FROM input_0 WHERE tags[1] = 'x'", SCHEMA)
    types_of(query.selects, SCHEMA)
    render(query)
    assert query == before


@pytest.mark.parametrize(
    ("said", "kind", "message"),
    [
        ("DataFusion error: Arrow error: Divide by zero error", BadRecordError, "division by zero"),
        (
            "DataFusion error: Arrow error: Cast error: Cannot cast string 'x' to value of Int64 "
            "type",
            BadRecordError,
            "'x' is not a BIGINT",
        ),
        (
            "DataFusion error: Execution error: PyErr { type: <class 'ValueError'>, "
            'value: ValueError("it\'s bad"), traceback: Some("…") }',
            BadRecordError,
            "it's bad",
        ),
        (
            "DataFusion error: Execution error: PyErr { type: <class 'KeyError'>, "
            "value: KeyError('x'), traceback: None }",
            FatalError,
            "the query can't be computed: x",
        ),
        (
            "DataFusion error: Internal error: assertion failed",
            FatalError,
            "the query can't be computed: Internal error: assertion failed",
        ),
        (
            "DataFusion error: Arrow error: Cast error: Cannot cast string 'Resources exhausted "
            "Internal error PyErr' to value of Int64 type",
            BadRecordError,
            "'Resources exhausted Internal error PyErr' is not a BIGINT",
        ),
        (
            "DataFusion error: Execution error: PyErr { type: <class 'ValueError'>, "
            "value: ValueError('a\\nb'), traceback: None }",
            BadRecordError,
            "a\nb",
        ),
        (
            "DataFusion error: Resources exhausted: Failed to allocate 1 byte",
            FatalError,
            "the memory limit of Sort is reached",
        ),
    ],
)
def test_the_kinds_of_errors(said: str, kind: type[Exception], message: str) -> None:
    error = run_error(Exception(said), "Sort", "sql_memory")
    assert type(error) is kind
    assert error.message.startswith(message)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("a / 0", "division by zero"),
        ("a + 9223372036854775807", "overflow"),
        ("CAST('x' || a AS BIGINT)", "a value is not of the type"),
        ("CAST(a * 1000 AS TINYINT)", "does not fit"),
    ],
)
def test_rows_are_grouped_by_a_reason_without_values(expression: str, reason: str) -> None:
    with pytest.raises(BadRecordError) as caught:
        value(expression, a=1)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("written", "rendered"),
    [
        ("a::INTEGER", "arrow_cast(\"a\", 'Int32')"),
        ("TRY_CAST(a AS DATE)", "arrow_try_cast(\"a\", 'Date32')"),
        ("'it''s'", "'it''s'"),
        ("1e3", "arrow_cast('1e3', 'Float64')"),
        ('"o.amount"', '"o.amount"'),
        ("a ILIKE 'x%'", "\"a\" ILIKE 'x%'"),
        ("a ~ 'x'", "\"a\" ~ 'x'"),
        ("a ~* 'x'", "\"a\" ~* 'x'"),
        ("a SIMILAR TO 'a%_'", "\"a\" ~ '^(?s:a.*.)$'"),
        ("a[1]", 'array_element("a", 1)'),
        ("a[-1]", 'array_element("a", -1)'),
        ("a[2:3]", 'array_slice("a", 2, 3)'),
        ("a[:3]", 'array_slice("a", 1, 3)'),
        ("a['k']", "get_field(\"a\", 'k')"),
        ("{'x': 1}", "named_struct('x', 1)"),
        ("[1, 2]", "make_array(1, 2)"),
        ("MAP {'k': 1}", "map(make_array('k'), make_array(1))"),
        ("INTERVAL '2' DAY", "INTERVAL '2 day'"),
        ("INTERVAL 5 MINUTE", "INTERVAL '5 minute'"),
        ("a IS DISTINCT FROM b", '"a" IS DISTINCT FROM "b"'),
        ("a IS NOT DISTINCT FROM b", '"a" IS NOT DISTINCT FROM "b"'),
        ("a << 2", '"a" << 2'),
        ("count(DISTINCT a)", 'count(DISTINCT "a")'),
        ("sum(a) OVER (PARTITION BY b ORDER BY c)",
         'sum("a") OVER (PARTITION BY "b" ORDER BY "c" ASC NULLS LAST)'),
        ("sum(a) OVER (ORDER BY c DESC)", 'sum("a") OVER (ORDER BY "c" DESC NULLS FIRST)'),
    ],
)  # fmt: skip
def test_rendering(written: str, rendered: str) -> None:
    (expression,) = parse(SqlText(f"SELECT {written}"))[0].query.selects
    assert render(expression.unalias()) == rendered


def test_what_is_not_known_is_refused_by_name() -> None:
    for unknown in (exp.Anonymous(this="no_such"), parse_one("SOUNDEX_P123(a)")):
        with pytest.raises(SqlError, match="there is no function"):
            render(unknown)
    with pytest.raises(SqlError, match="1e400 does not fit DOUBLE"):
        render(parse_one("1e400"))
    with pytest.raises(SqlError, match="there is no type"):
        render(parse_one("CAST(a AS GEOGRAPHY)"))


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("10%", "'10!%' ESCAPE '!'", True),
        ("10x", "'10!%' ESCAPE '!'", False),
        ("a_b", "'a!_b' ESCAPE '!'", True),
        ("axb", "'a!_b' ESCAPE '!'", False),
        ("a!", "'a!!' ESCAPE '!'", True),
        ("a\\b", "'a\\b' ESCAPE '!'", True),
        ("a\\b", "'a\\b' ESCAPE ''", True),
        ("10%", "'10\\%'", True),
        ("10x", "'10\\%'", False),
    ],
)
def test_escapes_in_patterns(text: str, pattern: str, expected: bool) -> None:
    assert value(f"a LIKE {pattern}", a=text) is expected
    assert value(f"a NOT LIKE {pattern}", a=text) is not expected


def test_a_time_between_two_dates_needs_no_cast() -> None:
    moment = datetime.datetime(2026, 1, 1, 12)
    assert value("a > '2026-01-01'", a=moment) is True
    assert value("a BETWEEN '2026-01-01' AND '2026-01-02'", a=moment) is True
    assert value("a IN ('2026-01-01 12:00:00')", a=moment) is True
    assert value("CAST(a AS DATE) = '2026-01-01'", a=moment) is True
