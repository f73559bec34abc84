"""The command line: ``python -m ferris_beam``, also installed as ``ferris-beam``."""

from __future__ import annotations

from ferris_beam.cli.command import run_command
from ferris_beam.cli.pipeline import run_pipeline

__all__ = ["run_command", "run_pipeline"]
