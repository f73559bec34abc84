"""Completion: what may come next, and the scripts in real shells."""

from __future__ import annotations

import os
import pty
import select
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ferris_beam.cli.complete import completions, split
from ferris_beam.options import describe
from ferris_beam.registry import connector_for, schemes
from tests.pseudo_terminal import environment, python


def after(line: str) -> list[str]:
    return list(completions(line)[1])


# ── what may come next ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("ferris-beam va", ["validate"]),
        ("python -m ferris_beam va", ["validate"]),
        ("ferris-beam validate --s", ["--sink"]),
        ("ferris-beam validate --sink --", ["--help", "--json", "--connect"]),
        ("ferris-beam ledger ", ["show", "forget"]),
        ("ferris-beam dead-letters s", ["show", "summary"]),
        ("ferris-beam completion ", ["bash", "zsh", "fish"]),
        ("ferris-beam preview --delivery ", ["exactly_once", "at_least_once"]),
        ("ferris-beam preview --delivery=ex", ["--delivery=exactly_once"]),
        ("ferris-beam validate mem", ["memory://"]),
        ("ferris-beam validate --sink 'file:o?if_e", ["file:o?if_exists="]),
        ("ferris-beam doctor --", ["--help", "--json", "--sink"]),
        ("ferris-beam doctor --sink 'file:o?if_e", ["file:o?if_exists="]),
        ("ferris-beam ledger show 'file:o?if_e", ["file:o?if_exists="]),
        ("ferris-beam preview --source a.csv --sink 'o?if_e", ["o?if_exists="]),
        ("ferris-beam preview --sink=o?if_exists=o", ["--sink=o?if_exists=overwrite"]),
        ("ferris-beam discover 'file:o?if_e", []),
        ("ferris-beam discover 'file:o?header=", ["file:o?header=true", "file:o?header=false"]),
        ("ferris-beam discover 'file:o?header=false&recu", ["file:o?header=false&recursive="]),
        ("ferris-beam discover 'file:o?header=false&heade", []),
        ("ferris-beam discover nonsense:x?", []),
        ("ferris-beam discover x y z ", []),
        ("ferris-beam nonsense ", []),
    ],
)
def test_what_may_come_next(line: str, found: list[str]) -> None:
    assert after(line) == found


def test_every_scheme_and_every_option_can_be_completed() -> None:
    assert set(schemes()) <= set(after("ferris-beam describe "))
    offered = after("ferris-beam validate 'file:x.csv?")
    model = connector_for("file").source_options()
    assert offered == [f"file:x.csv?{name}=" for name in sorted_as_declared(model)]


def sorted_as_declared(model: type) -> list[str]:
    rows = [row.name for row in describe(model, "file")]
    declared = [info.alias or name for name, info in model.model_fields.items()]
    assert sorted(rows) == sorted(declared)
    return declared


def test_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders.csv").touch()
    (tmp_path / ".hidden").touch()
    (tmp_path / "two words.csv").touch()
    (tmp_path / "line\nend").touch()
    for lead in ("", "file:", "file://"):
        found = after(f"ferris-beam discover {lead}{tmp_path}/o")
        assert found == [f"{lead}{tmp_path}/orders/", f"{lead}{tmp_path}/orders.csv"]
    assert after(f"ferris-beam discover '{tmp_path}/two ") == [f"{tmp_path}/two words.csv"]
    printed = python("-m", "ferris_beam", "complete", f"ferris-beam discover {tmp_path}/").stdout
    assert len(printed.splitlines()) == 4, "a name with a line end is left out"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a b", ["a", "b"]),
        ("a ", ["a", ""]),
        ("", [""]),
        ("a 'b c", ["a", "b c"]),
        ("a 'b'\"c d\"e", ["a", "bc de"]),
        ("a b\\ c", ["a", "b c"]),
        ("a 'b\\", ["a", "b\\"]),
    ],
)
def test_a_line_is_split_as_shells_do(line: str, words: list[str]) -> None:
    assert split(line) == words


def test_it_loads_nothing_heavy() -> None:
    """So that a shell need not wait for it."""
    line = "ferris-beam validate 'file:x.csv?de"
    code = (
        "import sys; from ferris_beam.cli.main import main;"
        f"main(['complete', {line!r}]);"
        "sys.exit(bool({'apache_beam', 'pyarrow', 'numpy', 'rich'} & set(sys.modules)))"
    )
    assert python("-c", code).returncode == 0


# ── in shells ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder with the command `ferris-beam`, as an installation has it, and the scripts."""
    command = tmp_path / "bin" / "ferris-beam"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m ferris_beam "$@"\n')
    command.chmod(0o755)
    for shell in ("bash", "zsh", "fish"):
        script = python("-m", "ferris_beam", "completion", shell).stdout
        (tmp_path / f"complete.{shell}").write_text(script)
    return tmp_path


def needs(shell: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed")


def rendered(shown: bytes) -> str:
    """What a terminal makes of bells and of steps back."""
    text = ""
    for character in shown.decode("utf-8", "replace").replace("\a", ""):
        text = text[:-1] if character == "\b" else text + character
    return text


def typed(shell: list[str], installed: Path, lines: list[bytes], until: str) -> str:
    """What an interactive shell shows when this is typed, up to ``until``."""
    ours, theirs = pty.openpty()
    variables = environment(PATH=f"{installed / 'bin'}:{os.environ['PATH']}", PS1="$ ")
    process = subprocess.Popen(
        shell,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**variables, "HOME": str(installed), "TERM": "dumb", "ZDOTDIR": str(installed)},
        cwd=installed,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    try:
        for line in lines:
            os.write(ours, line)
        for block in _blocks(ours):
            shown += block
            if until in rendered(shown):
                break
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return rendered(shown)


def _blocks(terminal: int) -> Iterator[bytes]:
    while select.select([terminal], [], [], 15)[0]:
        try:
            yield os.read(terminal, 65_536)
        except OSError:  # Linux says so when the shell is gone
            return


# What is typed, the key Tab, and then a command whose output tells what the line became.
CASES = [
    ("ferris-beam va\t", "ferris-beam validate"),
    ("ferris-beam validate mem\t", "ferris-beam validate memory://"),
    ("ferris-beam validate 'file:x.csv?recurs\t", "file:x.csv?recursive="),
    ("ferris-beam validate file:x.csv?recurs\t", "file:x.csv?recursive="),
    ("ferris-beam validate --sink 'file:x?format=parq\t", "file:x?format=parquet"),
    ("ferris-beam preview --source=mem\t", "--source=memory://"),
]


@needs("bash")
@pytest.mark.parametrize(("keys", "became"), CASES)
def test_bash(installed: Path, keys: str, became: str) -> None:
    lines = [b"source ./complete.bash\n", keys.encode()]
    shown = typed(["bash", "--norc", "--noprofile", "-i"], installed, lines, became)
    assert became in shown


@needs("bash")
def test_bash_offers_all_where_there_is_a_choice(installed: Path) -> None:
    lines = [b"source ./complete.bash\n", b"ferris-beam dead-letters s\t\t"]
    shown = typed(["bash", "--norc", "--noprofile", "-i"], installed, lines, "summary")
    assert "show" in shown


@needs("zsh")
@pytest.mark.parametrize(("keys", "became"), CASES)
def test_zsh(installed: Path, keys: str, became: str) -> None:
    start = "autoload -Uz compinit; compinit -u; unsetopt nomatch; source ./complete.zsh\n"
    (installed / ".zshrc").write_text(start)
    wanted = became if "'" in keys else became.replace("?", "\\?")
    assert wanted in typed(["zsh", "-i"], installed, [keys.encode()], wanted)


@needs("fish")
@pytest.mark.parametrize(("keys", "became"), CASES)
def test_fish(installed: Path, keys: str, became: str) -> None:
    line = shlex.quote(keys.rstrip("\t"))
    finished = subprocess.run(
        ["fish", "--no-config", "-c", f"source complete.fish; complete -C {line}"],
        env=environment(PATH=f"{installed / 'bin'}:{os.environ['PATH']}", HOME=str(installed)),
        cwd=installed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert became.split()[-1] in [found.split("\t")[0] for found in finished.stdout.splitlines()]


def test_a_shell_that_is_not_known() -> None:
    finished = python("-m", "ferris_beam", "completion", "tcsh")
    assert finished.returncode == 2
    assert "invalid choice: 'tcsh'" in finished.stderr
