"""What CASE, COALESCE, AND, OR and WHERE leave out is not computed, and can't fail."""

from __future__ import annotations

import pyarrow as pa
import pytest

from ferris_beam.errors import BadRecordError
from tests.sql.kernel.evaluating import computed, planned, values

TABLE = pa.record_batch(
    {
        "a": pa.array([10, 20, 30, None, 5], pa.int64()),
        "b": pa.array([2, 0, 5, 0, None], pa.int64()),
        "big": pa.array([1, 2**63 - 1, 3, 4, 5], pa.int64()),
        "text": ["1", "x", "3", "4", None],
        "f": pa.array([1.0, 0.0, 2.0, 0.0, None]),
    }
)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("CASE WHEN b <> 0 THEN a / b END", [5, None, 6, None, None]),
        ("CASE WHEN b <> 0 THEN a / b > 5 END", [False, None, True, None, None]),
        ("CASE WHEN b <> 0 THEN a / b > 5 ELSE TRUE END", [False, True, True, True, True]),
        ("CASE WHEN b = 0 THEN 3 WHEN a / b > 5 THEN 1 ELSE 2 END", [2, 3, 1, 3, 2]),
        (
            "CASE WHEN b = 0 THEN NULL WHEN a / b > 5 THEN TRUE ELSE a / b < 1 END",
            [False, None, True, None, None],
        ),
        ("CASE b WHEN 0 THEN FALSE ELSE a / b > 5 END", [False, False, True, False, None]),
        ("if(b <> 0, a / b > 5, FALSE)", [False, False, True, False, False]),
        ("if(b <> 0, a / b, 0)", [5, 0, 6, 0, 0]),
        ("b <> 0 AND a / b > 5", [False, False, True, False, None]),
        ("b = 0 OR a / b > 5", [False, True, True, True, None]),
        ("NOT (b = 0 OR a / b > 5)", [True, False, False, False, None]),
        ("b <> 0 AND a > 1 AND a / b > 5", [False, False, True, False, None]),
        ("(b = 0 OR a / b > 5) AND a IS NOT NULL", [False, True, True, False, None]),
        ("coalesce(b = 0, FALSE) OR coalesce(a / b > 5, FALSE)", [False, True, True, True, False]),
        ("coalesce(b, a / 0)", BadRecordError),
        ("coalesce(nullif(b, 0), a)", [2, 20, 5, None, 5]),
        ("coalesce(b <> 0, a / b > 1)", [True, False, True, False, None]),
        ("a / nullif(b, 0)", [5, None, 6, None, None]),
        ("CASE WHEN big < 100 THEN big + 9223372036854775000 END",
         [9223372036854775001, None, 9223372036854775003, 9223372036854775004,
          9223372036854775005]),
        ("big < 100 AND big + 9223372036854775000 > 0", [True, False, True, True, True]),
        ("CASE WHEN text <> 'x' THEN CAST(text AS BIGINT) END", [1, None, 3, 4, None]),
        ("text <> 'x' AND CAST(text AS BIGINT) > 1", [False, False, True, True, None]),
        ("f <> 0 AND 1 / f > 0.7", [True, False, False, False, None]),
        ("a / b > 5 AND b <> 0", BadRecordError),
        ("a / b", BadRecordError),
    ],
)  # fmt: skip
def test_only_what_is_needed_is_computed(expression: str, expected: object) -> None:
    if isinstance(expected, list):
        assert values(expression, TABLE) == expected
    else:
        with pytest.raises(BadRecordError, match="division by zero"):
            values(expression, TABLE)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT a FROM input_0 WHERE b <> 0 AND a / b > 1",
        "SELECT a FROM input_0 WHERE a / b > 1 AND b <> 0",
        "SELECT a FROM input_0 WHERE b IS NOT NULL AND NOT (b = 0 OR a / b <= 1)",
        "SELECT a FROM (SELECT * FROM input_0 WHERE b <> 0) AS t WHERE a / b > 1",
        "SELECT a FROM (SELECT a, a / b AS q FROM input_0 WHERE b <> 0) AS t WHERE q > 1",
        "SELECT a FROM (SELECT a, b FROM (SELECT a, b FROM input_0 WHERE b <> 0) AS t) AS u "
        "WHERE a / b > 1",
        "SELECT a FROM (SELECT a, b, 1 AS c FROM (SELECT a, b FROM input_0 WHERE b <> 0) AS t "
        "WHERE a > 0) AS u WHERE a / b > c",
        "WITH t AS (SELECT a, b FROM input_0 WHERE b <> 0) SELECT a FROM t WHERE a / b > 1",
        "SELECT t.a FROM (SELECT a, b FROM input_0 WHERE b <> 0) AS t "
        "JOIN input_0 ON t.a = input_0.a WHERE t.a / t.b > 1",
        "SELECT t.a FROM input_0 AS t JOIN input_0 ON t.a = input_0.a AND t.b <> 0 "
        "WHERE t.a / t.b > 1",
    ],
)
def test_a_filter_protects_what_follows(query: str) -> None:
    assert computed(query, TABLE).to_pydict() == {"a": [10, 30]}


def test_two_guarded_calls_with_a_common_part() -> None:
    """What both have in common is not computed ahead of both."""
    query = "SELECT b <> 0 AND a / b > 5 AS x, b <> 0 AND a / b > 6 AS y FROM input_0"
    assert computed(query, TABLE).to_pydict() == {
        "x": [False, False, True, False, None],
        "y": [False, False, False, False, None],
    }


def test_what_cannot_fail_has_one_form() -> None:
    assert planned("SELECT a FROM input_0 WHERE a > 1 AND b < 2", TABLE.schema).guarded == ""
    assert planned("SELECT a FROM input_0 WHERE a > 1 AND a / b < 2", TABLE.schema).guarded


def test_a_long_chain_stays_small() -> None:
    conditions = " AND ".join(f"a / {number} >= 0" for number in range(1, 60))
    fragment = planned(f"SELECT {conditions} AS all_of_them FROM input_0", TABLE.schema)
    assert len(fragment.guarded) < 5 * len(fragment.sql)
    assert values(conditions, TABLE) == [True, True, True, None, True]
