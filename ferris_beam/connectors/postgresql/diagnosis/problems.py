"""Errors as findings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ferris_beam.connectors.postgresql.failures import explained
from ferris_beam.connectors.postgresql.server import Server
from ferris_beam.errors import FerrisError
from ferris_beam.findings import Finding


def problem(check: str, error: FerrisError, server: Server) -> Finding:
    """The problem that an error stands for, without the place, which is known already."""
    lines = error.message.removeprefix(f"{server.display}: ").splitlines()
    fix = "\n".join(line.removeprefix("    ").rstrip() for line in lines[1:])
    return Finding(check, "problem", lines[0].removesuffix(" Run:"), fix)


def attempted(check: str, server: Server, action: Callable[[], Any]) -> Finding | None:
    """The problem that ``action`` met; None: there was none."""
    try:
        with explained(server.display):
            action()
    except FerrisError as error:
        return problem(check, error, server)
    return None
