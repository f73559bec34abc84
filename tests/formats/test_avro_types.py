"""Every type of Avro's to Arrow and back; fastavro is the oracle in both directions."""

from __future__ import annotations

import io
import json
import uuid
from datetime import date, datetime, time, timezone
from decimal import Decimal
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.errors import FatalError, SchemaError
from ferris_beam.formats.avro.schema import parse
from ferris_beam.formats.avro.writer import schema_text
from tests.formats.memory import Unit, write

NANOS = {"type": "long", "logicalType": "timestamp-nanos"}
ZONE = timezone.utc


def record(*fields: tuple[str, Any]) -> dict[str, Any]:
    return {
        "type": "record",
        "name": "r",
        "fields": [{"name": name, "type": kind} for name, kind in fields],
    }


def by_fastavro(schema: Any, rows: list[Any], **options: Any) -> bytes:
    target = io.BytesIO()
    fastavro.writer(target, fastavro.parse_schema(schema), rows, **options)
    return target.getvalue()


def with_fastavro(data: bytes) -> list[Any]:
    return list(fastavro.reader(io.BytesIO(data)))


# ── any schema, any values ──────────────────────────────────────────────────────────────────────

INT = st.integers(-(2**31), 2**31 - 1)
LONG = st.integers(-(2**63), 2**63 - 1)
FLOAT = st.floats(width=32, allow_nan=False)
TEXT = st.text(st.characters(codec="utf-8"), max_size=5)
MOMENT = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1))


def decimals(precision: int, scale: int) -> st.SearchStrategy[Decimal]:
    most = 10**precision - 1
    return st.integers(-most, most).map(lambda digits: Decimal(f"{digits}e-{scale}"))


def milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


LEAVES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    ("null", st.none()),
    ("boolean", st.booleans()),
    ("int", INT),
    ("long", LONG),
    ("float", FLOAT),
    ("double", st.floats(allow_nan=False)),
    ("bytes", st.binary(max_size=5)),
    ("string", TEXT),
    ({"type": "enum", "symbols": ["A", "B", "C"]}, st.sampled_from("ABC")),
    ({"type": "fixed", "size": 3}, st.binary(min_size=3, max_size=3)),
    (
        {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 3},
        decimals(12, 3),
    ),
    (
        {"type": "bytes", "logicalType": "decimal", "precision": 60, "scale": 0},
        decimals(60, 0),
    ),
    (
        {"type": "fixed", "size": 9, "logicalType": "decimal", "precision": 18, "scale": 2},
        decimals(18, 2),
    ),
    ({"type": "int", "logicalType": "date"}, st.dates()),
    ({"type": "long", "logicalType": "time-micros"}, st.times()),
    (
        {"type": "long", "logicalType": "timestamp-micros"},
        MOMENT.map(lambda moment: moment.replace(tzinfo=ZONE)),
    ),
    (
        {"type": "long", "logicalType": "timestamp-millis"},
        MOMENT.map(lambda moment: milliseconds(moment).replace(tzinfo=ZONE)),
    ),
    ({"type": "long", "logicalType": "local-timestamp-micros"}, MOMENT),
    ({"type": "string", "logicalType": "unknown-to-all"}, TEXT),
]


@st.composite
def kinds(draw: st.DrawFn, depth: int = 2) -> tuple[Any, st.SearchStrategy[Any]]:
    """A type and its values. Names of types are given when the schema is complete."""
    shape = draw(st.sampled_from(["leaf"] * 3 + ["nullable", "array", "map", "record"]))
    if shape == "leaf" or not depth:
        return draw(st.sampled_from(LEAVES))
    inner, values = draw(kinds(depth=depth - 1))
    if shape == "nullable":
        if inner == "null" or isinstance(inner, list):
            return inner, values
        return draw(st.permutations(["null", inner])), st.none() | values
    if shape == "array":
        if is_empty(inner):  # refused: such items have no bytes
            inner, values = ["null", "int"], st.none()
        return {"type": "array", "items": inner}, st.lists(values, max_size=3)
    if shape == "map":
        return {"type": "map", "values": inner}, st.dictionaries(TEXT, values, max_size=3)
    fields = [{"name": "x", "type": inner}, {"name": "n", "type": "null"}]
    whole = st.fixed_dictionaries({"x": values, "n": st.none()})
    return {"type": "record", "fields": fields}, whole


def is_empty(schema: Any) -> bool:
    """Whether values of this type have no bytes."""
    if isinstance(schema, dict) and schema["type"] == "record":
        return all(is_empty(field["type"]) for field in schema["fields"])
    return bool(schema == "null")


def named(schema: Any, path: str = "t") -> Any:
    """The schema with a name for each type that must have one."""
    if isinstance(schema, list):
        return [named(branch, path) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: named(value, f"{path}_{key}") for key, value in schema.items()}
    if "fields" in schema:
        found["fields"] = [
            {**field, "type": named(field["type"], f"{path}_{field['name']}")}
            for field in schema["fields"]
        ]
    if schema.get("type") in ("record", "enum", "fixed"):
        found["name"] = path
    return found


def plain(value: Any) -> Any:
    """Maps as dictionaries, and records of Arrow's and fastavro's alike."""
    if isinstance(value, list):
        pairs = value and all(isinstance(item, tuple) for item in value)
        return {key: plain(item) for key, item in value} if pairs else [*map(plain, value)]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()} or []
    return value


@settings(max_examples=150)
@given(st.data())
def test_what_fastavro_writes_is_read(data: st.DataObject) -> None:
    columns = data.draw(st.lists(kinds(), min_size=1, max_size=4))
    schema = record(*[(f"c{at}", named(kind, f"t{at}")) for at, (kind, _) in enumerate(columns)])
    row = st.fixed_dictionaries({f"c{at}": values for at, (_, values) in enumerate(columns)})
    rows = data.draw(st.lists(row, max_size=6))
    codec = data.draw(st.sampled_from(["null", "deflate", "bzip2", "xz"]))
    content = by_fastavro(schema, rows, codec=codec, sync_interval=data.draw(st.integers(1, 200)))
    table = Unit(content, "x.avro").table()
    table.validate(full=True)
    assert plain(table.to_pylist()) == plain(rows)
    for name in table.column_names:
        one = Unit(content, "x.avro").table(columns=[name])
        assert one.equals(table.select([name]))


ARROW: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (pa.null(), st.none()),
    (pa.bool_(), st.booleans()),
    (pa.int8(), st.integers(-128, 127)),
    (pa.int64(), LONG),
    (pa.uint32(), st.integers(0, 2**32 - 1)),
    (pa.uint64(), st.integers(0, 2**64 - 1).map(Decimal)),
    (pa.float32(), FLOAT),
    (pa.float64(), st.floats(allow_nan=False)),
    (pa.string(), TEXT),
    (pa.large_string(), TEXT),
    (pa.string_view(), TEXT),
    (pa.binary(), st.binary(max_size=5)),
    (pa.binary(4), st.binary(min_size=4, max_size=4)),
    (pa.decimal128(20, 4), decimals(20, 4)),
    (pa.decimal256(70, 0), decimals(70, 0)),
    (pa.date32(), st.dates()),
    (pa.time64("us"), st.times()),
    (pa.timestamp("us"), MOMENT),
    (pa.timestamp("ms", "UTC"), MOMENT.map(lambda at: milliseconds(at).replace(tzinfo=ZONE))),
    (pa.dictionary(pa.int8(), pa.string()), st.sampled_from(["a", "b", ""])),
]


@st.composite
def arrow_kinds(draw: st.DrawFn, depth: int = 2) -> tuple[pa.DataType, st.SearchStrategy[Any]]:
    shape = draw(st.sampled_from(["leaf"] * 3 + ["list", "large", "map", "struct"]))
    if shape == "leaf" or not depth:
        kind, values = draw(st.sampled_from(ARROW))
        return kind, st.none() | values
    inner, values = draw(arrow_kinds(depth=depth - 1))
    if shape in ("list", "large"):
        if pt.is_null(inner):
            inner, values = pa.int8(), st.none()
        make = pa.list_ if shape == "list" else pa.large_list
        return make(inner), st.none() | st.lists(values, max_size=3)
    if shape == "map":
        entries = st.dictionaries(TEXT, values, max_size=3).map(lambda found: list(found.items()))
        return pa.map_(pa.string(), inner), st.none() | entries
    fields = [("x", inner), ("n", pa.null())]
    return pa.struct(fields), st.none() | st.fixed_dictionaries({"x": values, "n": st.none()})


@settings(max_examples=150)
@given(st.data())
def test_what_is_written_is_read_by_fastavro_and_here(data: st.DataObject) -> None:
    columns = data.draw(st.lists(arrow_kinds(), min_size=1, max_size=4))
    rows = data.draw(st.integers(0, 6))
    values = [data.draw(st.lists(each, min_size=rows, max_size=rows)) for _, each in columns]
    arrays = [pa.array(found, kind) for found, (kind, _) in zip(values, columns, strict=True)]
    names = [f"c{at}" for at in range(len(columns))]
    start = data.draw(st.integers(0, rows))
    records = pa.RecordBatch.from_arrays(arrays, names=names).slice(start)
    content = write("avro", records, compression=data.draw(st.sampled_from(["none", "deflate"])))
    expected = plain([dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)])
    assert plain(with_fastavro(content)) == expected[start:]
    again = Unit(content, "x.avro").table()
    again.validate(full=True)
    assert plain(again.to_pylist()) == expected[start:]
    assert schema_text(again.schema) == schema_text(records.schema)


# ── single types ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "value", "arrow", "expected"),
    [
        (NANOS, 5, pa.timestamp("ns", "UTC"), 5),
        ({"type": "int", "logicalType": "time-millis"}, time(1, 2), pa.time32("ms"), 3_720_000),
        ({"type": "int", "logicalType": "date"}, date(1970, 1, 3), pa.date32(), 2),
    ],
)
def test_times_of_each_unit(kind: Any, value: Any, arrow: pa.DataType, expected: int) -> None:
    column = Unit(by_fastavro(record(("t", kind)), [{"t": value}]), "x.avro").table()["t"]
    assert column.type == arrow
    assert column.cast(pa.int32() if arrow.bit_width == 32 else pa.int64())[0].as_py() == expected


def test_uuids_are_texts() -> None:
    value = uuid.UUID("12345678-9abc-4def-8123-0123456789ab")
    fixed = {"type": "fixed", "name": "u", "size": 16, "logicalType": "uuid"}
    text = {"type": "string", "logicalType": "uuid"}
    content = by_fastavro(
        record(("f", ["null", fixed]), ("s", text)),
        [{"f": value.bytes, "s": value}, {"f": None, "s": value}],
    )
    assert Unit(content, "x.avro").rows() == [
        {"f": str(value), "s": str(value)},
        {"f": None, "s": str(value)},
    ]
    column = pa.array([value.bytes, None], pa.uuid())
    written = write("avro", pa.RecordBatch.from_arrays([column], names=["u"]))
    assert with_fastavro(written) == [{"u": str(value)}, {"u": None}]


def test_other_arrays_of_arrow_are_written() -> None:
    columns = {
        "view": pa.array([[1, 2], None, [3]], pa.list_view(pa.int8())),
        "pair": pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int8(), 2)),
        "runs": pc.run_end_encode(pa.array([1, 1, None])),
        "keys": pa.array([[(1, "x")], None, []], pa.map_(pa.int64(), pa.string())),
        "half": pa.array([1.5, None, -2.0], pa.float16()),
        "seconds": pa.array([5, None, 6], pa.time32("s")),
        "days": pa.array([date(2020, 1, 1), None, None], pa.date64()),
    }
    records = pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
    rows = with_fastavro(write("avro", records))
    assert [row["view"] for row in rows] == [[1, 2], None, [3]]
    assert [row["pair"] for row in rows] == [[1, 2], None, [3, 4]]
    assert [row["runs"] for row in rows] == [1, 1, None]
    assert [row["keys"] for row in rows] == [[{"key": 1, "value": "x"}], None, []]
    assert [row["half"] for row in rows] == [1.5, None, -2.0]
    assert [row["seconds"] for row in rows] == [time(0, 0, 5), None, time(0, 0, 6)]
    assert [row["days"] for row in rows] == [date(2020, 1, 1), None, None]


def test_types_of_one_name_are_used_again() -> None:
    point = {"type": "record", "name": "geo.point", "fields": [{"name": "x", "type": "int"}]}
    schema = record(
        ("a", point), ("b", ["null", "geo.point"]), ("c", {"type": "array", "items": "geo.point"})
    )
    rows = [{"a": {"x": 1}, "b": None, "c": [{"x": 2}]}, {"a": {"x": 3}, "b": {"x": 4}, "c": []}]
    assert Unit(by_fastavro(schema, rows), "x.avro").rows() == rows


@pytest.mark.parametrize(
    ("schema", "rows"), [("string", ["a", "b"]), ({"type": "array", "items": "int"}, [[1], []])]
)
def test_rows_that_are_no_records_are_one_column(schema: Any, rows: list[Any]) -> None:
    assert Unit(by_fastavro(schema, rows), "x.avro").rows() == [{"value": row} for row in rows]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (["int", "string"], r"'a' is a union of \(int, string\)"),
        (["null", "int", "string"], r"'a' is a union of \(null, int, string\)"),
        ({"type": "array", "items": ["string"]}, r"'a' is a union of \(string\)"),
        ({"type": "array", "items": "null"}, "'a' is an array of items without content"),
        ({"type": "fixed", "name": "f", "size": 0}, "'a' is fixed of 0 bytes"),
        (
            record(("down", ["null", "r"])),
            "'a.down' holds its own type 'r'; recursive schemas have no columns",
        ),
    ],
)
def test_what_has_no_column_is_refused_by_name(kind: Any, message: str) -> None:
    outer = {**record(("a", kind)), "name": "outer"}
    with pytest.raises(SchemaError, match=message):
        parse(json.dumps(outer), "x.avro")


@pytest.mark.parametrize("text", ["", "{", "[]", '"nothing"', '{"type": "record"}', "7", "null"])
def test_what_is_no_schema_is_refused(text: str) -> None:
    with pytest.raises((FatalError, SchemaError), match=r"x\.avro"):
        parse(text, "x.avro")


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (pa.schema([("a b", pa.int8())]), "column 'a b': .*rename it.*'a_b'"),
        (pa.schema([("1", pa.int8())]), "column '1': .*'_1'"),
        (pa.schema([("s", pa.struct([("é", pa.int8())]))]), r"column 's\.é'"),
        (pa.schema([("a", pa.int8()), ("a", pa.int8())]), "several columns 'a'"),
        (pa.schema([("d", pa.duration("s"))]), r"column 'd': Avro has no type for duration\[s\]"),
        (pa.schema([("l", pa.list_(pa.time64("ns")))]), r"column 'l\.item'"),
        (pa.schema([("l", pa.list_(pa.null()))]), "column 'l': Avro has no type for"),
        (pa.schema([("d", pa.decimal128(5, -2))]), "column 'd'"),
    ],
)
def test_what_avro_lacks_is_refused_before_anything_is_written(
    schema: pa.Schema, message: str
) -> None:
    with pytest.raises(SchemaError, match=message):
        schema_text(schema)
