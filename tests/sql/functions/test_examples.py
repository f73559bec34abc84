"""Every function of the registry, by the examples that its documentation shows."""

from __future__ import annotations

from typing import Any

import pytest
from datafusion import SessionContext

from ferris_beam.cli import reference
from ferris_beam.sql.functions import find, functions
from ferris_beam.sql.functions.page import page
from tests.pseudo_terminal import REPOSITORY
from tests.sql.functions.running import select, show
from tests.sql.running import Outcomes, run_together

SCALAR = [
    pytest.param(example, id=example.sql)
    for function in functions()
    if function.kind == "scalar"
    for example in function.examples
]
OF_ROWS = [
    pytest.param(example, id=example.sql)
    for function in functions()
    if function.kind != "scalar"
    for example in function.examples
]
NOT_OFFERED = {
    "arrow_field",
    "arrow_metadata",
    "with_metadata",
    "cast_to_type",
    "try_cast_to_type",
    "file_row_index",
    "grouping",  # there are no GROUPING SETS
    "input_file_name",
    "position",  # POSITION(part IN text) is syntax; as a call its arguments would be turned round
    "to_timestamp_nanos",  # timestamps count µs
    "union_extract",
    "union_tag",
    "approx_percentile_cont_with_weight",
}


@pytest.mark.parametrize("example", SCALAR)
def test_a_scalar_function_has_the_result_that_its_example_shows(example: Any) -> None:
    assert show(select(example.sql)[0].as_py()) == example.result


@pytest.fixture(scope="module")
def outcomes() -> Outcomes:
    """What the examples of aggregate and window functions give, all in one pipeline."""
    return run_together({each.id: _query(each.values[0].sql) for each in OF_ROWS})  # type: ignore[misc]


def _query(example: str) -> str:
    call, source, rest = example.partition(" FROM (")
    return f"SELECT {call} AS value{source}{rest}"


@pytest.mark.parametrize("example", OF_ROWS)
def test_a_function_of_rows_has_the_result_that_its_example_shows(
    example: Any, outcomes: Outcomes
) -> None:
    outcome = outcomes[example.sql]
    if isinstance(outcome, Exception):
        raise outcome
    assert show(outcome.column(0)[0].as_py()) == example.result


def test_every_function_has_an_example() -> None:
    lacking = [each.name for each in functions() if not each.examples and not each.internal]
    assert lacking == []


def test_every_function_of_the_engine_is_offered_or_left_out_on_purpose() -> None:
    context = SessionContext()
    there = {*context.udfs(), *context.udafs(), *context.udwfs()}
    assert {name for name in there if find(name) is None} == NOT_OFFERED


def test_the_page_in_docs_is_what_the_registry_says() -> None:
    reference.check(REPOSITORY / "docs" / "functions.md", "functions")


def test_the_page_has_a_row_for_each_function() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| `")]
    assert len(rows) == sum(1 for each in functions() if not each.internal)
    assert all(line.replace("\\|", "").count("|") == 4 for line in rows)
