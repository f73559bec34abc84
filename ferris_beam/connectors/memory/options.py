"""Options of the memory connector."""

from __future__ import annotations

from ferris_beam.options import Options, option


class MemorySourceOptions(Options):
    """How ``memory://name`` is read."""

    unbounded: bool = option(
        False,
        description="Reads the stream `memory.stream(name)`, which grows until it is closed, "
        "instead of the batches that are there at the start.",
        example=True,
    )


class MemorySinkOptions(Options):
    """How ``memory://name`` is written: there is nothing to choose, rows are appended."""
