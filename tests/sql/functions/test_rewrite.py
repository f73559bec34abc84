"""From what users write to what the engine calls."""

from __future__ import annotations

import doctest

import pytest
from sqlglot import exp, parse_one

from ferris_beam.errors import SqlError
from ferris_beam.sql import functions
from ferris_beam.sql.functions import definition, formats, paths
from ferris_beam.sql.functions.typed import name_and_arguments
from ferris_beam.sql.kernel.rendering import render
from ferris_beam.sql.syntax import parse
from ferris_beam.sql.text import SqlText


def _expression(text: str) -> exp.Expression:
    expression = parse(SqlText(f"SELECT {text}"))[0].query.selects[0]  # type: ignore[union-attr]
    assert isinstance(expression, exp.Expression)
    return expression


@pytest.mark.parametrize(
    ("written", "engine"),
    [
        ("lcase(a)", 'lower("a")'),
        ("Ucase(a)", 'upper("a")'),
        ("position('x' IN a)", "strpos(\"a\", 'x')"),
        ("substring(a FROM 2 FOR 3)", 'substr("a", 2, 3)'),
        ("trim(LEADING 'x' FROM a)", "ltrim(\"a\", 'x')"),
        ("a -> 'b' ->> 0", "json_extract_string(json_extract(\"a\", 'b'), '$[0]')"),
        ("json_extract_string(a, '$.b')", "json_extract_string(\"a\", '$.b')"),
        ("dayname(t)", "to_char(\"t\", '%A')"),
        ("list_sort(l)", "array_sort(\"l\", 'ASC', 'NULLS LAST')"),
        ("ifnull(a, b)", 'coalesce("a", "b")'),
    ],
)
def test_spellings_become_the_engines(written: str, engine: str) -> None:
    assert render(_expression(written)).lower() == engine.lower()


@pytest.mark.parametrize(
    ("written", "call"),
    [
        ("count(*)", "count"),
        ("variance(x)", "var_samp"),
        ("stddev(x)", "stddev_samp"),
        ("group_concat(x)", "string_agg"),
        ("list(x)", "array_agg"),
        ("first_value(x)", "first"),
        ("any_value(x)", "any_value"),
        ("max_by(x, y)", "arg_max"),
        ("argmin(x, y)", "arg_min"),
        ("approx_quantile(x, 0.5)", "approx_percentile"),
        ("quantile_cont(x, 0.5)", "quantile_cont"),
        ("percentile_cont(0.5)", "percentile_cont"),
        ("approx_distinct(x)", "approx_count_distinct"),
        ("logical_or(x)", "bool_or"),
        ("json_objectagg(k: v)", "json_group_object"),
        ("json_object_agg(k, v)", "json_group_object"),
        ("json_arrayagg(x)", "json_group_array"),
    ],
)
def test_aggregates_are_known_under_all_their_names(written: str, call: str) -> None:
    expression = _expression(written)
    if isinstance(expression, exp.IgnoreNulls):
        expression = expression.this
    assert functions.is_aggregate(expression)
    found = functions.of(expression)
    assert found is not None
    assert found.name == call


@pytest.mark.parametrize("written", ["row_number()", "rank()", "lag(x)", "ntile(4)"])
def test_window_functions_are_no_aggregates(written: str) -> None:
    expression = _expression(f"{written} OVER (ORDER BY x)").this
    assert not functions.is_aggregate(expression)
    found = functions.of(expression)
    assert found is not None
    assert found.kind == "window"


@pytest.mark.parametrize(
    "written", ["a + b", "CAST(a AS INT)", "CASE WHEN a THEN 1 END", "a IN (1)"]
)
def test_what_is_no_call_is_none(written: str) -> None:
    assert name_and_arguments(_expression(written)) is None


def test_an_expression_is_not_changed_in_place() -> None:
    expression = _expression("lcase(date_diff('day', a, b))")
    before = expression.copy()
    functions.rewrite(expression)
    assert expression == before


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("lenght(a)", "there is no function lenght"),
        ("lenght(a)", r"did you mean (\w+ or )*length"),
        ("lower(a, b)", "lower takes 1 argument, not 2"),
        ("lpad(a)", "lpad takes 2 to 3 arguments, not 1"),
        ("concat()", "concat takes 1 or more arguments, not 0"),
        ("lpad(a)", r"lpad\(text, length\[, fill\]\)"),
    ],
)
def test_wrong_calls_are_shown_with_a_caret_and_a_remedy(written: str, message: str) -> None:
    text = SqlText(f"SELECT {written} FROM t")
    query = parse(text)[0].query  # type: ignore[union-attr]
    with pytest.raises(SqlError, match=message) as raised:
        functions.rewrite(query, text)
    assert "^^^^^" in str(raised.value)


def test_names_are_unique_and_lower_case() -> None:
    names = [name for each in functions.functions() for name in each.names]
    assert len(set(names)) == len(names)
    assert all(name == name.lower() for name in names)


def test_a_path_of_another_dialect_keeps_its_steps() -> None:
    expression = parse_one("a ->> '$.b[0]'", dialect="duckdb")
    written = render(functions.rewrite(expression))
    assert written == 'json_extract_string("a", \'$."b"[0]\')'


@pytest.mark.parametrize("module", [formats, definition, paths])
def test_docstrings(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]
