"""Planning is not what a job waits for (in seconds of CPU, whatever else the machine does)."""

from __future__ import annotations

import time

import pyarrow as pa
import pytest

from ferris_beam.sql.plan import Catalog, plan_program
from ferris_beam.sql.rules import optimize
from ferris_beam.sql.syntax import parse
from ferris_beam.sql.text import SqlText

KINDS = (pa.int64(), pa.string(), pa.float64(), pa.timestamp("us"), pa.decimal128(12, 2))
WIDE = {
    name: pa.schema([pa.field(f"c{n}", KINDS[n % len(KINDS)]) for n in range(200)])
    for name in "abcdef"
}
JOINS = """
FROM a JOIN b ON a.c0 = b.c0 JOIN c ON b.c5 = c.c5 AND c.c1 <> 'x' LEFT JOIN d ON d.c0 = a.c5
JOIN e ON e.c10 = a.c10 JOIN f ON f.c0 = a.c0
WHERE a.c1 <> 'cancelled' AND b.c2 > 3.5 AND lower(c.c6) = 'x'
"""
GROUPED = f"""
SELECT window_start, b.c1, upper(c.c6) AS name, count(*) AS n, sum(a.c2) AS s, avg(d.c4) AS m
{JOINS} GROUP BY TUMBLE(a.c3, INTERVAL '1' HOUR), b.c1, name HAVING count(*) > 3 ORDER BY s LIMIT 9
"""


@pytest.mark.parametrize("text", [GROUPED, f"SELECT * {JOINS}"], ids=["grouped", "all columns"])
def test_five_joins_over_200_columns_are_planned_in_150_ms(text: str) -> None:
    best = min(_seconds(SqlText(text)) for _ in range(5))
    assert best < 0.150


def _seconds(text: SqlText) -> float:
    start = time.process_time()
    (output,) = plan_program(parse(text), text, Catalog(WIDE)).outputs
    optimize(output.node)
    return time.process_time() - start
