"""The examples with which the project was announced: they parse and plan, word for word, up to the
discovery of their sources; the error then names the connector that is missing."""

from __future__ import annotations

import pytest

from ferris_beam.errors import SqlError
from ferris_beam.sql.plan import Catalog, plan_program
from ferris_beam.sql.statements import CreateStream
from ferris_beam.sql.syntax import parse
from ferris_beam.sql.text import SqlText
from tests.sql.first_examples import FIRST_EXAMPLES


@pytest.mark.parametrize("name", FIRST_EXAMPLES)
def test_parses(name: str) -> None:
    (statement,) = parse(SqlText(FIRST_EXAMPLES[name][1]))
    assert isinstance(statement, CreateStream)
    assert statement.name == name


def test_all_three_are_one_text() -> None:
    statements = parse(SqlText("\n".join(text for _, text in FIRST_EXAMPLES.values())))
    assert [each.name for each in statements if isinstance(each, CreateStream)] == list(
        FIRST_EXAMPLES
    )


@pytest.mark.parametrize("name", FIRST_EXAMPLES)
def test_planning_names_the_missing_connector(name: str) -> None:
    scheme, example = FIRST_EXAMPLES[name]
    text = SqlText(example)
    with pytest.raises(SqlError) as caught:
        plan_program(parse(text), text, Catalog({}))
    assert f"no connector for the scheme '{scheme}'" in str(caught.value)
    assert "^^^" in str(caught.value)
