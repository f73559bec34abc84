"""The connector of these tests, registered while they run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ferris_beam import registry
from ferris_beam.connectors import memory
from tests.sql.stores.store_connector import CONNECTOR


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    registry.register(CONNECTOR)
    yield
    registry.unregister(CONNECTOR)
    memory.clear()
