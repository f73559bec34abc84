"""JSON behind the id of its JSON Schema: what is registered, and columns that a schema tells."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from ferris_beam.connectors.kafka.decoding.json_schema import columns_of
from ferris_beam.connectors.kafka.registry import Registered
from ferris_beam.connectors.kafka.writing.json_schema import json_schema
from ferris_beam.errors import ConfigurationError, SchemaError, UnreachableError
from ferris_beam.testing.cases import sample
from ferris_beam.testing.rows import demand_rows
from tests.connectors.kafka.conftest import NewTopic
from tests.connectors.kafka.endpoints import read, read_all
from tests.connectors.kafka.test_formats import WIDE, write
from tests.services.kafka import Topic
from tests.services.schema_registry import SchemaRegistry


def registered(schema: Any, **references: Any) -> Registered:
    inner = {name: registered(each) for name, each in references.items()}
    return Registered(1, "JSON", json.dumps(schema), inner)


def columns(properties: dict[str, Any], **more: Any) -> dict[str, str]:
    schema = columns_of([registered({"type": "object", "properties": properties, **more})])
    return {field.name: str(field.type) for field in schema}


# ── out and back in ─────────────────────────────────────────────────────────────────────────────


def test_rows_come_back_as_they_were_written_without_naming_columns(
    topic: Topic, registry: SchemaRegistry
) -> None:
    uri = topic.uri(schema_registry=registry.url)
    more = pa.table(
        {
            "raw": pa.array([b"\xff", b"", None]),
            "small": pa.array([1, None, -3], pa.int16()),
            "share": pa.array([1.5, None, 0.25], pa.float32()),
            "counts": pa.array([[("a", 1)], [], None], pa.map_(pa.string(), pa.int64())),
        }
    )
    table = WIDE
    for field in more.schema:
        table = table.append_column(field, more[field.name])
    write(f"{uri}&subject_strategy=topic", table)
    found = read(uri)
    demand_rows(found, table, "JSON Schema")
    assert found.schema.equals(table.schema)


def test_values_are_behind_the_id_of_a_schema_of_their_kind(
    topic: Topic, registry: SchemaRegistry
) -> None:
    write(topic.uri(schema_registry=registry.url, subject_strategy="topic"), sample())
    latest = registry.call("GET", f"/subjects/{topic.name}-value/versions/latest")
    assert latest["schemaType"] == "JSON"
    names = set(json.loads(latest["schema"])["properties"])
    for value in topic.values():
        assert value is not None
        assert value[:5] == b"\0" + int(latest["id"]).to_bytes(4, "big")
        assert set(json.loads(value[5:])) == names == set(sample().schema.names)


@pytest.mark.parametrize(
    ("strategy", "subject"),
    [
        ("subject_strategy=record", "{record}"),
        ("subject_strategy=topic_record", "{topic}-{record}"),
        ("subject=own-{topic}", "own-{topic}"),
    ],
)
def test_the_schema_is_registered_under_the_subject_of_the_strategy(
    new_topic: NewTopic, registry: SchemaRegistry, strategy: str, subject: str
) -> None:
    topic = new_topic()
    names = {"topic": topic.name, "record": topic.name.replace("-", "_")}
    uri = topic.uri(schema_registry=registry.url)
    write(f"{uri}&{strategy.format(**names)}", sample())
    assert subject.format(**names) in registry.call("GET", "/subjects")


def test_json_is_registered_only_where_that_is_asked_for(
    topic: Topic, registry: SchemaRegistry
) -> None:
    write(topic.uri(schema_registry=registry.url), pa.table({"id": [1]}))
    assert topic.values() == [b'{"id":1}']
    assert read(topic.uri(schema_registry=registry.url)).to_pylist() == [{"id": 1}]


def test_columns_may_be_added_and_types_may_not_change(
    topic: Topic, registry: SchemaRegistry
) -> None:
    uri = topic.uri(schema_registry=registry.url)
    again = f"{uri}&subject_strategy=topic&ledger_topic={topic.name}"
    write(f"{again}-1", pa.table({"a": [1]}))
    write(f"{again}-2", pa.table({"a": [2], "b": ["x"]}))
    rows = sorted(read(uri).to_pylist(), key=lambda row: row["a"])
    assert rows == [{"a": 1, "b": None}, {"a": 2, "b": "x"}]
    with pytest.raises(ConfigurationError, match="refuses the schema"):
        write(f"{again}-3", pa.table({"a": ["text"], "b": ["x"]}))
    assert len(topic.values()) == 2


def test_a_subject_needs_a_registry(topic: Topic) -> None:
    with pytest.raises(ConfigurationError, match="schema_registry="):
        write(topic.uri(subject="mine"), pa.table({"a": [1]}))


# ── what others write ───────────────────────────────────────────────────────────────────────────


def test_what_others_write_has_the_columns_of_its_schema(
    topic: Topic, registry: SchemaRegistry
) -> None:
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {"id": {"type": "integer"}, "at": {"type": "string", "format": "date-time"}},
    }
    id = registry.register(f"elsewhere-{topic.name}", schema, "JSON")
    header = b"\0" + id.to_bytes(4, "big")
    topic.produce([header + b'{"id":1,"more":2}', header + b'{"id":"x"}', header + b"{"])
    table, rejects = read_all(topic.uri(schema_registry=registry.url))
    assert table.schema == pa.schema([("id", pa.int64()), ("at", pa.timestamp("us", "UTC"))])
    assert table.to_pylist() == [{"id": 1, "at": None}]
    assert [each.position for each in rejects] == [1, 2]
    text = read_all(topic.uri(schema_registry=registry.url), types={"at": "string"})[0]
    assert text.schema.field("at").type == pa.string()


def test_a_registry_that_is_down_is_named_where_messages_need_it(topic: Topic) -> None:
    topic.produce([b'\0\0\0\0\1{"id":1}'])
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:1 can't be reached"):
        read(topic.uri(schema_registry="http://127.0.0.1:1"))
    assert read(topic.uri()).to_pylist() == [{"id": 1}]


def test_an_unknown_id_and_another_kind_of_schema_are_said(
    topic: Topic, registry: SchemaRegistry
) -> None:
    topic.produce([b"\0" + (10**6).to_bytes(4, "big") + b'{"id":1}'])
    with pytest.raises(ConfigurationError, match="1000000"):
        read(topic.uri(schema_registry=registry.url))
    avro = '{"type":"record","name":"A","fields":[{"name":"id","type":"int"}]}'
    registry.register(f"{topic.name}-value", avro)
    with pytest.raises(SchemaError, match="is of the kind AVRO, not JSON"):
        read(topic.uri(schema_registry=registry.url))


# ── schemas ─────────────────────────────────────────────────────────────────────────────────────


def test_types_are_told_by_all_the_words_there_are() -> None:
    assert columns(
        {
            "id": {"type": "integer"},
            "small": {"type": "integer", "connect.type": "int16"},
            "x": {"type": ["null", "number"]},
            "day": {"type": "string", "format": "date"},
            "kind": {"enum": ["a", "b"]},
            "tags": {"type": "array", "items": {"anyOf": [{"type": "null"}, {"type": "string"}]}},
            "place": {"$ref": "#/definitions/place"},
            "more": {"type": "object", "additionalProperties": {"type": "boolean"}},
        },
        definitions={"place": {"type": "object", "properties": {"x": {"type": "number"}}}},
    ) == {
        "id": "int64",
        "small": "int16",
        "x": "double",
        "day": "date32[day]",
        "kind": "string",
        "tags": "list<item: string>",
        "place": "struct<x: double>",
        "more": "map<string, bool>",
    }


def test_references_are_schemas_that_the_registry_keeps() -> None:
    place = {"type": "object", "properties": {"x": {"$ref": "#/$defs/x"}}}
    place["$defs"] = {"x": {"type": "integer"}}
    schema = {"type": "object", "properties": {"place": {"$ref": "place.json"}}}
    found = columns_of([registered(schema, **{"place.json": place})])
    assert found == pa.schema([("place", pa.struct([("x", pa.int64())]))])


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "array", "items": {"type": "integer"}}, "not of objects with properties"),
        ({"type": "object"}, "at the top: the schema does not say one type"),
        ({"properties": {"a": {}}, "type": "object"}, "schema 1, a: the schema does not say"),
        (
            {"properties": {"a": {"type": ["integer", "string"]}}, "type": "object"},
            "schema 1, a: the schema does not say one type",
        ),
        ({"properties": {"a": {"$ref": "#/no"}}, "type": "object"}, "refers to nothing"),
        ({"properties": {"a": {"$ref": "no.json"}}, "type": "object"}, "no 'no.json' among"),
        ({"$ref": "#"}, "at the top"),
    ],
)
def test_schemas_that_tell_no_columns_are_refused_with_the_place(schema: Any, why: str) -> None:
    with pytest.raises(SchemaError, match=why):
        columns_of([registered(schema)])


def test_the_schema_of_rows_tells_their_types_again() -> None:
    schema = pa.schema(
        [
            ("n", pa.int8()),
            ("d", pa.decimal128(12, 3)),
            ("at", pa.timestamp("us", "UTC")),
            ("local", pa.timestamp("us")),
            ("deep", pa.list_(pa.struct([("m", pa.map_(pa.string(), pa.date32()))]))),
        ]
    )
    found = columns_of([registered(json_schema(schema, "Row"))])
    assert found == schema.set(3, pa.field("local", pa.string())), "JSON Schema has no such type"
