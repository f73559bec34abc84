"""The public names, and that importing them is cheap."""

from __future__ import annotations

import subprocess
import sys

import pytest

import ferris_beam as fb

PUBLIC = [
    "Batch",
    "CheckSchema",
    "DeadLetters",
    "MapBatches",
    "MapRows",
    "ProgressOptions",
    "Rows",
    "Uri",
    "create_sink",
    "create_source",
    "errors",
    "function",
    "launch",
    "read",
    "register",
    "sql",
    "write",
]


def test_the_public_names_are_these() -> None:
    assert fb.__all__ == PUBLIC
    assert set(PUBLIC) <= set(dir(fb))


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(fb, name).__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = fb.no_such_name


def test_the_spellings_of_beam_are_the_factory() -> None:
    assert fb.read is fb.create_source
    assert fb.write is fb.create_sink


@pytest.mark.parametrize("heavy", ["apache_beam", "pyarrow", "pydantic", "rich"])
def test_importing_the_package_loads_nothing_heavy(heavy: str) -> None:
    code = f"import sys, ferris_beam; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_command_line_needs_neither_beam_nor_pyarrow() -> None:
    code = (
        "import sys; from ferris_beam.cli.main import main; main(['connectors', '--json']);"
        "sys.exit(bool({'apache_beam', 'pyarrow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
