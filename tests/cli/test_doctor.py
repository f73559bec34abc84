"""``doctor``: what is well, what is not, what mends it; and that nothing is changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from ferris_beam.connectors import memory
from ferris_beam.connectors.file import diagnosis
from ferris_beam.connectors.memory import reader as memory_reader
from ferris_beam.errors import FatalError
from ferris_beam.findings import Finding
from tests.cli.conftest import Cli
from tests.pseudo_terminal import python, python_on_terminal


def states(document: dict[str, object]) -> dict[str, str]:
    findings = document["findings"]
    assert isinstance(findings, list)
    return {finding["check"]: finding["state"] for finding in findings}


@pytest.fixture
def three_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The memory connector's source with one finding of each kind."""

    def diagnose(self: object) -> Iterator[Finding]:
        yield Finding("network", "ok", "answers in 1 ms")
        yield Finding("space", "warning", "little is left", "make room")
        yield Finding("rights", "problem", "no right to read", "GRANT SELECT;\nthen try again")

    monkeypatch.setattr(memory_reader.MemoryReader, "diagnose", diagnose, raising=False)


@pytest.mark.usefixtures("three_findings")
def test_each_finding_is_a_line_with_its_fix_below(cli: Cli) -> None:
    done = cli("doctor", "memory://orders")
    assert (done.code, done.err) == (1, "")
    assert done.out == (
        "  ok       network: answers in 1 ms\n"
        "  warning  space: little is left\n"
        "           make room\n"
        "  problem  rights: no right to read\n"
        "           GRANT SELECT;\n"
        "           then try again\n"
        "memory://orders as a source: 1 problem, 1 warning\n"
    )


@pytest.mark.usefixtures("three_findings")
def test_the_document_has_all_of_it(cli: Cli) -> None:
    done = cli("doctor", "memory://orders", "--json")
    assert done.code == done.document["exit_code"] == 1
    assert done.document["healthy"] is False
    assert (done.document["uri"], done.document["direction"]) == ("memory://orders", "source")
    assert states(done.document) == {"network": "ok", "space": "warning", "rights": "problem"}
    assert done.document["findings"][2] == {
        "check": "rights",
        "state": "problem",
        "seen": "no right to read",
        "fix": "GRANT SELECT;\nthen try again",
    }


def test_a_connector_without_checks_of_its_own_is_opened_and_asked(
    cli: Cli, clean_memory: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.put("orders", pa.table({"id": [1], "amount": [2.5]}))
    done = cli("doctor", "memory://orders")
    assert (done.code, done.out.splitlines()[0]) == (0, "  ok       schema: 2 columns")
    done = cli("doctor", "memory://orders", "--sink")
    assert (done.code, done.out.splitlines()[-1]) == (0, "memory://orders as a sink: all is well")

    def fail(self: object) -> None:
        raise FatalError("the store is locked\nunlock it")

    monkeypatch.setattr(memory_reader.MemoryReader, "schema", fail)
    (finding,) = cli("doctor", "memory://orders", "--json").document["findings"]
    assert (finding["seen"], finding["fix"]) == ("the store is locked", "unlock it")


def test_wrong_configuration_is_2_and_a_secret_is_never_shown(cli: Cli) -> None:
    done = cli("doctor", "postgresql://app:hunter2@127.0.0.1/shop?tabel=orders")
    assert done.code == 2
    assert "did you mean 'table'" in done.err
    assert "hunter2" not in done.out + done.err


@pytest.mark.parametrize("form", [(), ("--json",), ("--sink",), ("--sink", "--json")])
def test_a_server_that_is_down_is_told_without_the_password(cli: Cli, form: tuple[str]) -> None:
    done = cli("doctor", "postgresql://app:hunter2@127.0.0.1:1/shop?table=orders", *form)
    assert (done.code, done.err) == (1, "")
    assert "127.0.0.1:1 refuses connections" in done.out
    assert "start the server, or check host and port" in done.out
    assert "hunter2" not in done.out


def test_everything_fits_the_terminal(tmp_path: Path) -> None:
    name = "x" * 100
    session = python_on_terminal(60, "-m", "ferris_beam", "doctor", f"file://{tmp_path}/{name}.csv")
    assert session.code == 1
    assert "\x1b[" in session.raw
    assert [line for line in session.text.splitlines() if len(line) > 60] == []


def test_the_doctor_loads_no_beam(orders: Path) -> None:
    code = (
        "import sys; from ferris_beam.cli.main import main;"
        f"main(['doctor', 'file://{orders}/']); main(['doctor', 'file://{orders}/o/', '--sink']);"
        "sys.exit('apache_beam' in sys.modules)"
    )
    assert python("-c", code).returncode == 0


# ── files ───────────────────────────────────────────────────────────────────────────────────────


def test_files_that_can_be_read_are_well(cli: Cli, orders: Path) -> None:
    document = cli("doctor", f"file://{orders}/", "--json").document
    assert states(document) == {"files": "ok", "rights": "ok", "schema": "ok"}
    assert document["findings"][0]["seen"] == f"2 files in {orders}/, 91 B"


def test_a_file_that_is_not_there_is_told_with_what_is(cli: Cli, orders: Path) -> None:
    (finding,) = cli("doctor", f"file://{orders}/3.csv", "--json").document["findings"]
    assert (finding["check"], finding["state"]) == ("files", "problem")
    assert "holds 1.csv, 2.csv" in finding["seen"]


def test_a_file_that_may_not_be_read_is_named(
    cli: Cli, orders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = str(orders / "2.csv")
    monkeypatch.setattr(diagnosis.os, "access", lambda path, mode: path != closed)
    document = cli("doctor", f"file://{orders}/", "--json").document
    assert states(document) == {"files": "ok", "rights": "problem"}
    assert document["findings"][1]["fix"].startswith(f"chmod u+r {closed};")


def test_a_folder_that_can_be_written_is_well_and_left_as_it_is(cli: Cli, tmp_path: Path) -> None:
    for sink in ("", "new/below/"):
        document = cli(
            "doctor", f"file://{tmp_path}/{sink}?format=csv", "--sink", "--json"
        ).document
        assert states(document) == {
            "folder": "ok",
            "space": "ok",
            "hard links": "ok",
            "ledger": "ok",
        }
        assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_of_a_folder_is_told(cli: Cli, orders: Path) -> None:
    done = cli("doctor", f"file://{orders}/1.csv/out/?format=csv", "--sink", "--json")
    assert states(done.document) == {"folder": "problem"}
    assert "move the file away" in done.document["findings"][0]["fix"]


def test_a_folder_in_the_way_of_a_file_is_told(cli: Cli, orders: Path) -> None:
    done = cli("doctor", f"file://{orders}?format=csv", "--sink", "--json")
    assert states(done.document) == {"file": "problem"}
    assert "end the URI with '/'" in done.document["findings"][0]["fix"]


def test_a_folder_that_may_not_be_written(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnosis.os, "access", lambda path, mode: False)
    done = cli("doctor", f"file://{tmp_path}/?format=csv", "--sink", "--json")
    assert states(done.document) == {"folder": "problem"}
    assert f"chmod u+wx {tmp_path}" in done.document["findings"][0]["fix"]


def test_a_file_system_without_hard_links_or_room(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: str, target: str) -> None:
        raise PermissionError(1, os.strerror(1), source)

    monkeypatch.setattr(diagnosis.os, "link", refuse)
    monkeypatch.setattr(diagnosis, "_LITTLE_SPACE", 1 << 80)
    done = cli("doctor", f"file://{tmp_path}/?format=csv", "--sink", "--json")
    assert states(done.document) == {"folder": "ok", "space": "warning", "hard links": "problem"}
    assert "the log needs hard links" in done.document["findings"][2]["seen"]
    assert list(tmp_path.iterdir()) == []
