"""What ``--json`` prints: one document on standard output, in ASCII, which no terminal obeys."""

from __future__ import annotations

import json
from typing import Any

from ferris_beam.errors import ConfigurationErrors, FerrisError


def print_json(document: Any) -> None:
    print(json.dumps(document, indent=2, allow_nan=False))


def of_error(error: FerrisError, code: int) -> dict[str, Any]:
    """The error of a command: its class, its message, the problems that it lists, if any."""
    problems = list(error.problems) if isinstance(error, ConfigurationErrors) else []
    headline = error.headline if isinstance(error, ConfigurationErrors) else error.message
    told = {"type": type(error).__name__, "message": headline, "problems": problems}
    return {"error": told, "exit_code": code}
