"""Runs a command as a person would see it: on a terminal of a given width."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parent.parent
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Session(NamedTuple):
    """What a command left on its terminal."""

    code: int
    raw: str

    @property
    def text(self) -> str:
        """Without colours and movements of the cursor."""
        return _ESCAPES.sub("", self.raw).replace("\r\n", "\n")


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without what decides about colours, and with ``variables``."""
    deciding = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TTY_COMPATIBLE"}
    kept = {name: value for name, value in os.environ.items() if name not in deciding}
    return {**kept, "PYTHONPATH": str(REPOSITORY), "TERM": "xterm-256color", **variables}


def python(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs ``python *arguments`` without a terminal."""
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment(**variables),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def python_on_terminal(columns: int, *arguments: str, **variables: str) -> Session:
    """Runs ``python *arguments`` with a terminal as its input, output and error."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    with subprocess.Popen(
        [sys.executable, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(**variables),
        start_new_session=True,
    ) as process:
        os.close(theirs)
        output = b""
        while block := _read(ours):
            output += block
        os.close(ours)
        code = process.wait(timeout=120)
    return Session(code, output.decode())


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # Linux says so when the last process that held the terminal is gone
        return b""
