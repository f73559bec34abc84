"""Follows docs/write-a-connector.md to the letter, in an environment that holds nothing else.

A block ``file=PATH`` is that file; ``sh follow`` is run in the folder of the files; ``text output``
is what the block before it printed.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.pseudo_terminal import REPOSITORY
from tests.test_docs import Block, blocks, fits

PAGE = REPOSITORY / "docs" / "write-a-connector.md"
PORT = "8765"
SOURCES = ("setup.py", "README.md", "LICENSE", "ferris_beam", "pipelines")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """``python3`` is this Python without its packages; pip finds this checkout as ferris-beam."""
    commands = tmp_path / "bin"
    commands.mkdir()
    (commands / "python3").symlink_to(Path(sys.executable).resolve())
    wheel = built_wheel(tmp_path)
    places = f"{wheel.parent} {os.environ.get('PIP_FIND_LINKS', '')}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {
        **kept,
        "PATH": f"{commands}:{os.environ['PATH']}",
        "PIP_FIND_LINKS": places.strip(),
        "PIP_CONSTRAINT": str(REPOSITORY / "requirements.txt"),
        "LC_ALL": "C.UTF-8",
    }


def built_wheel(folder: Path) -> Path:
    """The wheel of this checkout, built from a copy: building leaves traces."""
    copy = folder / "checkout"
    copy.mkdir()
    for name in SOURCES:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(copy)]
    subprocess.run(pip, check=True, capture_output=True, timeout=120)
    (wheel,) = folder.glob("ferris_beam-*.whl")
    return wheel


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the files of the page are; a server that a failing page leaves running is ended.

    Its path is short: tables break longer ones into lines.
    """
    package = tmp_path_factory.mktemp("page") / "acme-connectors"
    package.mkdir()
    yield package
    with suppress(OSError, ValueError):
        os.kill(int((package / "api.pid").read_text()), signal.SIGTERM)


def free_port() -> str:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return str(chosen.getsockname()[1])


def files() -> Iterator[tuple[str, str]]:
    for block in blocks(PAGE):
        for word in block.words:
            if word.startswith("file="):
                yield word.removeprefix("file="), block.text


def run(block: Block, folder: Path, environment: dict[str, str]) -> str:
    finished = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", block.text],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )
    assert finished.returncode == 0, f"{PAGE.name}:{block.line}\n{finished.stdout}"
    return finished.stdout


def test_the_page_can_be_followed(folder: Path, environment: dict[str, str]) -> None:
    port, output = free_port(), ""
    for name, text in files():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    for block in blocks(PAGE):
        here = block._replace(text=block.text.replace(PORT, port))
        if "follow" in block.words:
            output = run(here, folder, environment)
        elif block.is_output:
            assert fits(output, here.text), f"{PAGE.name}:{block.line} but there is\n{output}"


def test_the_page_shows_every_file_that_its_layout_names() -> None:
    """The first block of the page lists the files, or folders of them."""
    listed = re.findall(r"^([\w./]+)(?= {2,})", next(blocks(PAGE)).text, re.MULTILINE)
    shown = [name for name, _ in files()]
    assert listed
    assert [name for name in listed if not any(path.startswith(name) for path in shown)] == []
