"""Commands run within this process: what they print, and their exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ferris_beam.cli.main import main
from ferris_beam.connectors import memory


class Finished(NamedTuple):
    """A command that has run."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Its output as one JSON document, and nothing else."""
        return json.loads(self.out)


Cli = Callable[..., Finished]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    for name in ("COLUMNS", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)

    def call(*arguments: str | Path) -> Finished:
        capsys.readouterr()
        code = main(list(map(str, arguments)))
        return Finished(code, *capsys.readouterr())

    return call


@pytest.fixture
def clean_memory() -> Iterator[None]:
    memory.clear()
    yield
    memory.clear()


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    """Two CSV files with two broken rows in the second."""
    folder = tmp_path / "orders"
    folder.mkdir()
    (folder / "1.csv").write_text("id,country,amount\n1,DE,12.50\n2,FR,8.00\n")
    (folder / "2.csv").write_text("id,country,amount\n3,DE,40.25\n4,FR\n5,FR,9a.90\n6,DE,1\n")
    return folder
