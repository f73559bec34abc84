"""Values in every format: what comes out, and that nothing is lost on the way out and back in."""

from __future__ import annotations

import datetime as dt
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.connectors.kafka.decoding.lines import JsonDecoder
from ferris_beam.errors import ConfigurationError, SchemaError
from ferris_beam.testing import SinkCase
from ferris_beam.testing.cases import sample
from ferris_beam.testing.rows import demand_rows
from ferris_beam.testing.writing import pieces, running
from tests.connectors.kafka.conftest import NewTopic
from tests.connectors.kafka.decoders import halves, one_row
from tests.connectors.kafka.endpoints import read, read_all, reading
from tests.services.kafka import Topic
from tests.services.schema_registry import SchemaRegistry

_UTC = dt.timezone.utc


def write(uri: str, table: pa.Table, **options: Any) -> None:
    """Through the sink, in one commit."""
    case = SinkCase(uri=uri, options=options, read=lambda: pa.table({}))
    with running(case) as run:
        run.commit(*pieces(table, 2))
        run.finish()


# ── out and back in ─────────────────────────────────────────────────────────────────────────────

WIDE = pa.table(
    {
        "id": pa.array([1, 2, 3], pa.int64()),
        "price": pa.array([Decimal("1.50"), None, Decimal("-3.25")], pa.decimal128(10, 2)),
        "at": pa.array([dt.datetime(2024, 1, 2, 3, 4, 5, 6, _UTC)] * 3, pa.timestamp("us", "UTC")),
        "day": pa.array([dt.date(2024, 2, 29), None, dt.date(1, 1, 1)], pa.date32()),
        "tags": pa.array([["a", None], [], None], pa.list_(pa.string())),
        "place": pa.array(
            [{"x": 1.5, "y": "ü"}, None, {"x": None, "y": ""}],
            pa.struct([("x", pa.float64()), ("y", pa.string())]),
        ),
        "ok": pa.array([True, None, False]),
    }
)


def test_json_comes_back_as_it_was_written(topic: Topic) -> None:
    types = (
        "id:int64,price:decimal(10,2),at:timestamptz,day:date,tags:list<string>,"
        "place:struct<x:double,y:string>,ok:bool"
    )
    write(topic.uri(), WIDE)
    demand_rows(read(topic.uri(), schema=types), WIDE, "JSON")


def test_avro_comes_back_as_it_was_written(topic: Topic, registry: SchemaRegistry) -> None:
    write(topic.uri(format="avro", schema_registry=registry.url), WIDE)
    demand_rows(read(topic.uri(format="avro", schema_registry=registry.url)), WIDE, "Avro")


def test_others_read_the_avro_that_is_written(topic: Topic, registry: SchemaRegistry) -> None:
    write(topic.uri(format="avro", schema_registry=registry.url), sample())
    latest = registry.call("GET", f"/subjects/{topic.name}-value/versions/latest")
    schema = fastavro.parse_schema(json.loads(latest["schema"]))
    found = []
    for value in topic.values():
        assert value is not None
        assert value[:5] == b"\0" + int(latest["id"]).to_bytes(4, "big")
        found.append(fastavro.schemaless_reader(io.BytesIO(value[5:]), schema, None))
    demand_rows(pa.Table.from_pylist(found, schema=sample().schema), sample(), "fastavro")


@pytest.mark.parametrize(("format", "kind"), [("string", pa.string()), ("bytes", pa.binary())])
def test_plain_values_come_back_as_they_were_written(
    topic: Topic, format: str, kind: pa.DataType
) -> None:
    table = pa.table({"value": pa.array(["a", "", "ü\n"], pa.string()).cast(kind)})
    write(topic.uri(format=format), table)
    found = read(topic.uri(format=format))
    assert found.schema == pa.schema([("value", kind)])
    demand_rows(found, table, format)


def test_bytes_are_any_bytes_and_texts_are_not(topic: Topic) -> None:
    topic.produce([b"\xff\x00", b"fine"])
    assert read(topic.uri(format="bytes"))["value"].to_pylist() == [b"\xff\x00", b"fine"]
    table, rejects = read_all(topic.uri(format="string"))
    assert table["value"].to_pylist() == ["fine"]
    assert [(each.position, each.reason, each.payload) for each in rejects] == [
        (0, "not UTF-8", b"\xff\x00")
    ]


def test_csv_values_are_rows_of_the_columns_that_are_named(topic: Topic) -> None:
    topic.produce([b'1;"a;b"', b"2;", b"3", b"", b"4;x\n5;y"])
    table, rejects = read_all(topic.uri(format="csv", delimiter=";"), schema="id:int64,name:string")
    assert table.to_pylist() == [{"id": 1, "name": "a;b"}, {"id": 2, "name": None}]
    assert [each.position for each in rejects] == [2, 3, 4]
    with pytest.raises(ConfigurationError, match="name the columns with schema="):
        read(topic.uri(format="csv"))


# ── the user's own ──────────────────────────────────────────────────────────────────────────────


def test_a_function_decodes_what_it_likes_and_its_errors_reject_single_messages(
    topic: Topic,
) -> None:
    topic.produce([b"a=1", b"none", b"b=2", b"\xff", b"c=3"])
    table, rejects = read_all(topic.uri(), decoder=halves)
    assert table.to_pylist() == [
        {"left": "a", "right": "1"},
        {"left": "b", "right": "2"},
        {"left": "c", "right": "3"},
    ]
    assert [each.position for each in rejects] == [1, 3]
    assert rejects[0].reason == "ValueError: no two halves"
    again = read_all(topic.uri(decoder="tests.connectors.kafka.decoders:halves"))[0]
    assert again == table


def test_a_function_that_loses_rows_is_refused(topic: Topic) -> None:
    topic.produce([b"a", b"b"])
    with pytest.raises(SchemaError, match="made 1 rows of 0 values"):
        read(topic.uri(), decoder=one_row)


def test_a_function_that_is_not_there_is_named(topic: Topic) -> None:
    with pytest.raises(ConfigurationError, match=r"tests\.nowhere:decode: it can't be imported"):
        read(topic.uri(decoder="tests.nowhere:decode"))


# ── JSON ────────────────────────────────────────────────────────────────────────────────────────


def test_each_bad_message_is_rejected_with_its_bytes_and_the_others_are_read(
    topic: Topic,
) -> None:
    bad = {
        1: b"{",
        3: b"",
        4: b"   ",
        6: b'{"id":"x"}',
        8: b'{"id":8}{"id":9}',
        9: b'{"id":9}\n{"id":10}',
        11: b'{"id":11,"name":"a\nb"}',
        12: b"[1]",
        13: b"\xff\xfe",
    }
    values = [bad.get(n, json.dumps({"id": n, "name": f"n{n}"}).encode()) for n in range(16)]
    values[14] = json.dumps({"id": 14, "name": "n14"}, indent=2).encode()
    topic.produce(values)
    table, rejects = read_all(topic.uri(), schema="id:int64,name:string")
    good = [n for n in range(16) if n not in bad]
    assert table["id"].to_pylist() == good
    assert table["name"].to_pylist() == [f"n{n}" for n in good]
    assert [each.position for each in rejects] == sorted(bad)
    assert all(each.payload == bad[each.position] for each in rejects if bad[each.position])
    assert all(topic.name in each.place for each in rejects)


def test_other_keys_are_ignored_or_reject_their_message(topic: Topic) -> None:
    topic.produce([b'{"id":1}', b'{"id":2,"new":true}'])
    assert read(topic.uri(), schema="id:int64")["id"].to_pylist() == [1, 2]
    table, rejects = read_all(topic.uri(extra_keys="reject", sample_messages=1))
    assert table["id"].to_pylist() == [1]
    assert "'new' is no column" in rejects[0].reason


def test_json_behind_the_id_of_a_schema_is_read_as_well(topic: Topic) -> None:
    topic.produce([b'\0\0\0\0\x07{"id":1}', b'{"id":2}', b"\0\0\0\0\x07", b"\0{"])
    table, rejects = read_all(topic.uri())
    assert table["id"].to_pylist() == [1, 2]
    assert [each.position for each in rejects] == [2, 3]


def test_columns_are_told_by_the_first_messages_and_by_types(topic: Topic) -> None:
    topic.produce([b'{"zip":"01067","n":1}', b"{bad", b'{"n":2.5,"at":"2024-01-01T00:00:00Z"}'])
    with reading(topic.uri(), types={"zip": "int64"}) as reader:
        assert reader.schema() == pa.schema(
            [("zip", pa.int64()), ("n", pa.float64()), ("at", pa.timestamp("us", "UTC"))]
        )


def test_a_topic_without_messages_says_what_to_do(topic: Topic) -> None:
    with pytest.raises(ConfigurationError, match=r"has no message yet.*schema=id:int64"):
        read(topic.uri())


_VALUES = st.one_of(
    st.fixed_dictionaries({"id": st.integers(-(2**53), 2**53), "name": st.text(max_size=5)}).map(
        lambda row: json.dumps(row).encode()
    ),
    st.binary(max_size=8),
    st.sampled_from([b"{}", b'{"id":1}\n', b"{\n}", b'{"id":\n1}', b"null", b"{}{}", b"}{"]),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_VALUES, max_size=12))
def test_any_values_are_judged_together_as_each_by_itself(values: list[bytes]) -> None:
    schema = pa.schema([("id", pa.int64()), ("name", pa.string())])
    together = JsonDecoder(schema, "ignore").decode(values)
    rows: list[Any] = []
    bad = set()
    for number, value in enumerate(values):
        alone = JsonDecoder(schema, "ignore").decode([value])
        rows += alone.records.to_pylist()
        bad |= {number for _ in alone.bad}
    assert together.records.num_rows + len(together.bad) == len(values)
    assert set(together.bad) == bad
    assert together.records.to_pylist() == rows


# ── Avro ────────────────────────────────────────────────────────────────────────────────────────


def encoded(id: int, schema: dict[str, Any], row: dict[str, Any]) -> bytes:
    buffer = io.BytesIO(b"\0" + id.to_bytes(4, "big"))
    buffer.seek(5)
    fastavro.schemaless_writer(buffer, fastavro.parse_schema(dict(schema)), row)
    return buffer.getvalue()


def order(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "record", "name": "Order", "fields": [{"name": "id", "type": "int"}, *fields]}


def test_schemas_that_change_in_mid_stream_are_resolved_by_name(
    topic: Topic, registry: SchemaRegistry
) -> None:
    """By the specification's rules: promotion, defaults, columns that were not there yet."""
    old = order({"name": "note", "type": "string"})
    new = order(
        {"name": "amount", "type": "double", "default": 1.5},
        {"name": "note", "type": ["null", "string"], "default": None},
    )
    new["fields"][0]["type"] = "long"
    subject = f"{topic.name}-value"
    first, second = registry.register(subject, old), registry.register(subject, new)
    topic.produce(
        [
            encoded(first, old, {"id": 1, "note": "a"}),
            encoded(second, new, {"id": 2**40, "amount": 2.0, "note": None}),
            encoded(first, old, {"id": 3, "note": "c"}),
        ]
    )
    table = read(topic.uri(format="avro", schema_registry=registry.url))
    assert table.schema.field("id").type == pa.int64()
    assert table.to_pylist() == [
        {"id": 1, "amount": 1.5, "note": "a"},
        {"id": 2**40, "amount": 2.0, "note": None},
        {"id": 3, "amount": 1.5, "note": "c"},
    ]


def test_bad_avro_is_rejected_message_by_message(topic: Topic, registry: SchemaRegistry) -> None:
    schema = order({"name": "note", "type": "string"})
    id = registry.register(f"{topic.name}-value", schema)
    good = [encoded(id, schema, {"id": n, "note": f"note {n}"}) for n in range(3)]
    bad = [
        b"plain text",
        b"",
        b"\0" + (10**6).to_bytes(4, "big") + b"x",
        good[0][:-2],
        good[0] + b"more",
        good[0][:5] + b"\xff" * 12,
    ]
    topic.produce([good[0], *bad, *good[1:]])
    table, rejects = read_all(topic.uri(format="avro", schema_registry=registry.url))
    assert table["id"].to_pylist() == [0, 1, 2]
    assert [each.position for each in rejects] == [1, 2, 3, 4, 5, 6]
    assert [each.payload for each in rejects if each.payload in bad] == [b for b in bad if b]
    reasons = [each.reason for each in rejects]
    assert "does not begin with a zero byte and the id of a schema" in reasons
    assert "the registry has no schema 1000000" in reasons


def test_types_that_others_are_named_by_come_from_references(
    topic: Topic, registry: SchemaRegistry
) -> None:
    place = {"type": "record", "name": "Place", "fields": [{"name": "x", "type": "int"}]}
    place["namespace"] = "shop"
    registry.register(f"{topic.name}-place", place)
    schema = {**order({"name": "place", "type": "Place"}), "namespace": "shop"}
    references = [{"name": "shop.Place", "subject": f"{topic.name}-place", "version": 1}]
    id = registry.register(f"{topic.name}-value", schema, references=references)
    whole = order({"name": "place", "type": place})
    topic.produce([encoded(id, whole, {"id": 1, "place": {"x": 5}})])
    table = read(topic.uri(format="avro", schema_registry=registry.url))
    assert table.to_pylist() == [{"id": 1, "place": {"x": 5}}]


def test_without_a_subject_the_first_messages_tell_the_schema(
    topic: Topic, registry: SchemaRegistry
) -> None:
    schema = order()
    id = registry.register(f"elsewhere-{topic.name}", schema)
    topic.produce([encoded(id, schema, {"id": 4})])
    assert read(topic.uri(format="avro", schema_registry=registry.url)).to_pylist() == [{"id": 4}]


def test_plain_avro_needs_no_registry(topic: Topic, tmp_path: Path) -> None:
    schema = order({"name": "note", "type": "string"})
    file = tmp_path / "order.avsc"
    file.write_text(json.dumps(schema))
    rows = [{"id": n, "note": "x" * n} for n in range(5)]
    topic.produce([encoded(0, schema, row)[5:] for row in rows])
    found = read(topic.uri(format="avro", schema_file=file))
    assert found.to_pylist() == rows
    with pytest.raises(ConfigurationError, match="can't be read"):
        read(topic.uri(format="avro", schema_file=tmp_path / "missing.avsc"))


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
    uri = topic.uri(format="avro", schema_registry=registry.url)
    write(f"{uri}&{strategy.format(**names)}", sample())
    assert subject.format(**names) in registry.call("GET", "/subjects")


def test_an_incompatible_schema_is_refused_by_the_registry_and_nothing_is_written(
    topic: Topic, registry: SchemaRegistry
) -> None:
    registry.register(f"{topic.name}-value", order({"name": "other", "type": "string"}))
    with pytest.raises(ConfigurationError, match="refuses the schema"):
        write(topic.uri(format="avro", schema_registry=registry.url), sample())
    assert topic.values() == []
