"""The examples in docstrings of rules say what happens."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

from ferris_beam.sql import rules

MODULES = sorted(path.stem for path in Path(rules.__file__).parent.glob("[a-z]*.py"))


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    found = doctest.testmod(import_module(f"ferris_beam.sql.rules.{name}"))
    assert found.failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder()
    modules = [import_module(f"ferris_beam.sql.rules.{name}") for name in MODULES]
    assert sum(len(each.examples) for module in modules for each in finder.find(module)) > 20
