"""What all commands have in common: exit codes, JSON, widths, colours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from importlib.metadata import EntryPoint
from pathlib import Path

import pyarrow as pa
import pytest

from ferris_beam import registry
from ferris_beam.cli.oddities import Subject, warnings_of
from ferris_beam.connectors import memory
from ferris_beam.connectors.memory import reader as memory_reader
from ferris_beam.options import Duration, Options, option, resolve
from ferris_beam.uri import Uri
from pipelines.copy import main as copy
from tests.cli.conftest import Cli
from tests.pseudo_terminal import python_on_terminal

WRONG = [
    ["conectors"],
    ["describe", "kafak"],
    ["validate"],
    ["validate", "file:x.csv", "--snik"],
    ["doctor"],
    ["doctor", "file:x.csv", "--connect"],
    ["discover", "file://host/x"],
    ["preview", "--source", "a.csv"],
    ["preview", "--source", "a.csv", "--sink", "b.csv", "--limit", "0"],
    ["dead-letters"],
    ["dead-letters", "show", "x.jsonl", "--limit", "many"],
    ["dead-letters", "sumary", "x.jsonl"],
    ["ledger", "forget", "out/?format=csv"],
    ["ledger", "show", "out/"],
]


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_wrong_usage_is_2_for_people_and_for_machines(cli: Cli, words: list[str]) -> None:
    told = cli(*words)
    assert (told.code, told.out) == (2, "")
    assert told.err.startswith("error: ")
    machine = cli(*words, "--json")
    assert (machine.code, machine.err) == (2, "")
    assert machine.document["exit_code"] == 2
    assert machine.document["error"]["message"]


@pytest.mark.usefixtures("clean_memory")
def test_what_nobody_foresaw_is_a_document_too(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(memory_reader.MemoryReader, "schema", fail)
    done = cli("discover", "memory://x", "--json")
    assert (done.code, done.document["error"]["type"]) == (1, "ZeroDivisionError")
    assert "Traceback" in done.err
    with pytest.raises(ZeroDivisionError):
        cli("discover", "memory://x")


@pytest.fixture
def copied(orders: Path, tmp_path: Path) -> Mapping[str, list[str]]:
    """Each command on the ends of a copy that was made."""
    source, sink = f"file://{orders}/*.csv", f"file://{tmp_path}/out/?format=parquet"
    rejected = f"file://{tmp_path}/rejected/?format=jsonl"
    ends = ["--source", source, "--sink", sink, "--dead-letters", rejected, "--name", "nightly"]
    assert copy([*ends, "--quiet"]) == 0
    return {
        "validate": ["validate", "x.cvs?header=true"],
        "doctor": ["doctor", source],
        "discover": ["discover", source],
        "preview": ["preview", *ends],
        "show": ["dead-letters", "show", rejected.partition("?")[0]],
        "summary": ["dead-letters", "summary", rejected.partition("?")[0]],
        "ledger": ["ledger", "show", sink, "--name", "nightly"],
    }


@pytest.mark.parametrize("columns", [60, 100])
def test_everything_fits_the_terminal(copied: Mapping[str, list[str]], columns: int) -> None:
    for name, command in copied.items():
        session = python_on_terminal(columns, "-m", "ferris_beam", *command)
        assert session.code == 0, (name, session.text)
        long = [line for line in session.text.splitlines() if len(line) > columns]
        assert long == [], name
        assert "\x1b[" in session.raw, f"{name} has no colours"


def test_no_colour_where_none_is_wanted(copied: Mapping[str, list[str]], cli: Cli) -> None:
    for name, command in copied.items():
        assert "\x1b" not in cli(*command).out, name
    session = python_on_terminal(80, "-m", "ferris_beam", *copied["summary"], NO_COLOR="1")
    assert "\x1b[3" not in session.raw


def test_every_command_prints_one_document(copied: Mapping[str, list[str]], cli: Cli) -> None:
    for name, command in copied.items():
        done = cli(*command, "--json")
        assert (done.code, done.err) == (0, ""), name
        assert done.out.isascii()
        json.loads(done.out, parse_constant=pytest.fail)


def test_what_json_has_no_number_for_is_text(cli: Cli, clean_memory: None) -> None:
    memory.put("odd", pa.table({"x": [float("nan"), float("inf"), None]}))
    done = cli("discover", "memory://odd", "--json")
    found = json.loads(done.out, parse_constant=pytest.fail)["sample"]["rows"]
    assert [row["x"] for row in found] == ["nan", "inf", None]


class Timed(Options):
    """With a default that is written as text."""

    idle: Duration = option("60s", description="how long")


def test_a_default_in_another_notation_is_known() -> None:
    def codes(text: str) -> list[str]:
        uri = Uri.parse(text)
        options = resolve(Timed, uri, environment={})
        assert isinstance(options, Timed)
        assert isinstance(options.idle, timedelta)
        return [found.code for found in warnings_of(Subject(uri, "source", Timed, options, {}))]

    assert codes("x1://?idle=1m") == ["default-option"]
    assert codes("x1://?idle=2m") == []


def test_packages_that_are_broken_are_told_and_keep_nobody_else_out(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = EntryPoint("broken", "no_such_module_at_all:CONNECTOR", registry.ENTRY_POINTS)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    registry._installed.cache_clear()
    try:
        done = cli("connectors", "--json")
        assert done.code == 0
        assert {entry["name"] for entry in done.document} >= {"file", "memory"}
        assert "no_such_module_at_all" in done.err
        assert done.err.count("warning: ") == 1
        assert cli("complete", "ferris-beam validate ").code == 0
    finally:
        registry._installed.cache_clear()
