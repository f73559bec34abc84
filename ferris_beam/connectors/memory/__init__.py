"""``memory://name``: batches that stay in the process; for tests, notebooks and examples."""

from ferris_beam.connectors.memory.declaration import CONNECTOR
from ferris_beam.connectors.memory.store import Stream, clear, put, stream, take

__all__ = ["CONNECTOR", "Stream", "clear", "put", "stream", "take"]
