from __future__ import annotations

from pathlib import Path

import pytest

from ferris_beam import registry
from ferris_beam.cli import reference
from ferris_beam.cli.endpoints import endpoints
from ferris_beam.errors import FatalError
from tests.pseudo_terminal import REPOSITORY, python

PAGE = REPOSITORY / "docs" / "options.md"


def test_the_page_in_docs_is_what_the_code_says() -> None:
    reference.check(PAGE)


def test_the_page_of_runners_in_docs_is_what_the_code_says() -> None:
    reference.check(REPOSITORY / "docs" / "runners.md", "runners")


def test_every_option_of_every_connector_is_a_row_of_its_table() -> None:
    sections = reference.page().split("\n### ")[1:]
    expected = [(c, end) for c in registry.connectors() for end in endpoints(c)]
    assert len(sections) == len(expected)
    for section, (connector, end) in zip(sections, expected, strict=True):
        assert section.startswith(f"{connector.name} as a {end.direction}\n")
        assert end.delivery in section
        assert end.unit in section
        table = section.split("\n\n")[2].splitlines()
        rows = end.options(connector.schemes[0])
        shown = [line.split(" | ")[0] for line in table if line.startswith("| `")]
        assert shown == [f"| `{row.name}`" for row in rows]
        columns = table[1].count("|")
        assert all(line.replace("\\|", "").count("|") == columns for line in table if line)


def test_connectors_of_others_are_left_out(numbers: object) -> None:
    assert "faulty" in registry.schemes()
    assert "faulty" not in reference.page()


def test_writing_then_checking(tmp_path: Path) -> None:
    page = tmp_path / "options.md"
    written = python("-m", "ferris_beam", "reference", "--write", str(page))
    assert (written.returncode, written.stderr) == (0, "")
    assert page.read_text(encoding="utf-8") == reference.page()
    checked = python("-m", "ferris_beam", "reference", "--check", str(page))
    assert (checked.returncode, checked.stderr) == (0, "")


def test_a_page_out_of_date_fails_and_says_where(tmp_path: Path) -> None:
    page = tmp_path / "options.md"
    lines = reference.page().splitlines()
    lines[10] = "changed"
    page.write_text("\n".join(lines), encoding="utf-8")
    checked = python("-m", "ferris_beam", "reference", "--check", str(page))
    assert checked.returncode == 1
    assert f"{page} is out of date at line 11; run: python -m ferris_beam" in checked.stderr
    assert "it has   changed" in checked.stderr


@pytest.mark.parametrize("text", ["", reference.page()[:-200], reference.page() + "\nmore\n"])
def test_a_page_that_ends_too_soon_or_too_late_fails(tmp_path: Path, text: str) -> None:
    page = tmp_path / "options.md"
    page.write_text(text, encoding="utf-8")
    with pytest.raises(FatalError, match="is out of date at"):
        reference.check(page)


def test_a_page_that_is_missing_or_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match=r"does not exist; run: python -m ferris_beam reference"):
        reference.check(tmp_path / "none.md")
    finished = python("-m", "ferris_beam", "reference", "--write", str(tmp_path / "no" / "x.md"))
    assert finished.returncode == 1
    assert "No such file or directory" in finished.stderr
    assert "Traceback" not in finished.stderr
