"""Topics that a sink creates: the one it writes, where that is asked for, and its ledger's."""

from __future__ import annotations

from hashlib import sha256

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import NewTopic

from ferris_beam.connectors.kafka.cluster import LEDGERS, Admin
from ferris_beam.connectors.kafka.options import KafkaSinkOptions
from ferris_beam.errors import ConfigurationError, FerrisError

_LONGEST_NAME = 249
_LEDGER = {
    "cleanup.policy": "compact",
    "max.message.bytes": str(8 << 20),
    # So that deleted records go soon, and a start reads little.
    "segment.ms": "3600000",
    "segment.bytes": str(16 << 20),
    "min.cleanable.dirty.ratio": "0.1",
    "delete.retention.ms": "3600000",
    "compression.type": "producer",
}


def ledger_name(topic: str, options: KafkaSinkOptions) -> str:
    """The ledger's topic of a sink."""
    if options.ledger_topic is not None:
        return options.ledger_topic
    name = LEDGERS + topic
    return name if len(name) <= _LONGEST_NAME else LEDGERS + sha256(topic.encode()).hexdigest()


def ensure_topic(admin: Admin, topic: str, options: KafkaSinkOptions) -> None:
    """Creates the topic where it isn't there and ``create_topic`` is set.

    Raises `ConfigurationError` where it isn't there else.
    """
    if not options.create_topic:
        admin.topics([topic])
        return
    if topic not in admin.names():
        settings = dict(map(_setting, options.topic_config))
        _create(admin, topic, options.topic_partitions, options.topic_replication, settings)


def create_ledger(admin: Admin, name: str, options: KafkaSinkOptions) -> None:
    _create(admin, name, 1, options.topic_replication, _LEDGER)


def _create(
    admin: Admin, name: str, partitions: int | None, replicas: int | None, settings: dict[str, str]
) -> None:
    new = NewTopic(name, partitions or -1, replicas or -1, config=settings)
    (future,) = admin.client.create_topics([new]).values()
    try:
        admin.answer(future, admin.display(name))
    except FerrisError as error:
        if not _is_there(error):
            raise
    admin.wait_for(name)


def _is_there(error: Exception) -> bool:
    """Whether another writer was quicker."""
    cause = error.__cause__
    return isinstance(cause, KafkaException) and (
        cause.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS
    )


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ConfigurationError(
            f"topic_config={text}: settings are written name=value, as retention.ms=-1"
        )
    return name.strip(), value.strip()
