"""For authors of connectors: the conformance suite, and a source and sink with faults at will.

Nothing here is loaded by a pipeline. The checks need no pytest; the two classes do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ferris_beam.testing.cases import SinkCase, SourceCase
    from ferris_beam.testing.checks import Check, ConformanceError, NotApplicable
    from ferris_beam.testing.menu import SINK_CHECKS, SOURCE_CHECKS
    from ferris_beam.testing.suite import SinkConformance, SourceConformance

__all__ = [
    "SINK_CHECKS",
    "SOURCE_CHECKS",
    "Check",
    "ConformanceError",
    "NotApplicable",
    "SinkCase",
    "SinkConformance",
    "SourceCase",
    "SourceConformance",
]

_MODULES = {
    "SINK_CHECKS": "menu",
    "SOURCE_CHECKS": "menu",
    "Check": "checks",
    "ConformanceError": "checks",
    "NotApplicable": "checks",
    "SinkCase": "cases",
    "SinkConformance": "suite",
    "SourceCase": "cases",
    "SourceConformance": "suite",
}


def __getattr__(name: str) -> Any:
    """Loads a name when it is used: only the two classes need pytest."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
