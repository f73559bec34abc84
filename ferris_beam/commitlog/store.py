"""Where a numbered log keeps its documents: the little that it asks of a store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class LogStore(Protocol):
    """A flat folder of small documents.

    Demanded of every implementation:

    * `create_exclusive` is whole or nothing, also for those who look at the same time, and durable
      when it returns. If it raises, the document may or may not have been created.
    * `names` shows one state of the folder: never a document without another one that was created
      before it and still exists.
    """

    def names(self) -> Iterable[str]:
        """The names of all documents, in any order; none where nothing was ever created."""

    def read(self, name: str) -> bytes | None:
        """The document's content, or None where there is none of this name."""

    def create_exclusive(self, name: str, data: bytes) -> bool:
        """Creates a document; False where the name is taken."""

    def delete(self, name: str) -> None:
        """Removes a document; it may be gone already."""
