"""A PostgreSQL server for all tests here, and a database for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ferris_beam.connectors.postgresql.reading import pool, snapshots

from tests.services.database import Database
from tests.services.postgresql import PostgresqlServer, running


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresqlServer]:
    """PostgreSQL 18 with wal_level=logical, shared by the session: leave it running, and leave
    its settings as they are; a test that can't takes ``running()`` for itself."""
    with running() as started:
        yield started


@pytest.fixture
def database(server: PostgresqlServer) -> Iterator[Database]:
    """A fresh database of `server`, dropped at the end with its slots."""
    made = Database(server)
    yield made
    made.drop()


@pytest.fixture(autouse=True)
def _no_connections_left() -> Iterator[None]:
    """What readers of this process keep open between pipelines is closed after each test."""
    yield
    snapshots.release_all()
    pool.close_all()
