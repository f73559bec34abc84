"""Options of sources and sinks: declaring them, checking them, resolving them, describing them."""

from __future__ import annotations

from ferris_beam.options.check import check
from ferris_beam.options.describe import OptionRow, describe
from ferris_beam.options.options import Options, option
from ferris_beam.options.problems import Kind, Problem
from ferris_beam.options.resolve import Resolved, resolve, resolve_endpoint
from ferris_beam.options.rules import (
    Rule,
    at_least_one,
    conflicts,
    exclusive,
    requires,
    requires_either,
)
from ferris_beam.options.secrets import Secret
from ferris_beam.options.types import ByteSize, Duration, InWords, byte_size, duration

__all__ = [
    "ByteSize",
    "Duration",
    "InWords",
    "Kind",
    "OptionRow",
    "Options",
    "Problem",
    "Resolved",
    "Rule",
    "Secret",
    "at_least_one",
    "byte_size",
    "check",
    "conflicts",
    "describe",
    "duration",
    "exclusive",
    "option",
    "requires",
    "requires_either",
    "resolve",
    "resolve_endpoint",
]
