"""``memory://name``: batches that stay in the process; for tests, notebooks and examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ferris_beam.connectors.memory.declaration import CONNECTOR

if TYPE_CHECKING:
    from ferris_beam.connectors.memory.store import Stream, clear, put, stream, take

__all__ = ["CONNECTOR", "Stream", "clear", "put", "stream", "take"]


def __getattr__(name: str) -> Any:
    """The store, once it is used: the declaration alone needs no pyarrow."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ferris_beam.connectors.memory import store

    return getattr(store, name)
