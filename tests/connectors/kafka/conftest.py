"""A broker and a registry for all tests here, and topics for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.services import kafka, schema_registry
from tests.services.kafka import KafkaBroker, Topic
from tests.services.schema_registry import SchemaRegistry

NewTopic = Callable[..., Topic]


@pytest.fixture(scope="session")
def broker() -> Iterator[KafkaBroker]:
    with kafka.running() as started:
        yield started


@pytest.fixture(scope="session")
def registry() -> Iterator[SchemaRegistry]:
    with schema_registry.running() as started:
        yield started


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
