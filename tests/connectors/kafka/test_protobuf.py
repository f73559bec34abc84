"""Protobuf, with the registry and without, out and back in and against Google's own library."""

from __future__ import annotations

import base64
import datetime as dt
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import timestamp_pb2
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.connectors.kafka.decoding.protobuf import ProtobufDecoder
from ferris_beam.connectors.kafka.protobuf.compiler import compiled
from ferris_beam.connectors.kafka.protobuf.declaring import proto_of
from ferris_beam.connectors.kafka.protobuf.messages import MessageType
from ferris_beam.connectors.kafka.protobuf.wire import header_of_indexes, indexes_of
from ferris_beam.errors import BadRecordError, ConfigurationError, SchemaError
from ferris_beam.testing.cases import sample
from ferris_beam.testing.rows import demand_rows
from tests.connectors.kafka.conftest import NewTopic
from tests.connectors.kafka.endpoints import read, read_all, reading
from tests.connectors.kafka.test_formats import write
from tests.services.kafka import Topic
from tests.services.schema_registry import SchemaRegistry
from tests.services.tiers import PIP, missing

_UTC = dt.timezone.utc
SHOP = """
syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
enum Kind { NONE = 0; BUY = 1; }
message Order {
  int64 id = 1;
  optional string note = 2;
  Kind kind = 3;
  repeated string tags = 4;
  repeated Line lines = 5;
  map<string, Line> by_sku = 6;
  google.protobuf.Timestamp at = 7;
  google.protobuf.Int64Value wrapped = 8;
  oneof way { string street = 9; Line box = 10; }
  message Gift { bytes card = 1; }
  Gift gift = 11;
}
message Line { string sku = 1; optional int32 count = 2; }
message Refund { int64 id = 1; }
"""


@pytest.fixture(scope="module", autouse=True)
def packages() -> None:
    for name, package in (("ptars", "ptars"), ("grpc_tools", "grpcio-tools")):
        if find_spec(name) is None:
            missing(PIP, f"Protobuf needs the package {package}")


@cache
def classes(text: str, imported: str = "") -> dict[str, Any]:
    """Google's own classes for the messages of a file, by their names; it may import line.proto."""
    files = compiled(text, {"line.proto": imported} if imported else {}, "test")
    pool = DescriptorPool()
    for file in files.file:
        pool.AddSerializedFile(file.SerializeToString())
    file = pool.FindFileByName(files.file[-1].name)
    found = dict(file.message_types_by_name)
    for outer in list(found.values()):
        found |= {f"{outer.name}.{inner.name}": inner for inner in outer.nested_types}
    return {name: GetMessageClass(each) for name, each in found.items()}


def framed(id: int, message: Any, indexes: tuple[int, ...] = (0,)) -> bytes:
    header = b"\0" + id.to_bytes(4, "big") + header_of_indexes(indexes)
    return header + bytes(message.SerializeToString())


def order(id: int, **fields: Any) -> Any:
    return classes(SHOP)["Order"](id=id, **fields)


@pytest.fixture
def uri(topic: Topic, registry: SchemaRegistry) -> str:
    return topic.uri(format="protobuf", schema_registry=registry.url)


# ── out and back in ─────────────────────────────────────────────────────────────────────────────

WIDE = pa.table(
    {
        "id": pa.array([1, None, 3], pa.int64()),
        "small": pa.array([-1, 2, None], pa.int32()),
        "whole": pa.array([2**64 - 1, 0, None], pa.uint64()),
        "price": pa.array([1.5, None, float("inf")], pa.float64()),
        "share": pa.array([1.5, None, -0.0], pa.float32()),
        "name": pa.array(["ü", "", None]),
        "raw": pa.array([b"\xff", b"", None]),
        "ok": pa.array([True, None, False]),
        "at": pa.array([dt.datetime(2024, 1, 2, 3, 4, 5, 6, _UTC)] * 2 + [None]).cast(
            pa.timestamp("us", "UTC")
        ),
        "lasts": pa.array([dt.timedelta(microseconds=-5), None, dt.timedelta(3)]),
        "day": pa.array([dt.date(2024, 2, 29), None, dt.date(1, 1, 1)], pa.date32()),
        "tags": pa.array([["a", ""], [], ["b"]], pa.list_(pa.string())),
        "counts": pa.array([[("a", 1)], [], [("b", 0)]], pa.map_(pa.string(), pa.int64())),
        "place": pa.array(
            [{"x": 1.5, "y": "ü"}, None, {"x": None, "y": ""}],
            pa.struct([("x", pa.float64()), ("y", pa.string())]),
        ),
        "legs": pa.array(
            [[{"to": "a", "via": ["b"]}], [], [{"to": None, "via": []}]],
            pa.list_(pa.struct([("to", pa.string()), ("via", pa.list_(pa.string()))])),
        ),
    }
)


def test_rows_come_back_as_they_were_written(uri: str) -> None:
    write(uri, WIDE)
    found = read(uri)
    demand_rows(found, WIDE, "Protobuf")
    assert found.schema.equals(WIDE.schema)


def test_others_read_what_is_written(topic: Topic, registry: SchemaRegistry, uri: str) -> None:
    write(uri, sample())
    latest = registry.call("GET", f"/subjects/{topic.name}-value/versions/latest")
    assert latest["schemaType"] == "PROTOBUF"
    Row = next(iter(classes(latest["schema"]).values()))
    found = []
    for value in topic.values():
        assert value is not None
        assert value[:6] == b"\0" + int(latest["id"]).to_bytes(4, "big") + b"\0"
        row = Row.FromString(value[6:])
        found.append(_plain(row, sample().schema.names))
    demand_rows(pa.Table.from_pylist(found, schema=sample().schema), sample(), "google.protobuf")


def _plain(row: Any, names: list[str]) -> dict[str, Any]:
    values = {name: getattr(row, name) if row.HasField(name) else None for name in names}
    return {
        name: value.ToDatetime(_UTC) if isinstance(value, timestamp_pb2.Timestamp) else value
        for name, value in values.items()
    }


def test_confluents_client_reads_what_is_written_and_writes_what_is_read(
    topic: Topic, registry: SchemaRegistry, uri: str
) -> None:
    context = SerializationContext(topic.name, MessageField.VALUE)
    client = SchemaRegistryClient({"url": registry.url})
    settings = {"use.deprecated.format": False, "auto.register.schemas": True}
    serialize = ProtobufSerializer(classes(SHOP)["Order"], client, settings)
    gift = ProtobufSerializer(classes(SHOP)["Order.Gift"], client, settings)
    topic.produce([serialize(order(3, note="n"), context)])
    assert read(uri)["id"].to_pylist() == [3]
    topic.produce([gift(classes(SHOP)["Order.Gift"](card=b"c"), context)])
    table, rejects = read_all(f"{uri}&message=shop.Order.Gift")
    assert (table.to_pylist(), len(rejects)) == ([{"card": b"c"}], 1)
    write(f"{uri}&subject=own-{topic.name}", pa.table({"id": [7]}))
    text = registry.call("GET", f"/subjects/own-{topic.name}/versions/latest")["schema"]
    Row = next(iter(classes(text).values()))
    found = ProtobufDeserializer(Row, {"use.deprecated.format": False})(topic.values()[-1], context)
    assert found.id == 7


def test_columns_keep_their_numbers_and_new_ones_get_new_ones(
    topic: Topic, registry: SchemaRegistry, uri: str
) -> None:
    write(uri, pa.table({"a": [1], "b": ["x"]}))
    write(f"{uri}&ledger_topic={topic.name}-2", pa.table({"c": [2.5], "b": ["y"], "a": [2]}))
    text = registry.call("GET", f"/subjects/{topic.name}-value/versions/latest")["schema"]
    assert [line.strip() for line in text.splitlines() if "=" in line][1:] == [
        "optional double c = 3;",
        "optional string b = 2;",
        "optional int64 a = 1;",
    ]
    rows = [{"a": 1, "b": "x", "c": None}, {"a": 2, "b": "y", "c": 2.5}]
    assert sorted(read(uri).to_pylist(), key=lambda row: row["a"]) == rows


def test_numbers_of_columns_that_are_gone_are_never_given_again() -> None:
    schema = pa.schema([("a", pa.int64()), ("b", pa.string())])
    first = compiled(proto_of(schema, "Row"), {}, "test")
    second = compiled(proto_of(pa.schema([("a", pa.int64())]), "Row", first), {}, "test")
    third = proto_of(pa.schema([("a", pa.int64()), ("c", pa.int64())]), "Row", second)
    assert "optional int64 c = 3;" in third
    assert "reserved 2 to 2;" in third


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (pa.decimal128(10, 2), "no type for decimal128"),
        (pa.time64("us"), "no type for time64"),
        (pa.list_(pa.list_(pa.int64())), "no type for list"),
        (pa.map_(pa.float64(), pa.string()), "no type for double"),
    ],
)
def test_types_that_protobuf_lacks_are_refused_by_name(kind: pa.DataType, why: str) -> None:
    with pytest.raises(SchemaError, match=f"column 'x': Protobuf has {why}"):
        proto_of(pa.schema([("x", kind)]), "Row")


@pytest.mark.parametrize(
    "column",
    [
        pa.array([["a", None]]),
        pa.array([[("a", None)]], pa.map_(pa.string(), pa.int64())),
        pa.array([[{"x": [1, None]}]], pa.list_(pa.struct([("x", pa.list_(pa.int64()))]))),
    ],
)
def test_a_null_inside_of_a_list_is_rejected_and_never_dropped(uri: str, column: pa.Array) -> None:
    with pytest.raises(BadRecordError, match="holds no nulls"):
        write(uri, pa.table({"x": column}))


# ── what others write ───────────────────────────────────────────────────────────────────────────


def test_what_others_write_is_read_with_all_kinds_of_fields(
    topic: Topic, registry: SchemaRegistry, uri: str
) -> None:
    id = registry.register(f"{topic.name}-value", SHOP, "PROTOBUF")
    full = order(1, note="", kind=1, tags=["a"], street="s", lines=[{"sku": "x", "count": 0}])
    full.by_sku["x"].sku = "x"
    full.at.FromDatetime(dt.datetime(2024, 1, 2, 3, 4, 5, 6))
    full.wrapped.value = 0
    full.gift.card = b"\xff"
    topic.produce([framed(id, full), framed(id, order(2, kind=9, box={"sku": "b"}))])
    empty = {"note": None, "tags": [], "lines": [], "by_sku": [], "at": None, "wrapped": None}
    assert read(uri).to_pylist() == [
        {
            "id": 1,
            "note": "",
            "kind": "BUY",
            "tags": ["a"],
            "lines": [{"sku": "x", "count": 0}],
            "by_sku": [("x", {"sku": "x", "count": None})],
            "at": dt.datetime(2024, 1, 2, 3, 4, 5, 6, _UTC),
            "wrapped": 0,
            "street": "s",
            "box": None,
            "gift": {"card": b"\xff"},
        },
        {"id": 2, "kind": "9", **empty, "street": None, "box": {"sku": "b", "count": None}}
        | {"gift": None},
    ]


def test_each_bad_message_is_rejected_with_the_reason(
    topic: Topic, registry: SchemaRegistry, uri: str
) -> None:
    id = registry.register(f"{topic.name}-value", SHOP, "PROTOBUF")
    avro = registry.register(f"{topic.name}-avro", '{"type":"record","name":"A","fields":[]}')
    good = framed(id, order(7, note="fine"))
    far = order(8)
    far.at.seconds = 1 << 62
    bad = {
        b"plain text": "does not begin with a zero byte and the id of a schema",
        b"": "does not begin with a zero byte and the id of a schema",
        good[:5]: "behind the id of its schema: no number",
        b"\0" + (10**6).to_bytes(4, "big") + good[5:]: "the registry has no schema 1000000",
        b"\0" + avro.to_bytes(4, "big") + good[5:]: f"schema {avro} is of the kind AVRO",
        framed(id, order(1), (1,)): "it is a shop.Line, not a shop.Order",
        framed(id, order(1), (9,)): f"schema {id} has no message of this index",
        good[:-1]: "not a shop.Order: ",
        good + b"\xff": "not a shop.Order: ",
        framed(id, far): "at: a time that is out of range",
    }
    topic.produce([good, *bad, good])
    table, rejects = read_all(uri)
    assert table["id"].to_pylist() == [7, 7]
    assert [each.position for each in rejects] == list(range(1, len(bad) + 1))
    for reject, (value, why) in zip(rejects, bad.items(), strict=True):
        assert why in reject.reason
        assert not value or reject.payload == value


@pytest.mark.parametrize(
    ("name", "indexes", "columns"),
    [("shop.Refund", (2,), ["id"]), ("shop.Order.Gift", (0, 1), ["card"])],
)
def test_a_message_is_named_where_it_is_not_the_first(
    new_topic: NewTopic,
    registry: SchemaRegistry,
    name: str,
    indexes: tuple[int, ...],
    columns: list[str],
) -> None:
    topic = new_topic()
    id = registry.register(f"{topic.name}-value", SHOP, "PROTOBUF")
    message = classes(SHOP)[name.removeprefix("shop.")]()
    topic.produce([framed(id, message, indexes)])
    found = read(topic.uri(format="protobuf", schema_registry=registry.url, message=name))
    assert (found.column_names, found.num_rows) == (columns, 1)
    with pytest.raises(ConfigurationError, match=r"no such message; it has shop\.Order, shop\."):
        read(topic.uri(format="protobuf", schema_registry=registry.url, message="shop.None"))


def test_schemas_that_change_in_mid_stream_are_read_by_the_latest(
    topic: Topic, registry: SchemaRegistry, uri: str
) -> None:
    old = 'syntax = "proto3"; message Order { int32 id = 1; string note = 2; }'
    new = 'syntax = "proto3"; message Order { int32 id = 1; string note = 2; double price = 3; }'
    first = registry.register(f"{topic.name}-value", old, "PROTOBUF")
    second = registry.register(f"{topic.name}-value", new, "PROTOBUF")
    Old, New = classes(old)["Order"], classes(new)["Order"]
    topic.produce(
        [
            framed(first, Old(id=1, note="a")),
            framed(second, New(id=2, price=2.5)),
            framed(first, Old(id=3)),
        ]
    )
    assert read(uri).to_pylist() == [
        {"id": 1, "note": "a", "price": 0.0},
        {"id": 2, "note": "", "price": 2.5},
        {"id": 3, "note": "", "price": 0.0},
    ]


def test_imports_come_from_references(topic: Topic, registry: SchemaRegistry, uri: str) -> None:
    line = 'syntax = "proto3"; package shop; message Line { string sku = 1; }'
    text = 'syntax = "proto3"; package shop; import "line.proto"; message O { Line line = 1; }'
    registry.register(f"{topic.name}-line", line, "PROTOBUF")
    references = [{"name": "line.proto", "subject": f"{topic.name}-line", "version": 1}]
    id = registry.register(f"{topic.name}-value", text, "PROTOBUF", references)
    made = classes(text, line)["O"](line={"sku": "x"})
    topic.produce([framed(id, made)])
    assert read(uri).to_pylist() == [{"line": {"sku": "x"}}]


def test_descriptors_in_base64_are_read_as_clients_register_them(
    topic: Topic, registry: SchemaRegistry, uri: str
) -> None:
    descriptor = compiled(SHOP, {}, "test").file[-1].SerializeToString()
    id = registry.register(f"{topic.name}-value", base64.b64encode(descriptor).decode(), "PROTOBUF")
    topic.produce([framed(id, order(4))])
    assert read(uri)["id"].to_pylist() == [4]


def test_plain_messages_need_a_file_or_a_class_and_no_registry(
    topic: Topic, tmp_path: Path
) -> None:
    source, descriptors = tmp_path / "shop.proto", tmp_path / "shop.desc"
    source.write_text(SHOP)
    descriptors.write_bytes(compiled(SHOP, {}, "test").SerializeToString())
    topic.produce([order(5, note="x").SerializeToString(), b"\xff"])
    for file in (source, descriptors):
        uri = topic.uri(format="protobuf", schema_file=file, message="shop.Order")
        table, rejects = read_all(uri)
        assert (table["id"].to_pylist(), [each.position for each in rejects]) == ([5], [1])
    message = "google.protobuf.timestamp_pb2:Timestamp"
    found, _ = read_all(topic.uri(format="protobuf", message=message))
    assert found.to_pylist()[0]["seconds"] == 5


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"schema_file": "missing.proto"}, "can't be read"),
        ({"schema_file": __file__}, "neither a .proto nor a set of descriptors"),
        ({"message": "nowhere.orders_pb2:Order"}, "no class of a Protobuf message"),
        ({"message": "shop.Order"}, "needs schema_registry="),
    ],
)
def test_what_is_no_schema_is_said(topic: Topic, options: dict[str, str], why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        read(topic.uri(format="protobuf", **options))


def test_a_schema_that_does_not_compile_says_where(topic: Topic, tmp_path: Path) -> None:
    file = tmp_path / "bad.proto"
    file.write_text('syntax = "proto3";\nmessage A { int64 id = x; }\n')
    with pytest.raises(SchemaError, match=r"(?s)is no Protobuf schema:.*bad\.proto:2:"):
        read(topic.uri(format="protobuf", schema_file=file))


def test_only_the_columns_that_are_asked_for_come(
    topic: Topic, registry: SchemaRegistry, uri: str
) -> None:
    id = registry.register(f"{topic.name}-value", SHOP, "PROTOBUF")
    topic.produce([framed(id, order(3, note="n")), b"bad"])
    with reading(f"{uri}&until=now") as reader:
        narrow, _ = reader.pushdown(["note"])
        narrow.open()
        (split,) = narrow.splits({})
        (chunk,) = narrow.read(split)
        narrow.close()
    assert chunk.records.to_pylist() == [{"note": "n"}]
    assert len(chunk.rejects) == 1


# ── properties ──────────────────────────────────────────────────────────────────────────────────


@given(st.lists(st.integers(0, 2**27), min_size=1, max_size=5).map(tuple), st.binary(max_size=9))
def test_indexes_are_read_as_they_were_written(indexes: tuple[int, ...], rest: bytes) -> None:
    value = b"\0\0\0\0\1" + header_of_indexes(indexes) + rest
    assert indexes_of(value) == (indexes, len(value) - len(rest))


@given(st.binary(max_size=12))
def test_any_bytes_are_indexes_or_none(value: bytes) -> None:
    try:
        indexes, at = indexes_of(b"\0\0\0\0\1" + value)
    except ValueError:
        return
    assert all(index >= 0 for index in indexes)
    assert 5 < at <= 5 + len(value)


@cache
def decoder() -> ProtobufDecoder:
    type = MessageType.found(compiled(SHOP, {}, "test"), "shop.Order", "test")
    return ProtobufDecoder(type.announcement(), None)


_VALUES = st.one_of(
    st.builds(
        lambda id, note: order(id, note=note).SerializeToString(),
        st.integers(0, 9),
        st.text(max_size=4),
    ),
    st.binary(max_size=8),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(_VALUES, max_size=10))
def test_values_are_judged_together_as_google_judges_each(values: list[bytes]) -> None:
    """What Google's library reads comes with the same values."""
    decoded = decoder().decode(values)
    assert decoded.records.num_rows + len(decoded.bad) == len(values)
    rows = iter(decoded.records.to_pylist())
    for number, value in enumerate(values):
        row = None if number in decoded.bad else next(rows)
        try:
            found = classes(SHOP)["Order"].FromString(value)
        except DecodeError:
            continue
        assert row is not None
        assert (row["id"], row["note"] or "") == (found.id, found.note)
