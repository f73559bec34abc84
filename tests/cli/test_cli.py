from __future__ import annotations

import json
import resource
import subprocess
import sys

import pytest

from ferris_beam.cli.connectors import as_json
from ferris_beam.connector import Connector
from ferris_beam.options import describe
from ferris_beam.registry import connectors, schemes
from tests.pseudo_terminal import environment, python, python_on_terminal

HEAVY = ("apache_beam", "pyarrow", "numpy", "pydantic")


def cli(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return python("-m", "ferris_beam", *arguments, **variables)


@pytest.fixture(params=connectors(), ids=lambda connector: connector.name)
def connector(request: pytest.FixtureRequest) -> Connector:
    return request.param  # type: ignore[no-any-return]


# ── connectors ──────────────────────────────────────────────────────────────────────────────────


def test_connectors_as_json_are_those_of_the_registry() -> None:
    shown = json.loads(cli("connectors", "--json").stdout)
    assert shown == [as_json(connector) for connector in connectors()]
    assert sorted(scheme for entry in shown for scheme in entry["schemes"]) == schemes()
    assert all(
        entry[end]["unit"] and entry[end]["delivery"]
        for entry in shown
        for end in ("source", "sink")
        if entry[end]
    )


def test_the_table_has_a_line_for_each_source_and_sink_when_piped(connector: Connector) -> None:
    finished = cli("connectors")
    assert (finished.returncode, finished.stderr) == (0, "")
    lines = finished.stdout.splitlines()
    assert connector.source is not None
    assert connector.sink is not None
    first = next(line for line in lines if line.startswith(f"{connector.name} "))
    assert connector.source.unit in first
    assert connector.source.delivery in first
    assert connector.sink.delivery in lines[lines.index(first) + 1]
    assert "\x1b" not in finished.stdout
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize("columns", [80, 120])
def test_the_table_fits_a_terminal(columns: int) -> None:
    session = python_on_terminal(columns, "-m", "ferris_beam", "connectors")
    assert session.code == 0
    assert max(map(len, session.text.splitlines())) <= columns
    assert "\x1b[1m" in session.raw


def test_without_colours_a_terminal_gets_none() -> None:
    session = python_on_terminal(80, "-m", "ferris_beam", "describe", "memory", NO_COLOR="1")
    assert session.code == 0
    assert "\x1b[3" not in session.raw


def test_connectors_loads_nothing_heavy() -> None:
    code = (
        "import sys; from ferris_beam.cli.main import main; code = main(['connectors']);"
        f"print(sorted(set({HEAVY}) & set(sys.modules)), file=sys.stderr); sys.exit(code)"
    )
    finished = python("-c", code)
    assert (finished.returncode, finished.stderr) == (0, "[]\n")


def test_connectors_takes_less_than_four_tenths_of_a_second() -> None:
    """Counted as processor time, which other work on the machine doesn't change."""

    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-m", "ferris_beam", "connectors"],
            env=environment(),
            stdout=subprocess.DEVNULL,
            check=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(5)) < 0.4


# ── describe ────────────────────────────────────────────────────────────────────────────────────


def test_describe_as_json_holds_every_option(connector: Connector) -> None:
    scheme = connector.schemes[0]
    shown = json.loads(cli("describe", scheme, "--json").stdout)
    models = {"source": connector.source_options(), "sink": connector.sink_options()}
    for direction, model in models.items():
        rows = [row._asdict() for row in describe(model, scheme)]
        assert shown[direction]["options"] == json.loads(json.dumps(rows))
        names = {field.alias or name for name, field in model.model_fields.items()}
        assert {row["name"] for row in rows} == names


def test_describe_shows_every_option_with_its_variable(connector: Connector) -> None:
    scheme = connector.schemes[0]
    finished = cli("describe", scheme)
    assert finished.returncode == 0
    source, sink = finished.stdout.split("As a sink")
    for text, model in ((source, connector.source_options()), (sink, connector.sink_options())):
        for row in describe(model, scheme):
            assert f"  {row.name} " in text
            assert row.description in text
            assert row.variables[0] in text


def test_describe_takes_a_whole_uri() -> None:
    assert cli("describe", "MEMORY://orders?x=1").stdout == cli("describe", "memory").stdout


# ── what goes wrong ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["conectors"], "there is no command 'conectors'; did you mean connectors?"),
        (["connectors", "--jsn"], "connectors doesn't take '--jsn'; did you mean --json?"),
        (["connectors", "--js"], "connectors doesn't take '--js'; did you mean --json?"),
        (["connectors", "more"], "connectors doesn't take 'more'"),
        (["describe"], "the following arguments are required: SCHEME"),
        (["describe", "memry"], "no connector for the scheme 'memry'; did you mean 'memory'?"),
        (["reference"], "one of the arguments --write --check is required"),
        (["reference", "--write"], "argument --write: expected one argument"),
        (["--verison"], "there is no command '--verison'; did you mean --version?"),
    ],
)
def test_wrong_usage_is_explained_without_a_traceback(arguments: list[str], told: str) -> None:
    finished = cli(*arguments)
    assert finished.returncode == 2
    assert finished.stdout == ""
    assert finished.stderr.startswith(f"error: {told}")


def test_help_and_version() -> None:
    shown = cli("--help")
    assert shown.returncode == 0
    assert all(command in shown.stdout for command in ("connectors", "describe", "reference"))
    assert cli().stdout == shown.stdout
    assert cli("--version").stdout.startswith("ferris-beam 0.")


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "ferris_beam", "connectors"],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0
