"""Fixtures for all tests."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from types import ModuleType

import pytest

from tests.services.fixtures import database, flink, flink_cluster, server

__all__ = ["database", "flink", "flink_cluster", "server"]


def pytest_configure() -> None:
    """Processes of pytest-xdist are told a width, and what they start would break lines at it."""
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)


def pytest_unconfigure() -> None:
    """Commands that ran in this process have frozen what they imported: else DuckDB's and Polars'
    bindings report it as leaked at the exit."""
    gc.unfreeze()


@pytest.fixture
def numbers() -> Iterator[ModuleType]:
    """The faulty connector, registered and empty: numbers to read, tables to write, with faults."""
    from ferris_beam import registry
    from ferris_beam.testing import faulty

    registry.register(faulty.CONNECTOR)
    faulty.clear()
    yield faulty
    faulty.clear()
    registry.unregister(faulty.CONNECTOR)
