"""Errors of the server while rows are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ferris_beam.connectors.postgresql.failures import explained
from ferris_beam.errors import BadRecordError, FatalError


@contextmanager
def reading(display: str) -> Iterator[None]:
    """As `explained`; but no row of ours is at fault where the server can't compute a query."""
    try:
        with explained(display):
            yield
    except BadRecordError as error:
        raise FatalError(
            f"{error.message}\nthe server can't compute the rows: correct the query or view, or "
            "leave out what it fails at"
        ) from error
