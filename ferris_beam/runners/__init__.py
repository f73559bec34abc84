"""Choosing, checking and launching a Beam runner."""

from __future__ import annotations

from ferris_beam.runners.arguments import Problems, beam_options
from ferris_beam.runners.choice import Choice, choose
from ferris_beam.runners.construction import new_pipeline
from ferris_beam.runners.launch import launch

__all__ = ["Choice", "Problems", "beam_options", "choose", "launch", "new_pipeline"]
