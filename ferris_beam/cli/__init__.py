"""The command line: ``python -m ferris_beam``, also installed as ``ferris-beam``."""

from __future__ import annotations

from ferris_beam.cli.command import run_command

__all__ = ["run_command"]
