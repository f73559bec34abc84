"""A module imports only from its own layer downwards."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import ferris_beam

PACKAGE = Path(ferris_beam.__file__).parent

LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"errors"}),
    frozenset({"redaction", "variables", "uri_syntax", "uri", "interval", "findings"}),
    frozenset({"ledger", "options"}),
    frozenset({"batches"}),
    frozenset({"formats"}),
    frozenset({"connector", "registry", "commitlog"}),
    frozenset({"connectors", "reliability", "schemas"}),
    frozenset({"transforms"}),
    frozenset({"sql"}),
    frozenset({"monitoring"}),
    frozenset({"runners"}),
    frozenset({"cli", "__main__", "testing"}),
)
"""From the bottom up; siblings of one layer may import each other, connectors may not."""


def rank(name: str) -> int:
    return next(number for number, layer in enumerate(LAYERS) if name in layer)


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def imports(path: Path) -> Iterator[tuple[str, ...]]:
    """The parts of each of our own modules that a file imports, also inside of functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
            if node.module == "ferris_beam":
                names = [f"ferris_beam.{alias.name}" for alias in node.names]
        for name in names:
            parts = tuple(name.split("."))
            if parts[0] == "ferris_beam" and len(parts) > 1:
                yield parts[1:]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_downwards(path: Path) -> None:
    own = path.relative_to(PACKAGE).with_suffix("").parts
    for imported in imports(path):
        assert rank(imported[0]) <= rank(own[0]), f"{own} imports {imported} from above"
        if own[0] == imported[0] == "connectors" and len(own) > 2:
            assert imported[1] == own[1], f"{own} imports its sibling {imported}"


def test_every_module_has_a_layer() -> None:
    known = frozenset().union(*LAYERS)
    found = {path.relative_to(PACKAGE).with_suffix("").parts[0] for path in modules()}
    assert found <= known


def test_files_and_functions_stay_readable() -> None:
    for path in modules():
        text = path.read_text()
        assert text.count("\n") <= 500, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno <= 80, (path, node.name)
