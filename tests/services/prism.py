"""Beam's own portable runner, built from its source: one program, without a network of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.services import cache
from tests.services.tiers import FULL, tool

VERSION = "2.77.0"
_SOURCE = f"github.com/apache/beam/sdks/v2/go/cmd/prism@v{VERSION}"


def binary() -> Path:
    """The program; the first time it takes minutes, as a compiler has to make it."""
    go = tool("go", FULL, "the Prism runner")

    def build(folder: Path) -> None:
        environment = os.environ | {"GOBIN": str(folder)}
        command = [go, "install", "-ldflags=-s -w", _SOURCE]
        subprocess.run(command, check=True, timeout=1800, cwd="/", env=environment)

    return cache.once(f"prism-{VERSION}", build) / "prism"
