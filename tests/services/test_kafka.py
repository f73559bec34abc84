"""The broker and the registry of the tests: started, killed, started again."""

from __future__ import annotations

from tests.services import kafka, schema_registry
from tests.services.kafka import Topic


def test_what_a_broker_took_is_there_after_it_was_killed() -> None:
    with kafka.running() as broker:
        topic = Topic.create(broker, 2)
        topic.produce([b"a", None], 0, key="k")
        topic.produce([b"b"], 1)
        assert topic.values() == [b"a", None, b"b"]
        before = broker.pid
        broker.kill()
        broker.start()
        assert broker.pid != before
        assert topic.values() == [b"a", None, b"b"]


def test_a_registry_gives_back_what_it_was_given() -> None:
    with schema_registry.running() as registry:
        schema = {"type": "record", "name": "A", "fields": [{"name": "x", "type": "int"}]}
        id = registry.register("a-value", schema)
        assert registry.call("GET", f"/schemas/ids/{id}")["schema"]
        assert registry.call("GET", "/subjects") == ["a-value"]
