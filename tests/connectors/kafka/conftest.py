"""A broker and a registry for all tests that use these fixtures, and topics for each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import pytest

from tests.services import kafka, schema_registry
from tests.services.kafka import KafkaBroker, Topic
from tests.services.schema_registry import SchemaRegistry

NewTopic = Callable[..., Topic]

_brokers: list[KafkaBroker] = []
_registries: list[SchemaRegistry] = []


@pytest.fixture(scope="session")
def broker(pytestconfig: pytest.Config) -> KafkaBroker:
    """One for the whole session, also where modules elsewhere import this fixture."""
    if not _brokers:
        running = ExitStack()
        _brokers.append(running.enter_context(kafka.running()))
        pytestconfig.add_cleanup(running.close)
    return _brokers[0]


@pytest.fixture(scope="session")
def registry(pytestconfig: pytest.Config) -> SchemaRegistry:
    """One for the whole session, too."""
    if not _registries:
        running = ExitStack()
        _registries.append(running.enter_context(schema_registry.running()))
        pytestconfig.add_cleanup(running.close)
    return _registries[0]


@pytest.fixture
def new_topic(broker: KafkaBroker) -> NewTopic:
    """Creates topics; they go with the broker."""

    def create(partitions: int = 1, **settings: object) -> Topic:
        return Topic.create(broker, partitions, **settings)  # type: ignore[arg-type]

    return create


@pytest.fixture
def topic(new_topic: NewTopic) -> Topic:
    """A topic with one partition."""
    return new_topic()
