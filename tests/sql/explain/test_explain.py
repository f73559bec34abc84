"""What EXPLAIN says of plans that were made from text, and of single nodes."""

from __future__ import annotations

import pyarrow as pa
import pytest
from sqlglot import exp

from ferris_beam.sql.explain import Measure, Measures, explain_program, kinds, measures_of
from ferris_beam.sql.explain.lines import lines_of
from ferris_beam.sql.explain.words import duration, seconds, size, window
from ferris_beam.sql.nodes import (
    Duration,
    Given,
    Node,
    Ordering,
    Rows,
    Sort,
    Union,
    Unnest,
    Window,
    column,
    walk,
)
from ferris_beam.sql.plan import Catalog, Program, plan_program
from ferris_beam.sql.rules import optimize
from ferris_beam.sql.syntax import parse
from ferris_beam.sql.text import SqlText
from tests.sql.errors.planned import SCHEMAS

SCHEMA = pa.schema({"a": pa.int64()})
ROWS = Rows(SCHEMA, ((exp.Literal.number(1),),))


def planned(text: str) -> tuple[Program, dict[str, Node]]:
    sql = SqlText(text)
    program = plan_program(parse(sql), sql, Catalog(SCHEMAS))
    plans = {name: optimize(node) for name, node in program.streams.items()}
    return program, {**plans, **{each.name: optimize(each.node) for each in program.outputs}}


def explained(text: str) -> str:
    return explain_program(*planned(text))


def test_a_tree_with_the_sources_at_the_bottom() -> None:
    text = explained("""
        CREATE STREAM revenue AS
        SELECT window_start, country, COUNT(*) AS orders
        FROM orders o JOIN customers c ON o.customer = c.id
        WHERE o.status <> 'cancelled'
        GROUP BY TUMBLE(ordered_at, INTERVAL '1' HOUR), country
        EMIT FINAL INTO 'file:///out/?format=csv'
    """)
    lines = text.splitlines()
    assert lines[0] == "revenue → file:///out/, emitting final"
    order = ["Aggregate COUNT(*)", "by c.country", "window TUMBLE(o.ordered_at, 1 hour)", "state: "]
    order += ["Inner join on o.customer = c.id", "strategy: hash", "Filter o.status <> 'cancelled'"]
    order += ["PCollection orders AS o", "PCollection customers AS c"]
    places = [text.index(shown) for shown in order]
    assert places == sorted(places)
    assert "├─" in text
    assert "└─" in text


def test_streams_that_are_read_are_explained_once() -> None:
    text = explained("""
        CREATE STREAM paid AS SELECT * FROM orders WHERE status = 'paid';
        CREATE STREAM both AS SELECT a.id FROM paid a JOIN paid b ON a.id = b.id
    """)
    assert text.count("paid (a stream, computed once)") == 1
    assert text.count("Stream paid") == 2


def test_transforms_and_delivery_stand_behind_the_plans() -> None:
    program, plans = planned("CREATE STREAM s AS SELECT id FROM orders")
    text = explain_program(
        program, plans, transforms={"Read(x)": "Read", "s: Select": "Project"}, delivery="exactly"
    )
    assert text.endswith(
        "\n\nBeam transforms\n  Read(x)    Read\n  s: Select  Project\n\nDelivery\n  exactly"
    )


def test_what_was_counted_stands_at_the_top_of_each_transform() -> None:
    program, plans = planned("CREATE STREAM s AS SELECT status, COUNT(*) FROM orders GROUP BY 1")
    nodes = walk(plans["s"])
    top, aggregate = nodes[0], next(node for node in nodes if kinds([node]) == "Aggregate")
    counted = {
        "s: Select.rows_in": 3,
        "s: Select.rows_out": 2,
        "s: Select.bytes_out": 2_000,
        "s: Aggregate/Prepare.micros": 1_000_000,
        "s: Aggregate/Complete.micros": 500_000,
        "s: Aggregate/Complete.rows_out": 3,
        "s: Aggregate 2/Complete.rows_out": 99,
        "data.rows_read": 7,
    }
    measures = measures_of(counted, {"s: Select": [top], "s: Aggregate": [aggregate]})
    assert measures.of(top) == Measure(3, 2, 2_000, 0.0)
    assert measures.of(aggregate) == Measure(0, 3, 0, 1.5)
    text = explain_program(program, plans, measures=measures)
    assert "[2 rows, 2 kB, 0 ms; 3 rows in]" in text
    assert "1.5 s" in text


def test_nothing_counted_shows_estimates() -> None:
    program, plans = planned("CREATE STREAM s AS VALUES (1), (2)")
    assert "[≈ 2 rows]" in explain_program(program, plans, measures=Measures({}))


@pytest.mark.parametrize(
    ("node", "lines"),
    [
        (ROWS, ["Values: 1 row"]),
        (Given(SCHEMA, "s", "t", ("a",), stream=True), ["Stream s AS t"]),
        (Given(SCHEMA, "s", "s", ("a",)), ["PCollection s"]),
        (
            Unnest(SCHEMA, ROWS, column("l"), "u", outer=True, position="n"),
            ["Unnest l AS u", "rows without items are kept", "positions: n"],
        ),
        (Union(SCHEMA, (ROWS, ROWS)), ["Union all"]),
        (Sort(SCHEMA, ROWS, (), 1_000), ["Limit 1,000"]),
        (
            Sort(SCHEMA, ROWS, (Ordering(column("a"), True, True), Ordering(column("b c"))), 5, 2),
            ['Top 5 by a DESC, "b c"', "offset 2"],
        ),
        (
            Sort(SCHEMA, ROWS, (Ordering(column("a"), True), Ordering(column("b"), False, True))),
            ["Sort by a DESC NULLS LAST, b NULLS FIRST"],
        ),
    ],
)
def test_single_nodes(node: Node, lines: list[str]) -> None:
    assert lines_of(node) == lines


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Window("tumble", column("t"), "s", "e", Duration(0, 60_000_000)), "TUMBLE(t, 1 minute)"),
        (
            Window("tumble", column("t"), "s", "e", Duration(1), offset=Duration(0, 1_500_000)),
            "TUMBLE(t, 1 month, offset 1 second 500 milliseconds)",
        ),
        (
            Window("hop", column("t"), "s", "e", Duration(0, 10**10), Duration(0, 5), zone="CET"),
            "HOP(t, every 5 microseconds, 2 hours 46 minutes 40 seconds, CET)",
        ),
        (Window("session", column("t"), "s", "e", gap=Duration(2)), "SESSION(t, 2 months)"),
    ],
)
def test_windows(found: Window, words: str) -> None:
    assert window(found) == words


def test_figures() -> None:
    assert duration(Duration()) == "0 seconds"
    assert [size(each) for each in (0, 999, 1_234, 5_670_000, 8e12)] == [
        *("0 B", "999 B", "1.23 kB", "5.67 MB", "8 TB")
    ]
    assert [seconds(each) for each in (0.0004, 0.25, 61.26)] == ["0 ms", "250 ms", "61.3 s"]
