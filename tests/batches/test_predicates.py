"""Conditions as trees: the same as Arrow's expression, on any rows."""

from __future__ import annotations

import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.batches.predicates import (
    And,
    Comparison,
    Constant,
    IsIn,
    IsNull,
    Not,
    Or,
    StartsWith,
    conjuncts,
    parse,
    to_expression,
)
from ferris_beam.formats.predicate import mask_of

FIELD = pc.field
SCHEMA = pa.schema([("i", pa.int64()), ("f", pa.float64()), ("s", pa.string()), ("b", pa.bool_())])
integers = st.integers(-3, 3)
floats = st.sampled_from([float("nan"), float("inf"), -1.5, -0.0, 0.0, 2.0])
words = st.sampled_from(["", "a", "ab", "B", "ä", "%"])
rows = st.lists(
    st.fixed_dictionaries(
        {
            "i": st.none() | integers,
            "f": st.none() | floats,
            "s": st.none() | words,
            "b": st.none() | st.booleans(),
        }
    ),
    max_size=12,
)
values = {"i": integers, "f": floats, "s": words, "b": st.booleans()}


def compared(name: str) -> st.SearchStrategy[pc.Expression]:
    def build(word: str, value: Any, flipped: bool) -> pc.Expression:
        column, literal = FIELD(name), pc.scalar(value)
        left, right = (literal, column) if flipped else (column, literal)
        return {
            "==": left == right,
            "!=": left != right,
            "<": left < right,
            "<=": left <= right,
            ">": left > right,
            ">=": left >= right,
        }[word]

    words = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    return st.builds(build, words, values[name], st.booleans())


leaves = (
    st.sampled_from(list(values)).flatmap(compared)
    | st.sampled_from(list(values)).map(lambda name: FIELD(name).is_null())
    | st.sampled_from(list(values)).map(lambda name: FIELD(name).is_valid())
    | st.lists(st.none() | integers, max_size=3).map(
        lambda found: FIELD("i").isin(pa.array(found, pa.int64()))
    )
    | words.map(lambda prefix: pc.starts_with(FIELD("s"), prefix))
    | st.booleans().map(pc.scalar)
    | st.just(FIELD("b"))
)
expressions = st.recursive(
    leaves,
    lambda inner: (
        st.builds(lambda a, b: a & b, inner, inner)
        | st.builds(lambda a, b: a | b, inner, inner)
        | st.builds(lambda a: ~a, inner)
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(expressions, rows)
def test_a_tree_means_what_the_expression_means(
    expression: pc.Expression, found: list[dict[str, Any]]
) -> None:
    records = pa.RecordBatch.from_pylist(found, SCHEMA)
    tree = parse(expression)
    assert tree is not None
    assert mask_of(records, to_expression(tree)).equals(mask_of(records, expression))


@settings(max_examples=100, deadline=None)
@given(expressions, expressions, rows)
def test_conjuncts_together_are_the_expression(
    one: pc.Expression, other: pc.Expression, found: list[dict[str, Any]]
) -> None:
    records = pa.RecordBatch.from_pylist(found, SCHEMA)
    left = records
    for part in conjuncts(one & other):
        assert part is not None
        left = left.filter(to_expression(part))
    wanted = records.filter(one & other)
    assert repr(left.to_pylist()) == repr(wanted.to_pylist())  # NaN, too


def test_the_kinds_of_nodes() -> None:
    number = pa.scalar(5)
    assert parse(FIELD("i") > 5) == Comparison("i", ">", number)
    assert parse(pc.scalar(5) > FIELD("i")) == Comparison("i", "<", number)
    assert parse(FIELD("b")) == Comparison("b", "=", pa.scalar(True))
    assert parse(~FIELD("i").is_null()) == Not(IsNull("i"))
    assert parse(FIELD("i").is_valid()) == Not(IsNull("i"))
    assert parse(pc.scalar(False)) == Constant(False)
    assert parse(pc.starts_with(FIELD("s"), "ab")) == StartsWith("s", "ab")
    assert parse((FIELD("i") == 5) & FIELD("b")) == And(
        (Comparison("i", "=", number), Comparison("b", "=", pa.scalar(True)))
    )
    assert parse(FIELD("i").isin([1, None])) == Or((IsIn("i", pa.array([1])), IsNull("i")))


def test_literals_keep_their_types() -> None:
    moment = datetime.datetime(2024, 1, 2, 3, 4, 5, 6, datetime.timezone.utc)
    for value in (
        pa.scalar(7, pa.int8()),
        pa.scalar(moment, pa.timestamp("us", "UTC")),
        pa.scalar("2.50").cast(pa.decimal128(5, 2)),
        pa.scalar(b"\0\xff"),
        pa.scalar("é\0"),
    ):
        assert parse(FIELD("a ä.b") == value) == Comparison("a ä.b", "=", value)


UNKNOWN = {
    "arithmetic": FIELD("i") + 1 > 5,
    "two columns": FIELD("i") == FIELD("j"),
    "a cast": FIELD("i").cast(pa.float64()) > 5,
    "a path into a struct": FIELD("s", "t") == 5,
    "a column by its number": FIELD(0) == 5,
    "NaN counts as NULL": FIELD("f").is_null(nan_is_null=True),
    "letters of any case": pc.starts_with(FIELD("s"), "a", ignore_case=True),
    "NULL as a value": FIELD("i") == pa.scalar(None, pa.int64()),
    "a constant NULL": pc.scalar(pa.scalar(None, pa.bool_())),
    "another function": pc.match_like(FIELD("s"), "a%"),
}


@pytest.mark.parametrize("expression", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_what_is_not_known_is_none(expression: pc.Expression) -> None:
    assert parse(expression) is None
    assert parse(~expression) is None


def test_unknown_parts_leave_the_others_known() -> None:
    expression = (FIELD("i") > 5) & (FIELD("i") + 1 > 5) & FIELD("b")
    assert conjuncts(expression) == [
        Comparison("i", ">", pa.scalar(5)),
        None,
        Comparison("b", "=", pa.scalar(True)),
    ]
