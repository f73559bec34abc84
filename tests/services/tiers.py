"""What a machine lacks: skipped by name, or a failure where everything is required."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

PIP = "pip"
FULL = "full"


def missing(tier: str, why: str) -> NoReturn:
    """Skips the test, or fails it where ``FERRIS_REQUIRE=all``."""
    reason = f"tier {tier!r}: {why}"
    if os.environ.get("FERRIS_REQUIRE") == "all":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def tool(name: str, tier: str, gives: str) -> str:
    """The path of a program; ``gives`` says what it is needed for."""
    found = shutil.which(name)
    if found is None:
        missing(tier, f"{gives} needs the program {name!r}, which is not on the PATH")
    return found
