"""Which sources windows over endless input can have."""

from __future__ import annotations

from collections.abc import Collection

from ferris_beam.errors import PlanError
from ferris_beam.transforms.context import PipelineContext


def refuse_sources(label: str, context: PipelineContext, reads: Collection[str]) -> None:
    """Raises `PlanError` for a source whose event time doesn't advance."""
    for source in context.sources:
        if source.label not in reads:
            continue
        if source.bounded:
            raise PlanError(
                f"{label!r} never ends, and {source.uri} does: its rows would be read again at "
                "each start. Join it instead of uniting it, or read both to their end"
            )
        if source.polled:
            raise PlanError(
                f"{label!r} needs to know how far event time has come, and {source.uri} may get "
                "new units at any time, with rows of any age. Read a source whose units are all "
                "there from the start, or read what is there now (without watch or tail)"
            )
