"""Random queries: the rows of the plan, as the interpreter computes them, are DuckDB's."""

from __future__ import annotations

import random
from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.sql.nodes import Join, walk
from ferris_beam.sql.plan import Catalog, plan_program
from ferris_beam.sql.syntax import parse
from ferris_beam.sql.text import SqlText
from tests.sql import interpreter
from tests.sql.comparing import assert_same

RELATIONS = "abcd"
COLUMNS = ("k", "m", "v")


def _tables() -> dict[str, pa.Table]:
    chance = random.Random(5)
    return {
        name: pa.table(
            {
                column: pa.array(
                    [chance.choice([None, *range(4)]) for _ in range(9)],
                    pa.int32() if name in "ac" else pa.int64(),
                )
                for column in COLUMNS
            }
        )
        for name in RELATIONS
    }


TABLES = _tables()


@pytest.fixture(scope="module")
def oracle() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET default_null_order = 'nulls_last'; SET integer_division = true")
        for name, table in TABLES.items():
            connection.register(name, table)
        yield connection


columns = st.builds("{}.{}".format, st.sampled_from(RELATIONS), st.sampled_from(COLUMNS))
equations = st.builds("{} = {}".format, columns, columns)
conditions = st.one_of(
    equations,
    st.builds("{} {} {}".format, columns, st.sampled_from(["<", "<>", "="]), st.integers(0, 3)),
    st.builds("({} OR {} IS NULL)".format, equations, columns),
)


def check(text: str, oracle: duckdb.DuckDBPyConnection) -> list[Join]:
    schemas = {name: table.schema for name, table in TABLES.items()}
    (output,) = plan_program(parse(SqlText(text)), SqlText(text), Catalog(schemas)).outputs
    assert_same(interpreter.run(output.node, TABLES), oracle.sql(text).to_arrow_table())
    return [node for node in walk(output.node) if isinstance(node, Join)]


@settings(deadline=None, max_examples=60)
@given(where=st.lists(conditions, min_size=1, max_size=5), order=st.permutations(RELATIONS))
def test_comma_joins(where: list[str], order: list[str], oracle: duckdb.DuckDBPyConnection) -> None:
    text = f"SELECT a.k, b.m, c.v, d.k AS dk FROM {', '.join(order)} WHERE {' AND '.join(where)}"
    check(text, oracle)


@settings(deadline=None, max_examples=60)
@given(order=st.permutations(RELATIONS))
def test_connected_comma_joins_need_no_product(
    order: list[str], oracle: duckdb.DuckDBPyConnection
) -> None:
    where = "a.k = b.k AND b.m = c.m AND c.v = d.v"
    joins = check(f"SELECT a.k, d.m FROM {', '.join(order)} WHERE {where}", oracle)
    assert len(joins) == 3
    assert all(join.keys for join in joins)


@settings(deadline=None, max_examples=80)
@given(
    kinds=st.lists(st.sampled_from(["", "LEFT", "RIGHT", "FULL"]), min_size=1, max_size=3),
    data=st.data(),
)
def test_joins_with_conditions(
    kinds: list[str], data: st.DataObject, oracle: duckdb.DuckDBPyConnection
) -> None:
    text, known = "a", "a"
    for kind, name in zip(kinds, "bcd", strict=False):
        left = st.builds("{}.{}".format, st.sampled_from(known), st.sampled_from(COLUMNS))
        on = [f"{data.draw(left)} = {name}.{data.draw(st.sampled_from(COLUMNS))}"]
        if data.draw(st.booleans()):
            side = data.draw(st.sampled_from([data.draw(left), f"{name}.v"]))
            on.append(f"{side} < {data.draw(st.integers(0, 4))}")
        text += f" {kind} JOIN {name} ON {' AND '.join(on)}"
        known += name
    check(f"SELECT {', '.join(f'{each}.v AS {each}v' for each in known)} FROM {text}", oracle)


@settings(deadline=None, max_examples=40)
@given(
    kinds=st.lists(st.sampled_from(["", "LEFT", "RIGHT", "FULL"]), min_size=1, max_size=2),
    using=st.sampled_from(["k", "m", "k, m"]),
)
def test_merged_columns(kinds: list[str], using: str, oracle: duckdb.DuckDBPyConnection) -> None:
    joins = [f"{kind} JOIN {name} USING ({using})" for kind, name in zip(kinds, "bc", strict=False)]
    check(f"SELECT {using}, a.v FROM a {' '.join(joins)}", oracle)


@settings(deadline=None, max_examples=60)
@given(
    keys=st.lists(st.sampled_from(["k", "m", "k + m", "abs(k)"]), max_size=2, unique=True),
    calls=st.lists(
        st.sampled_from(
            ["count(*)", "sum(v)", "max(v) - min(v)", "count(DISTINCT v)", "sum(k) + sum(v)"]
        ),
        min_size=1,
        max_size=3,
    ),
    having=st.sampled_from(["", "HAVING count(*) > 1", "HAVING sum(v) IS NOT NULL"]),
)
def test_groups(
    keys: list[str], calls: list[str], having: str, oracle: duckdb.DuckDBPyConnection
) -> None:
    named = [f"{each} AS c{place}" for place, each in enumerate([*keys, *calls])]
    group = f"GROUP BY {', '.join(keys)}" if keys else ""
    check(f"SELECT {', '.join(named)} FROM a {group} {having}", oracle)


@settings(deadline=None, max_examples=60)
@given(
    kinds=st.lists(st.sampled_from(["UNION", "UNION ALL", "EXCEPT", "INTERSECT"]), max_size=3),
)
def test_set_operations(kinds: list[str], oracle: duckdb.DuckDBPyConnection) -> None:
    text = "SELECT k, m FROM a"
    for kind, name in zip(kinds, "bcd", strict=False):
        text = f"({text}) {kind} SELECT m, v FROM {name}"
    check(text, oracle)
