from __future__ import annotations

import pytest
from sqlglot import exp

from ferris_beam.errors import SqlError
from ferris_beam.sql.syntax import Ferris, parse, uri_of
from ferris_beam.sql.text import SqlText
from tests.sql.syntax.test_parse import select


def shown(node: exp.Expression) -> str:
    return node.sql(dialect=Ferris)


@pytest.mark.parametrize(
    ("written", "call"),
    [
        ("TUMBLE(ts, INTERVAL '1' HOUR)", "TUMBLE(ts, INTERVAL '1' HOUR)"),
        ("tumble(ts, 1h, 5m)", "TUMBLE(ts, INTERVAL '1' HOUR, INTERVAL '5' MINUTE)"),
        ("HOP(ts, 2m, 10m)", "HOP(ts, INTERVAL '2' MINUTE, INTERVAL '10' MINUTE)"),
        ("SLIDING(ts, 10m, 2m)", "HOP(ts, INTERVAL '2' MINUTE, INTERVAL '10' MINUTE)"),
        ("SLIDING(ts, 2m, 10m)", "HOP(ts, INTERVAL '2' MINUTE, INTERVAL '10' MINUTE)"),
        (
            "SLIDING(ts, 2d, 1d, 6h, 'Asia/Tokyo')",
            "HOP(ts, INTERVAL '1' DAY, INTERVAL '2' DAY, INTERVAL '6' HOUR, 'Asia/Tokyo')",
        ),
        ("SESSION(ts, 30s)", "SESSION(ts, INTERVAL '30' SECOND)"),
        ("TUMBLE(CAST(ts AS TIMESTAMP), 1d)", "TUMBLE(CAST(ts AS TIMESTAMP), INTERVAL '1' DAY)"),
    ],
)
def test_windows_in_group_by(written: str, call: str) -> None:
    (group,) = select(f"SELECT 1 FROM t GROUP BY {written}").args["group"].expressions
    assert isinstance(group, exp.Anonymous)
    assert shown(group) == call


@pytest.mark.parametrize(
    ("clause", "call"),
    [
        ("TUMBLING(5m)", "TUMBLE(NULL, INTERVAL '5' MINUTE)"),
        ("TUMBLING(ts, 5m)", "TUMBLE(ts, INTERVAL '5' MINUTE)"),
        ("TUMBLING(t.ts, INTERVAL '5' MINUTE)", "TUMBLE(t.ts, INTERVAL '5' MINUTE)"),
        ("SLIDING(10m,2m)", "HOP(NULL, INTERVAL '2' MINUTE, INTERVAL '10' MINUTE)"),
        ("HOPPING(2m, 10m)", "HOP(NULL, INTERVAL '2' MINUTE, INTERVAL '10' MINUTE)"),
        ("SESSION(30s)", "SESSION(NULL, INTERVAL '30' SECOND)"),
        ("session(ts, 500ms)", "SESSION(ts, INTERVAL '500' MILLISECOND)"),
    ],
)
@pytest.mark.parametrize("tail", ["", " GROUP BY k", " HAVING COUNT(*) > 1 INTO 'memory://o'"])
def test_the_window_clause(clause: str, call: str, tail: str) -> None:
    (statement,) = parse(SqlText(f"SELECT COUNT(*) FROM t WINDOW {clause}{tail}"))
    assert shown(statement.query.args["ferris_window"]) == call  # type: ignore[union-attr]


def test_named_windows_are_something_else() -> None:
    query = select("SELECT SUM(a) OVER w FROM t WINDOW w AS (PARTITION BY b)")
    assert len(query.args["windows"]) == 1
    assert not query.args.get("ferris_window")


@pytest.mark.parametrize(
    ("relation", "call"),
    [
        ("TABLE(TUMBLE(TABLE x, DESCRIPTOR(c), INTERVAL '5' MINUTE))", "TUMBLE_TABLE(x, c, "),
        ("TABLE(TUMBLE(TABLE 'file:///x', DESCRIPTOR(c), 5m))", "TUMBLE_TABLE('file:///x', c, "),
        ("TUMBLE((SELECT * FROM x) y, DESCRIPTOR(y.c), 5m)", "TUMBLE_TABLE((SELECT * FROM x) AS y"),
        ("TABLE(HOP(TABLE x, DESCRIPTOR(c), 1m, 5m))", "HOP_TABLE(x, c, INTERVAL '1' MINUTE, "),
        ("TABLE(SESSION(TABLE x, DESCRIPTOR(c), 5m)) AS s", "SESSION_TABLE(x, c, "),
    ],
)
def test_the_table_function(relation: str, call: str) -> None:
    query = select(f"SELECT a FROM {relation} WHERE a > 1")
    table = query.args["from_"].this
    assert isinstance(table, exp.Table)
    assert uri_of(table) is None
    assert shown(table.this).startswith(call)
    assert table.alias == ("s" if relation.endswith("s") else "")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1 FROM t GROUP BY TUMBLE()",
        "SELECT 1 FROM t GROUP BY TUMBLE(ts)",
        "SELECT 1 FROM t GROUP BY HOP(ts, 5m)",
        "SELECT 1 FROM t WINDOW SESSION(5m, 10m)",
        "SELECT 1 FROM t WINDOW TUMBLING()",
        "SELECT 1 FROM TABLE(TUMBLE(TABLE x, DESCRIPTOR(c)))",
    ],
)
def test_a_wrong_number_of_arguments_names_the_right_ones(text: str) -> None:
    with pytest.raises(SqlError, match=r"(TUMBLE|HOP|SESSION|TUMBLING) takes \w+\("):
        parse(SqlText(text))
