"""What is written as JSON: read back equal, or refused by name before anything is written."""

from __future__ import annotations

import gzip
import io
import json
import math
import uuid
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.errors import BadRecordError, FatalError, SchemaError
from ferris_beam.formats.json.writer import merge_arrays
from tests.connectors.file.sinks import claimed, commit
from tests.formats.memory import MemorySource, Unit, write

NOON = datetime(2024, 1, 31, 12, 30, 0, 250_000)
VALUES: list[tuple[pa.DataType, list[Any]]] = [
    (pa.null(), [None]),
    (pa.bool_(), [True, False]),
    (pa.int8(), [-128, 127]),
    (pa.int64(), [-(2**63), 2**63 - 1]),
    (pa.uint64(), [0, 2**64 - 1]),
    (pa.float16(), [1.5]),
    (pa.float32(), [1.1]),
    (pa.float64(), [-0.0, 5e-324, 1.7976931348623157e308, 0.1]),
    (pa.decimal32(5, 2), [Decimal("-999.99")]),
    (pa.decimal64(15, 2), [Decimal("1.25")]),
    (pa.decimal128(38, 0), [Decimal(10**38 - 1)]),
    (pa.decimal128(5, -2), [Decimal(1200)]),
    (pa.decimal256(60, 30), [Decimal("1.000000000000000000000000000001")]),
    (pa.string(), ['a"\\\n\0é𠮷']),
    (pa.large_string(), ["x"]),
    (pa.string_view(), ["x", "longer than twelve bytes"]),
    (pa.binary(), [b"\xff\x00", b""]),
    (pa.large_binary(), [b"\xff"]),
    (pa.binary_view(), [b"\xff"]),
    (pa.binary(2), [b"\xff\x00"]),
    (pa.date32(), [date(1, 1, 1), date(9999, 12, 31)]),
    (pa.date64(), [date(2024, 1, 31)]),
    (pa.time32("s"), [time(23, 59, 59)]),
    (pa.time32("ms"), [time(1, 2, 3, 4000)]),
    (pa.time64("us"), [time(1, 2, 3, 4)]),
    (pa.time64("ns"), [time(1, 2, 3, 4)]),
    (pa.timestamp("s"), [datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59)]),
    (pa.timestamp("ns"), [1, -1]),
    (pa.timestamp("us", "UTC"), [NOON]),
    (pa.timestamp("us", "Europe/Berlin"), [datetime(1800, 1, 1), NOON]),
    (pa.duration("s"), [timedelta(days=-3), timedelta(0)]),
    (pa.duration("us"), [timedelta(microseconds=5_000_001)]),
    (pa.duration("ns"), [-5]),
    (pa.uuid(), [uuid.UUID(int=7).bytes]),
    (pa.json_(), ['{"a":1}']),
    (pa.dictionary(pa.int8(), pa.string()), ["x", "y"]),
    (pa.dictionary(pa.int8(), pa.int64()), [5]),
    (pa.dictionary(pa.int8(), pa.binary()), [b"\xff"]),
    (pa.list_(pa.int64()), [[1, None], []]),
    (pa.large_list(pa.time64("us")), [[time(1)]]),
    (pa.list_(pa.decimal128(10, 2), 2), [[Decimal("1.25"), None]]),
    (pa.list_(pa.timestamp("us", "Europe/Berlin")), [[datetime(1800, 1, 1), NOON]]),
    (pa.list_(pa.list_(pa.date32())), [[[date(2024, 1, 31)], None]]),
    (pa.list_(pa.dictionary(pa.int8(), pa.string())), [["x"]]),
    (pa.map_(pa.string(), pa.uint64()), [[("a", 2**64 - 1), ("", None)], []]),
    (pa.map_(pa.large_string(), pa.list_(pa.float64())), [[("a", [0.5])]]),
    (pa.list_(pa.map_(pa.string(), pa.bool_())), [[[("a", True)]]]),
    (pa.struct([]), [{}]),
    (
        pa.struct([("a", pa.struct([("b", pa.list_(pa.struct([("c", pa.float32())])))]))]),
        [{"a": {"b": [{"c": 1.1}, None]}}, {"a": None}],
    ),
]


def records_of(kind: pa.DataType, values: list[Any]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([*values, None], kind)], names=["v"])


@pytest.mark.parametrize(("kind", "values"), VALUES, ids=lambda value: str(value)[:40])
@pytest.mark.parametrize("format", ["json", "jsonl"])
def test_every_type_is_read_back_equal(kind: pa.DataType, values: list[Any], format: str) -> None:
    records = records_of(kind, values)
    unit = Unit(write(format, records), f"x.{format}", records.schema)
    assert unit.reasons() == []
    assert unit.table().equals(pa.Table.from_batches([records]))


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (pa.list_(pa.binary()), "the binary values in list"),
        (pa.struct([("b", pa.binary())]), "the binary values in struct"),
        (pa.map_(pa.string(), pa.duration("s")), "the duration values in map"),
        (pa.list_(pa.decimal32(5, 2)), "the decimal32 values in list"),
        (pa.list_(pa.uuid()), "the uuid values in list"),
        (pa.map_(pa.int64(), pa.int64()), "keys of int64 in map"),
        (pa.month_day_nano_interval(), "the values in month_day_nano_interval"),
        (pa.dense_union([pa.field("a", pa.int64())]), "the values in dense_union"),
        (pa.list_view(pa.int64()), "the values in list_view"),
    ],
)
@pytest.mark.parametrize("format", ["json", "jsonl"])
def test_what_json_has_no_place_for_is_refused(
    kind: pa.DataType, message: str, format: str
) -> None:
    with pytest.raises(SchemaError, match=f"column 'v': JSON can't hold {message}"):
        write(format, pa.RecordBatch.from_arrays([pa.nulls(0, kind)], names=["v"]))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (pa.float64(), math.nan),
        (pa.float32(), -math.inf),
        (pa.list_(pa.float64()), [1.0, math.inf]),
        (pa.struct([("x", pa.float16())]), {"x": math.nan}),
        (pa.map_(pa.string(), pa.float64()), [("a", math.nan)]),
        (pa.dictionary(pa.int8(), pa.float64()), math.nan),
    ],
)
def test_rows_with_no_finite_number_are_bad_or_null(kind: pa.DataType, value: Any) -> None:
    records = pa.RecordBatch.from_arrays([pa.array([value], kind)], names=["v"])
    for format in ("json", "jsonl"):
        with pytest.raises(BadRecordError, match=r"v: JSON has no NaN .* set non_finite=null"):
            write(format, records)
        assert b"null" in write(format, records, non_finite="null")
    assert write("jsonl", records.slice(1)) == b""  # as the engine looks for the bad row


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (pa.date32(), 2_932_897),
        (pa.date32(), -719_529),
        (pa.timestamp("us"), 253_402_300_800_000_000),
        (pa.timestamp("s", "UTC"), 2**50),
        (pa.list_(pa.timestamp("ms")), [253_402_300_800_000]),
    ],
)
def test_years_without_four_digits_are_bad(kind: pa.DataType, value: Any) -> None:
    """The encoder writes some of them as it likes, and an error's message for others."""
    records = records_of(kind, [value])
    with pytest.raises(BadRecordError, match="v: a date outside of the years 0000 to 9999"):
        write("jsonl", records)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (pa.binary(), "/w="),
        (pa.binary(), "é"),
        (pa.binary(2), "/w=="),
        (pa.uuid(), "x"),
        (pa.duration("s"), "PT0.5S"),
        (pa.duration("s"), "P1D"),
        (pa.duration("s"), "PT9999999999999999999S"),
        (pa.duration("ns"), "PT9999999999S"),
    ],
)
def test_texts_that_are_no_such_value_are_bad_rows(kind: pa.DataType, text: str) -> None:
    data = json.dumps({"v": text}) + '\n{"v":null}'
    unit = Unit(data.encode(), "x.jsonl", pa.schema([("v", kind)]))
    assert unit.table().num_rows == 1
    assert unit.reasons()[0].startswith(f"v: {json.dumps(text, ensure_ascii=False)} is not a")


# ── documents ───────────────────────────────────────────────────────────────────────────────────

BATCHES = st.lists(st.lists(st.integers() | st.text(), max_size=3), min_size=1, max_size=4)


@given(BATCHES)
def test_a_document_is_an_array_after_any_batches(batches: list[list[Any]]) -> None:
    rows = [[{"v": json.dumps(value)} for value in values] for values in batches]
    schema = pa.schema([("v", pa.string())])
    data = write("json", *(pa.RecordBatch.from_pylist(batch, schema) for batch in rows))
    assert json.loads(data) == list(chain(*rows))


@given(
    st.lists(st.lists(st.integers() | st.text(), max_size=3), max_size=4),
    st.sampled_from([None, 1]),
    st.sampled_from(["", " \n", "\ufeff"]),
    st.integers(1, 20),
)
def test_arrays_of_any_writer_become_one(
    arrays: list[list[Any]], indent: int | None, before: str, step: int
) -> None:
    texts = [before + json.dumps(values, indent=indent) + "\n \n" for values in arrays]
    target = io.BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ferris_beam.formats.json.writer._STEP", step)
        merge_arrays(target, (MemorySource(text.encode()) for text in texts))
    assert json.loads(target.getvalue()) == list(chain(*arrays))


@pytest.mark.parametrize("text", ["", "{}", "[1", "x", '{"a":1}\n{"a":2}\n'])
def test_nothing_is_added_to_what_is_no_array(text: str) -> None:
    with pytest.raises(FatalError, match="is not one JSON array"):
        merge_arrays(io.BytesIO(), [MemorySource(text.encode())])


@pytest.mark.parametrize("ending", ["json", "json.gz"])
@pytest.mark.parametrize("commits", [1, 3])
def test_a_single_file_is_one_document_and_can_be_added_to(
    tmp_path: Path, ending: str, commits: int
) -> None:
    path = tmp_path / f"out.{ending}"
    for run in range(2):
        sink = claimed(str(path), f"run-{run}", run + 1, run + 1, if_exists="append")
        for at in range(commits):
            commit(sink, at * 3, at * 3 + 3, epoch=run + 1)
        sink.finish(run + 1)
    data = path.read_bytes()
    rows = json.loads(gzip.decompress(data) if ending.endswith("gz") else data)
    assert [row["id"] for row in rows] == list(range(commits * 3)) * 2


def test_a_folder_holds_documents(tmp_path: Path) -> None:
    sink = claimed(f"{tmp_path}/out/", format="json")
    commit(sink, 0, 2)
    commit(sink, 2, 5)
    sink.finish(1)
    found = [json.loads(path.read_bytes()) for path in (tmp_path / "out").glob("*.json")]
    assert sorted(row["id"] for rows in found for row in rows) == list(range(5))
