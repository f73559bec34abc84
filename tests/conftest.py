"""Fixtures for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest


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
