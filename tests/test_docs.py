"""The pages for users: their links, names and tables, and every block that says it runs.

A fenced block whose info string holds ``run`` is run: ``python run``, ``sh run``. With ``fails``
it must fail. All blocks of a page run in order in one empty folder; in README.md the quickstart
has run there before. A block ``text output`` is what the one before it printed, but for times,
sizes, run ids and the width of columns; ``…`` stands for any text, alone on a line for any lines.
"""

from __future__ import annotations

import re
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

import ferris_beam as fb
from ferris_beam.connector import Reader, Staged, Writer
from ferris_beam.reliability import SCHEMA
from ferris_beam.transforms import meter
from tests.pseudo_terminal import REPOSITORY, environment

README = REPOSITORY / "README.md"
MAIN_MODULES = {"quickstart": "pipelines.quickstart", "tests": "pytest"}
PAGES = [README, *sorted((REPOSITORY / "docs").glob("*.md"))]

_BLOCK = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!https?:)(?P<path>[^)#\s]*)(?:#(?P<anchor>[^)\s]*))?\)")
_MODULE = re.compile(r"(?<![\w-])-m ([\w.]+)")
_PROGRESS = re.compile(r"^[\d,]+ rows read · ")
_UNSTEADY = (
    (re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}"), "RUN"),
    (re.compile(r"\b[\d.]+ (?:[kM] )?(?:B|kB|MB|s|rows/s|threads?)\b"), "#"),
    (re.compile(r"(?<=\S) {2,}"), "  "),
    (re.compile(r"^ +(?=\S+(?: {2,}\S+)*$)"), "  "),
    (re.compile("[─]+"), "─"),
)


class Block(NamedTuple):
    """A fenced block: the words of its info string, its text, its first line's number."""

    words: tuple[str, ...]
    text: str
    line: int

    @property
    def runs(self) -> bool:
        return "run" in self.words[1:]

    @property
    def is_output(self) -> bool:
        return "output" in self.words[1:]


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield Block(tuple(found["info"].split()), found["text"], line)


def name_of(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


def page_text(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


# ── what runs ───────────────────────────────────────────────────────────────────────────────────


def marked(name: str) -> str:
    """The one line between ``<!-- name -->`` and ``<!-- /name -->`` in README.md."""
    between = page_text("README.md").split(f"<!-- {name} -->")[1].split(f"<!-- /{name} -->")[0]
    (line,) = [line for line in between.splitlines() if line and not line.startswith("```")]
    return line


def run(command: list[str], folder: Path) -> tuple[int, str]:
    """Exit code and output, standard error included; ``python`` is this interpreter."""
    path = f"{Path(sys.executable).parent}:{environment()['PATH']}"
    finished = subprocess.run(
        command,
        cwd=folder,
        env=environment(PATH=path, LC_ALL="C.UTF-8"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )
    return finished.returncode, finished.stdout


def run_block(block: Block, folder: Path) -> tuple[int, str]:
    if block.words[0] == "python":
        script = folder / "block.py"
        script.write_text(block.text, encoding="utf-8")
        code, output = run(["python", script.name], folder)
        script.unlink()
        return code, output
    return run(["bash", "-e", "-c", block.text], folder)


def steady(text: str) -> list[str]:
    """The lines without what differs from run to run, and without the progress of a slow one."""
    lines = [line.rstrip() for line in text.splitlines() if not _PROGRESS.match(line)]
    for pattern, replacement in _UNSTEADY:
        lines = [pattern.sub(replacement, line) for line in lines]
    return lines


def fits(output: str, wanted: str) -> bool:
    """Whether ``output`` is what a page shows."""
    pattern = ""
    for line in steady(wanted):
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(map(re.escape, line.split("…"))) + "\n"
    return re.fullmatch(pattern, "\n".join([*steady(output), ""])) is not None


@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(block.runs for block in blocks(page))], ids=name_of
)
def test_what_a_page_runs_does_what_the_page_says(page: Path, tmp_path: Path) -> None:
    output = ""
    if page == README:
        quickstart = marked("quickstart").rpartition("&& .venv/bin/")[2]
        code, output = run(["bash", "-c", quickstart], tmp_path)
        assert code == 0, output
    for block in blocks(page):
        place = f"{name_of(page)}:{block.line}"
        if block.runs:
            code, output = run_block(block, tmp_path)
            assert (code != 0) == ("fails" in block.words), f"{place} exited {code}:\n{output}"
        elif block.is_output:
            assert fits(output, block.text), f"{place} shows\n{block.text}\nbut there is\n{output}"


def test_an_output_fits_only_itself() -> None:
    assert fits("a\nb 1\nc\n", "a\nb …\nc\n")
    assert fits("a\nx\ny\nc\n", "a\n…\nc\n")
    assert fits("5 rows read · 3 written\na\n", "a\n")
    assert fits("  read  5  9.99 MB  x\n", "  read   5  10.4 MB  x\n")
    assert fits("done in 0.41 s · 7 rows/s", "done in 1.1 s · 2.5 M rows/s")
    assert not fits("  read  5  9.99 MB  x\n", "  read  6  9.99 MB  x\n")
    assert not fits("a\nb\n", "a\n")
    assert not fits("a\n", "a\nb\n")


# ── commands and links ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", MAIN_MODULES)
def test_the_readme_has_one_line_for_each_main_command(name: str) -> None:
    line = marked(name)
    assert line.startswith("python3 -m venv .venv && .venv/bin/pip install -q ")
    assert _MODULE.findall(line)[-1] == MAIN_MODULES[name]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_module_that_a_command_names_is_there(page: Path) -> None:
    for module in _MODULE.findall(page.read_text(encoding="utf-8")):
        assert find_spec(module) is not None, f"{name_of(page)}: no module {module}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in _LINK.finditer(page.read_text(encoding="utf-8")):
        target = page.parent / link["path"] if link["path"] else page
        assert target.exists(), f"{name_of(page)} links to {link['path']}, which does not exist"
        if link["anchor"]:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert link["anchor"] in map(slug, headings), f"{name_of(page)}: {link[0]}"


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def test_the_readme_links_every_page() -> None:
    linked = {link["path"] for link in _LINK.finditer(page_text("README.md"))}
    assert {name_of(page) for page in PAGES} - {"README.md"} <= linked


# ── names ───────────────────────────────────────────────────────────────────────────────────────


def metric_names() -> list[str]:
    """The first column of the table in meter.py."""
    _, table, _ = re.split(r"^(?:=+ +=+)$", meter.__doc__ or "", flags=re.MULTILINE)
    return re.findall(r"\w+", " ".join(line[:21] for line in table.splitlines()))


def flags(options: type[fb.ProgressOptions]) -> list[str]:
    parser = ArgumentParser(add_help=False)
    options._add_argparse_args(parser)
    return [action.option_strings[-1] for action in parser._actions]


def test_every_metric_is_explained() -> None:
    names = metric_names()
    assert {"rows_read", "bytes_written", "write_micros"} <= set(names)
    text = page_text("docs/beam.md")
    assert [name for name in names if f"`{name}`" not in text] == []


def test_every_column_of_dead_letters_is_explained() -> None:
    table = page_text("docs/dead-letters.md")
    assert [name for name in SCHEMA.names if f"\n| `{name}` |" not in table] == []


def test_every_flag_about_progress_is_explained() -> None:
    text = page_text("docs/delivery.md")
    assert [flag for flag in flags(fb.ProgressOptions) if f"`{flag}" not in text] == []


def test_every_public_name_is_explained() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    used = set(re.findall(r"\b(?:fb|registry)\.(\w+)", text))
    assert set(fb.__all__) - used == set()


def test_the_contract_of_connectors_is_explained() -> None:
    section = page_text("docs/architecture.md").split("## The contract")[1].split("\n## ")[0]
    explained = set(re.findall(r"`(\w+)\(", section))
    methods = {
        name for kind in (Reader, Writer) for name in vars(kind) if callable(vars(kind)[name])
    }
    assert {name for name in methods if not name.startswith("_")} - explained == set()
    kinds = (Reader, Writer, Staged)
    assert [name for name in explained if not any(hasattr(kind, name) for kind in kinds)] == []


def test_every_layer_is_explained() -> None:
    text = page_text("docs/architecture.md")
    found = Path(fb.__file__).parent.glob("[!_]*")
    names = sorted(path.stem for path in found if path.suffix in ("", ".py"))
    assert [name for name in names if f"`{name}`" not in text] == []
