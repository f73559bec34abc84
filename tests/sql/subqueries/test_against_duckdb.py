"""Every shape of subquery over random tables full of NULLs, planned by us and asked of DuckDB."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from random import Random
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from ferris_beam.sql.plan import Catalog, plan_program
from ferris_beam.sql.rules import optimize
from ferris_beam.sql.syntax import parse
from ferris_beam.sql.text import SqlText
from tests.sql.interpreter import MoreThanOneRow, connection, run

SCHEMA = pa.schema({"a": pa.int64(), "b": pa.int64(), "s": pa.string()})
COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")

CONDITIONS = (
    "EXISTS (SELECT 1 FROM u WHERE u.a = t.a)",
    "EXISTS (SELECT * FROM u WHERE u.a = t.a AND u.b > t.b)",
    "EXISTS (SELECT u.a FROM u WHERE u.b < t.b)",
    "EXISTS (SELECT 1 FROM u WHERE t.a = 1)",
    "EXISTS (SELECT 1 FROM u)",
    "EXISTS (SELECT count(*) FROM u WHERE u.a = t.a)",
    "EXISTS (SELECT DISTINCT b FROM u WHERE u.a = t.a ORDER BY b LIMIT 1)",
    "EXISTS (SELECT u.b FROM u WHERE u.a = t.a GROUP BY u.b HAVING count(*) > 1)",
    "EXISTS (SELECT 1 FROM u JOIN v ON u.a = v.a WHERE u.b = t.b AND v.b = t.a)",
    "EXISTS (SELECT 1 FROM u WHERE u.a = t.a AND EXISTS (SELECT 1 FROM v WHERE v.a = u.b))",
    "EXISTS (SELECT 1 FROM u WHERE EXISTS (SELECT 1 FROM v WHERE v.a = u.b AND v.b = t.b))",
    "EXISTS (SELECT 1 FROM u WHERE u.a = t.a AND u.b IN (SELECT v.b FROM v WHERE v.a = u.a))",
    "EXISTS (SELECT 1 FROM u WHERE u.a + 1 = t.a + t.b)",
    "t.a IN (SELECT a FROM u)",
    "t.a IN (SELECT max(a) FROM u GROUP BY b)",
    "t.a IN (SELECT a FROM u WHERE u.b = t.b)",
    "t.a IN (SELECT a FROM u WHERE u.b > t.b)",
    "t.a + 1 IN (SELECT b FROM u WHERE u.s = t.s)",
    "t.a IN (SELECT a FROM u UNION SELECT b FROM v)",
    "t.a IN (SELECT a FROM u ORDER BY a, b LIMIT 2)",
    "(t.a, t.b) IN (SELECT a, b FROM u)",
    "t.a IN (SELECT max(a) FROM u WHERE u.b = t.b)",
    "t.a > ANY (SELECT max(a) FROM u WHERE u.b = t.b)",
    "EXISTS (SELECT count(*) FROM u WHERE u.a = t.a HAVING count(*) > 2)",
    "EXISTS (SELECT count(*) FROM u WHERE u.a = t.a HAVING count(*) = 0)",
    "t.a IN (SELECT a FROM u WHERE b IN (SELECT b FROM v WHERE v.s = u.s))",
    *(f"t.a {sign} ANY (SELECT b FROM u)" for sign in COMPARISONS),
    *(f"t.a {sign} ALL (SELECT b FROM u)" for sign in COMPARISONS),
    *(f"t.a {sign} ANY (SELECT b FROM u WHERE u.a = t.b)" for sign in COMPARISONS),
    *(f"t.a {sign} ALL (SELECT b FROM u WHERE u.a = t.b)" for sign in COMPARISONS),
    "t.a > ALL (SELECT b FROM u WHERE u.a = 77)",
    "t.a > ANY (SELECT b FROM u WHERE u.a < t.b)",
    "t.a <> ALL (SELECT b FROM u WHERE u.a < t.b OR u.s = t.s)",
    "t.b = (SELECT max(u.b) FROM u)",
    "t.b < (SELECT max(u.b) FROM u WHERE u.a = t.a)",
    "0 = (SELECT count(*) FROM u WHERE u.a = t.a)",
    "t.b >= (SELECT count(u.b) FROM u WHERE u.a = t.a AND u.b > 1)",
)
"""Each is also asked negated, as a value, and under OR."""

SCALARS = (
    "(SELECT count(*) FROM u)",
    "(SELECT max(b) + 1 FROM u WHERE a = t.a)",
    "(SELECT count(*) FROM u WHERE u.a = t.a)",
    "(SELECT count(*) + 1 FROM u WHERE u.a = t.a)",
    "(SELECT coalesce(sum(u.b), -1) FROM u WHERE u.a = t.a)",
    "(SELECT CASE WHEN count(*) = 0 THEN 7 ELSE min(b) END FROM u WHERE u.a = t.a)",
    "(SELECT count(*) FROM u WHERE u.a = t.a HAVING count(*) > 1)",
    "(SELECT count(*) FROM u WHERE u.a = t.a HAVING count(*) < 1)",
    "(SELECT min(b) + count(*) FROM u WHERE u.a = t.a HAVING min(b) IS NULL)",
    "(SELECT count(DISTINCT u.b) FROM u WHERE u.a = t.a AND u.s = t.s)",
    "(SELECT max(u.b) FROM u JOIN v ON u.s = v.s WHERE u.a = t.a AND v.b = t.b)",
    "(SELECT u.b FROM u WHERE u.a = t.a ORDER BY u.b, u.s LIMIT 1)",
    "(SELECT u.b FROM u WHERE u.a = t.a ORDER BY u.b DESC NULLS LAST LIMIT 1 OFFSET 1)",
    "(SELECT DISTINCT u.a FROM u WHERE u.a = t.a)",
    "(SELECT count(*) FROM u WHERE u.a = t.a AND u.b > (SELECT min(v.b) FROM v WHERE v.a = u.a))",
    "(SELECT sum(x.b) FROM (SELECT b, a FROM u WHERE u.s = t.s) x WHERE x.a = t.a)",
    "(SELECT min(u.b) FROM u WHERE u.a = t.a) + (SELECT max(v.b) FROM v WHERE v.b = t.b)",
    "CASE WHEN t.a > 0 THEN (SELECT min(b) FROM u) ELSE (SELECT count(*) FROM v) END",
    "(SELECT count(*) FROM u WHERE u.b > t.b)",
    "(SELECT max(u.b) FROM u WHERE u.b < t.b OR u.s = t.s)",
    "(SELECT sum(u.b + t.a) FROM u WHERE u.a = t.a)",
    "(SELECT max(u.b) - t.b FROM u WHERE u.a = t.a)",
    "(SELECT count(*) + t.b FROM u WHERE u.a = t.a)",
    "(SELECT t.a + t.b)",
    "(SELECT u.b FROM u WHERE u.a > t.a ORDER BY u.b, u.s LIMIT 1)",
    "(SELECT count(*) FROM u WHERE u.a <= t.a HAVING count(*) > t.b)",
    "(SELECT count(DISTINCT u.s) FROM u WHERE u.a IS NOT DISTINCT FROM t.a)",
    "(SELECT max(n) FROM (SELECT count(*) AS n FROM u WHERE u.a = t.a GROUP BY u.b) counted)",
)

QUERIES = (
    *(f"SELECT * FROM t WHERE {each}" for each in CONDITIONS),
    *(f"SELECT * FROM t WHERE NOT ({each})" for each in CONDITIONS),
    *(f"SELECT a, b, {each} AS value FROM t" for each in SCALARS),
    *(f"SELECT * FROM t WHERE t.b = {each}" for each in SCALARS if each.count("SELECT") == 1),
    "SELECT * FROM t WHERE a NOT IN (SELECT a FROM u WHERE a > 0) AND b IN (SELECT b FROM v)",
    "SELECT * FROM t WHERE a IN (SELECT a FROM u WHERE u.b = t.b UNION ALL SELECT b FROM v)",
    "SELECT * FROM t WHERE EXISTS "
    "(SELECT b FROM u WHERE u.a > t.a UNION SELECT b FROM v WHERE a = t.b)",
    "SELECT * FROM t WHERE EXISTS "
    "(SELECT 1 FROM u LEFT JOIN v ON u.a = v.a AND v.b = t.b WHERE v.a IS NULL)",
    "SELECT * FROM t WHERE NOT EXISTS "
    "(SELECT 1 FROM u WHERE NOT EXISTS (SELECT 1 FROM v WHERE v.a = u.a AND v.b = t.b))",
    "SELECT * FROM t WHERE b = "
    "(SELECT max(b) FROM u WHERE u.a IN (SELECT v.a FROM v WHERE v.b = t.a))",
    "SELECT * FROM t WHERE b = (SELECT max(b) FROM u WHERE u.a = "
    "(SELECT max(v.a) FROM v WHERE v.b = u.b AND v.s = t.s))",
    "SELECT * FROM t WHERE b > (SELECT count(*) FROM (SELECT DISTINCT b FROM u WHERE a <> t.a) x)",
    "SELECT a, (SELECT string_agg(s, ',' ORDER BY s) FROM u WHERE u.a < t.a) AS q FROM t",
    "SELECT t.a, x.n FROM t CROSS JOIN LATERAL (SELECT count(*) AS n FROM u WHERE u.b > t.b) x",
    "SELECT t.a, x.b FROM t CROSS JOIN LATERAL "
    "(SELECT u.b FROM u WHERE u.a >= t.a ORDER BY u.b LIMIT 2) x",
    "SELECT t.a, x.* FROM t LEFT JOIN LATERAL "
    "(SELECT u.b + t.b AS c, u.s FROM u WHERE u.a = t.a) x ON true",
    "SELECT a, count(*) FROM t GROUP BY a HAVING count(*) > (SELECT count(*) FROM u WHERE u.b = 7)",
    "SELECT a, sum(b) FROM t GROUP BY a HAVING a IN (SELECT a FROM u) OR sum(b) IS NULL",
    "SELECT a, (SELECT count(*) FROM u WHERE u.a = t.a) AS n FROM t GROUP BY a",
    "SELECT sum((SELECT count(*) FROM u WHERE u.a = t.a)) AS n FROM t",
    "SELECT DISTINCT s, (SELECT max(b) FROM u WHERE u.s = t.s) AS m FROM t",
    "WITH w AS (SELECT a FROM u WHERE b > 0) SELECT * FROM t WHERE a IN (SELECT a FROM w)",
    "WITH w AS (SELECT a FROM u) SELECT * FROM t WHERE EXISTS (SELECT 1 FROM w WHERE w.a = t.b)",
)

AS_VALUES = tuple(
    f"SELECT a, b, {each} AS value, t.a = 0 OR {each} AS either FROM t"
    for each in CONDITIONS
    if "(t.a, " not in each
)


def tables(random: Random) -> dict[str, pa.Table]:
    found = {}
    for name in ("t", "u", "v"):
        rows = random.choice([0, 1, 4, 8])
        numbers = (None, 0, 1, 2, 3)
        found[name] = pa.table(
            {
                "a": random.choices(numbers, k=rows),
                "b": random.choices(numbers, k=rows),
                "s": random.choices((None, "x", "y"), k=rows),
            },
            SCHEMA,
        )
    return found


def rows(table: pa.Table) -> Counter[Any]:
    """DuckDB's sums are HUGEINT, which Arrow knows as decimals."""
    found = (tuple(row.values()) for row in table.to_pylist())
    return Counter(tuple(int(v) if isinstance(v, Decimal) else v for v in row) for row in found)


def wanted(query: str, given: dict[str, pa.Table]) -> Counter[Any] | None:
    oracle = connection()
    for name, table in given.items():
        oracle.register(name, table)
    try:
        return rows(oracle.sql(query).to_arrow_table())
    except duckdb.InvalidInputException:  # more than one row
        return None


OTHERWISE_SAID = {
    "SELECT * FROM t WHERE (t.a, t.s) IN (SELECT a, s FROM u WHERE u.b = t.b)": (
        "SELECT * FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a AND u.s = t.s AND u.b = t.b)"
    ),
    "SELECT * FROM t WHERE (t.a, t.s) NOT IN (SELECT a, s FROM u WHERE u.b = t.b)": (
        "SELECT * FROM t WHERE NOT EXISTS "
        "(SELECT 1 FROM u WHERE (u.a = t.a AND u.s = t.s) IS NOT FALSE AND u.b = t.b)"
    ),
}
"""Queries that DuckDB has no plan for, in words that it understands."""


@pytest.mark.parametrize("query", [*QUERIES, *AS_VALUES, *OTHERWISE_SAID])
def test_same_as_duckdb(query: str) -> None:
    text = SqlText(query)
    catalog = Catalog({name: SCHEMA for name in ("t", "u", "v")})
    node = plan_program(parse(text), text, catalog).outputs[0].node
    optimized = optimize(node)
    for seed in range(3):
        given = tables(Random(f"{seed} {query}"))
        expected = wanted(OTHERWISE_SAID.get(query, query), given)
        for plan in (node, optimized):
            try:
                assert rows(run(plan, given)) == expected, (seed, given)
            except MoreThanOneRow:
                assert expected is None
