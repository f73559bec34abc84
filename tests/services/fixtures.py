"""Fixtures of servers that a whole session shares: imported by the tests' conftest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.services import flink as flink_service
from tests.services.database import Database
from tests.services.flink import FlinkCluster
from tests.services.postgresql import PostgresqlServer, running


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresqlServer]:
    """PostgreSQL 18 with wal_level=logical, shared by the session: leave it running, and leave
    its settings as they are; a test that can't takes ``running()`` for itself."""
    with running() as started:
        yield started


@pytest.fixture
def database(server: PostgresqlServer) -> Iterator[Database]:
    """A fresh database of `server`, dropped at the end with its slots; what readers of this process
    keep open between pipelines is closed before."""
    made = Database(server)
    yield made
    with suppress(ImportError):
        from ferris_beam.connectors.postgresql.reading import pool, snapshots

        snapshots.release_all()
        pool.close_all()
    made.drop()


@pytest.fixture(scope="session")
def flink_cluster() -> Iterator[FlinkCluster]:
    """A Flink cluster with two slots and a worker pool, shared by the session; what a test kills
    it starts again."""
    with flink_service.running() as started:
        yield started


@pytest.fixture
def flink(flink_cluster: FlinkCluster) -> Iterator[FlinkCluster]:
    """`flink_cluster` without jobs, before and after."""
    flink_cluster.cancel_all()
    yield flink_cluster
    flink_cluster.cancel_all()
