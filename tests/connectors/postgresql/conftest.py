"""What tests of PostgreSQL leave behind is closed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ferris_beam.connectors.postgresql.reading import pool, snapshots


@pytest.fixture(autouse=True)
def _no_connections_left() -> Iterator[None]:
    """What readers of this process keep open between pipelines is closed after each test."""
    yield
    snapshots.release_all()
    pool.close_all()
