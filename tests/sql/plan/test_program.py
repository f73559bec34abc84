"""Statements become outputs and streams."""

from __future__ import annotations

import pytest

from ferris_beam.errors import SqlError
from ferris_beam.sql import statements
from ferris_beam.sql.nodes import Given, Node, walk
from tests.sql.plan.planning import plan


def streams_of(node: Node) -> set[str]:
    return {each.name for each in walk(node) if isinstance(each, Given) and each.stream}


def test_what_is_put_out_and_what_is_only_read() -> None:
    program = plan(
        "CREATE STREAM unused AS SELECT id FROM orders;"
        "CREATE STREAM big AS SELECT id FROM orders WHERE amount > 5;"
        "INSERT INTO 'memory://big' SELECT id FROM big;"
        "SELECT count(*) AS n FROM big EMIT FINAL;"
        "CREATE STREAM last AS SELECT id FROM big;"
    )
    assert [output.name for output in program.outputs] == ["", "", "last"]
    assert [output.sink is None for output in program.outputs] == [False, True, True]
    assert [output.emit for output in program.outputs] == [None, "final", None]
    assert all(streams_of(output.node) == {"big"} for output in program.outputs)
    assert list(program.streams) == ["unused", "big", "last"]


def test_every_stream_that_is_read_is_in_the_program() -> None:
    program = plan(
        "WITH q AS (SELECT status, count(*) AS n FROM orders GROUP BY status),"
        "r AS (SELECT a.n FROM q a JOIN q b USING (status))"
        "SELECT x.n FROM r x JOIN r y USING (n); "
        "WITH q AS (SELECT random() AS x) SELECT x FROM q UNION ALL SELECT x FROM q"
    )
    read = [*program.streams.values(), *(output.node for output in program.outputs)]
    known = list(program.streams)
    assert set().union(*map(streams_of, read)) == set(known)
    assert len(known) == 3
    for name, node in program.streams.items():
        assert all(known.index(each) < known.index(name) for each in streams_of(node))


def test_what_explain_explains_is_planned() -> None:
    (output,) = plan("EXPLAIN ANALYZE SELECT id FROM orders").outputs
    assert isinstance(output.statement, statements.Explain)
    assert output.statement.analyze
    assert output.node.schema.names == ["id"]


def test_names_differ_from_each_other_in_any_case() -> None:
    with pytest.raises(SqlError, match="'ORDERS' is defined already"):
        plan('CREATE STREAM "ORDERS" AS SELECT 1 AS x')
