"""From a command line to its command, whose module is imported when it is called."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from ferris_beam.cli.arguments import parse
from ferris_beam.cli.command import run_command


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command line (``sys.argv`` unless given) and returns its exit code."""
    words = sys.argv[1:] if argv is None else list(argv)

    def command() -> int | None:
        arguments = parse(words)
        module = import_module(f"ferris_beam.cli.{arguments.command.replace('-', '_')}")
        return module.run(arguments)

    return run_command(command, as_json="--json" in words)
