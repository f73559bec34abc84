"""``validate``: every error and every warning by its code, and that nothing is touched."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ferris_beam.cli.oddities import WARNINGS
from ferris_beam.cli.validate import judged
from tests.cli.conftest import Cli
from tests.pseudo_terminal import REPOSITORY, python

ERRORS = [
    ("file://host/x.csv", "source", {"invalid-uri"}),
    ("fil:x.csv", "source", {"unknown-scheme"}),
    ("file:///x.csv?delimter=;", "source", {"unknown-option"}),
    ("file:///x.csv?header=perhaps&skip_lines=-1", "source", {"invalid-value", "out-of-range"}),
    ("file:///x.csv?header=true&header=false", "source", {"invalid-value"}),
    ("file:///x.csv?columns=a,b", "source", {"invalid-combination"}),
    ("file://${NO_SUCH_VARIABLE}/x.csv", "source", {"unset-variable"}),
    ("file:///x.csv?format=parquet&delimiter=;", "source", {"invalid-endpoint"}),
    ("file:///out/", "sink", {"invalid-endpoint"}),
    ("file:///out.csv?partition_by=a", "sink", {"invalid-endpoint"}),
    ("memory:", "source", {"invalid-endpoint"}),
]

ODD = [
    ("orders.csv", "source", {"relative-path"}),
    ("file:///data/orders.cvs", "source", {"unknown-extension"}),
    ("file:///data/orders.csv?format=jsonl", "source", {"format-differs"}),
    ("file:///data/*.csv", "sink", {"glob-in-sink"}),
    ("file:///data/out?format=csv", "sink", {"no-trailing-slash"}),
    ("file:///data/_out/?format=csv", "sink", {"hidden-name"}),
    ("file:///data/a#1.csv?", "source", {"fragment", "unknown-extension"}),
    ("file:///data/orders.csv?header=true", "source", {"default-option"}),
    ("file:///data/orders.csv?if_exists=overwrite", "sink", {"overwrites"}),
]

ORDINARY = [
    ("file:///data/orders.csv", "source"),
    ("file:///data/orders/", "source"),
    ("file:///data/**/*", "source"),
    ("file:///data/*.csv.gz?delimiter=;", "source"),
    ("file:///data/out/?format=parquet&partition_by=country", "sink"),
    ("file:///data/out.csv", "sink"),
    ("memory://orders", "source"),
]


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("FERRIS_")]:
        monkeypatch.delenv(name)


def codes(document: Any, level: str) -> set[str]:
    return {finding["code"] for finding in document[level]}


@pytest.mark.parametrize(("uri", "direction", "wanted"), ERRORS)
def test_every_error_has_its_code(cli: Cli, uri: str, direction: str, wanted: set[str]) -> None:
    done = cli("validate", uri, "--json", *(["--sink"] if direction == "sink" else []))
    assert (done.code, done.err) == (2, "")
    assert codes(done.document, "errors") == wanted
    assert done.document["valid"] is False
    assert done.document["exit_code"] == 2


@pytest.mark.parametrize(("uri", "direction", "wanted"), ODD)
def test_what_is_odd_is_valid_and_warned_of(
    cli: Cli, uri: str, direction: str, wanted: set[str]
) -> None:
    done = cli("validate", uri, "--json", *(["--sink"] if direction == "sink" else []))
    assert done.code == 0
    assert codes(done.document, "errors") == set()
    assert codes(done.document, "warnings") == wanted


@pytest.mark.parametrize(("uri", "direction"), ORDINARY)
def test_what_is_ordinary_is_not_warned_of(cli: Cli, uri: str, direction: str) -> None:
    done = cli("validate", uri, *(["--sink"] if direction == "sink" else []))
    assert (done.code, done.out) == (0, f"{uri} is valid as a {direction}\n")


def test_variables_that_set_options_and_those_that_nobody_reads(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERRIS_FILE_DELIMITER", ";")
    monkeypatch.setenv("FERRIS_FILE_DELIMTER", ";")
    monkeypatch.setenv("FERRIS_FILE_IF_EXISTS", "append")  # a sink's, and so no typing error
    found = cli("validate", "file:///data/orders.csv", "--json").document["warnings"]
    told = {finding["code"]: finding["text"] for finding in found}
    assert set(told) == {"environment-option", "unknown-variable"}
    assert "FERRIS_FILE_DELIMITER" in told["environment-option"]
    assert "FERRIS_FILE_DELIMTER" in told["unknown-variable"]
    given = cli("validate", "file:///data/orders.csv?delimiter=|", "--json").document["warnings"]
    assert {finding["code"] for finding in given} == {"unknown-variable"}


@pytest.mark.usefixtures("numbers")
def test_a_secret_in_the_uri_is_warned_of_and_never_shown(cli: Cli) -> None:
    literal = "faulty://n?password=hunter2&unitz=3"
    for form in ((), ("--json",)):
        done = cli("validate", literal, *form)
        assert "literal-secret" in done.out
        assert "hunter2" not in done.out + done.err
    assert "literal-secret" not in cli("validate", "faulty://n?password=env:P").out


def test_every_warning_is_seen_by_a_test() -> None:
    elsewhere = {"environment-option", "unknown-variable", "literal-secret"}
    assert set().union(*(wanted for _, _, wanted in ODD)) | elsewhere == set(WARNINGS)


def test_all_problems_are_told_at_once_with_what_to_do(cli: Cli) -> None:
    done = cli("validate", "file:///x.csv?delimter=;&header=perhaps&skip_lines=-1")
    assert done.code == 2
    for told in ("did you mean 'delimiter'?", "true or false", "at least 0", "(3 errors)"):
        assert told in done.out


def test_a_caret_points_at_what_is_wrong(cli: Cli) -> None:
    lines = cli("validate", "file://host/x").out.splitlines()
    assert lines[1][2:] == "file://host/x"
    assert lines[2].index("^") == lines[1].index("host")


def test_nothing_is_touched_without_connect(cli: Cli, tmp_path: Path) -> None:
    assert cli("validate", f"file://{tmp_path}/none.csv").code == 0
    assert cli("validate", f"file://{tmp_path}/out/?format=csv", "--sink", "--connect").code == 0
    assert list(tmp_path.iterdir()) == []


def test_connecting_fails_with_1(cli: Cli, tmp_path: Path) -> None:
    done = cli("validate", f"file://{tmp_path}/none.csv", "--connect", "--json")
    assert done.code == done.document["exit_code"] == 1
    assert codes(done.document, "errors") == {"cannot-connect"}


def test_connecting_reads_the_schema(cli: Cli, orders: Path) -> None:
    assert cli("validate", f"file://{orders}/", "--connect").code == 0


def test_validating_loads_no_beam() -> None:
    code = (
        "import sys; from ferris_beam.cli.main import main;"
        "main(['validate', 'file:///x.csv']); main(['validate', 'file:///x.csv', '--sink']);"
        "sys.exit('apache_beam' in sys.modules)"
    )
    assert python("-c", code).returncode == 0


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60), st.sampled_from(["source", "sink"]))
def test_any_text_is_judged(text: str, direction: str) -> None:
    assert judged("file:///" + text, direction) is not None
    assert judged(text, direction) is not None


def test_the_page_lists_every_code() -> None:
    page = (REPOSITORY / "docs" / "command-line.md").read_text(encoding="utf-8")
    raised = set().union(*(wanted for _, _, wanted in ERRORS)) | {"cannot-connect"}
    assert [code for code in {*WARNINGS, *raised} if f"| `{code}` |" not in page] == []
