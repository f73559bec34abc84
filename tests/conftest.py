"""Fixtures for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest


@pytest.fixture
def numbers() -> Iterator[ModuleType]:
    """The tests' own connector, registered and empty."""
    from ferris_beam import registry
    from tests import numbers_connector

    registry.register(numbers_connector.CONNECTOR)
    numbers_connector.clear()
    yield numbers_connector
    numbers_connector.clear()
    registry.unregister(numbers_connector.CONNECTOR)
