"""Arrow IPC: files by record batches, streams from front to back, every type, damage."""

from __future__ import annotations

import io
import random
import subprocess
import sys
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.batches import to_rows
from ferris_beam.errors import FatalError, SchemaError
from ferris_beam.formats.groups import CUT, GROUP
from ferris_beam.formats.options import ReadOptions, WriteOptions
from ferris_beam.formats.registry import format_named
from tests.formats.memory import MemorySource, Unit, spans, write

KINDS = ("arrow", "arrows")


def ipc(kind: str, *batches: pa.RecordBatch, compression: str | None = None) -> bytes:
    """What pyarrow writes."""
    target = io.BytesIO()
    create = pa.ipc.new_file if kind == "arrow" else pa.ipc.new_stream
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with create(target, batches[0].schema, options=options) as writer:
        for records in batches:
            writer.write_batch(records)
    return target.getvalue()


def by_pyarrow(kind: str, content: bytes) -> pa.Table:
    opened = pa.ipc.open_file if kind == "arrow" else pa.ipc.open_stream
    table = opened(io.BytesIO(content)).read_all()
    table.validate(full=True)
    return table


def numbers(start: int, end: int) -> pa.RecordBatch:
    ids = range(start, end)
    texts = pa.array([f"r{at}" for at in ids], pa.string())
    return pa.record_batch({"i": pa.array(ids, pa.int64()), "s": texts})


# ── borders ─────────────────────────────────────────────────────────────────────────────────────


def test_a_file_is_cut_by_record_batches_and_constant_rows() -> None:
    content = ipc("arrow", numbers(0, CUT + 10), numbers(0, 0), numbers(0, 7))
    file = Unit(content, "x.arrow")
    assert (file.extent.end, file.extent.grain, file.extent.divisible) == (3 * GROUP, GROUP, True)
    pieces = file.pieces()
    assert [piece.records.num_rows for piece in pieces] == [CUT, 10, 0, 7]
    assert [piece.end for piece in pieces] == [CUT, GROUP, 2 * GROUP, 3 * GROUP]
    assert 0 < sum(piece.nbytes for piece in pieces) <= len(content)


@settings(max_examples=50)
@given(st.sampled_from(KINDS), st.lists(st.integers(0, 300), min_size=1, max_size=6), st.data())
def test_any_split_at_a_border_yields_all_rows_once(
    kind: str, sizes: list[int], data: st.DataObject
) -> None:
    content = ipc(kind, *[numbers(0, size * size) for size in sizes])
    file = Unit(content, f"x.{kind}")
    borders = [piece.end for piece in file.pieces()]
    assert borders[-1] == file.extent.end
    assert borders == sorted(set(borders))
    cuts = data.draw(st.lists(st.sampled_from(borders), max_size=3))
    found = [p for start, end in spans(cuts, file.extent.end) for p in file.pieces(start, end)]
    assert [piece.end for piece in found] == borders
    assert [row for p in found for row in p.records["i"].to_pylist()] == [
        row for size in sizes for row in range(size * size)
    ]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("x.arrow", "arrow"), ("x.feather", "arrow"), ("x.ipc", "arrow"), ("x.arrows", "arrows")],
)
def test_names(name: str, kind: str) -> None:
    file = Unit(ipc(kind, numbers(0, 5)), name)
    assert file.extent.divisible == (kind == "arrow")
    assert file.table().to_batches()[0].equals(numbers(0, 5))


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_columns_that_are_asked_for_are_read(kind: str) -> None:
    wide = pa.record_batch({f"c{at}": pa.array(range(10_000)) for at in range(20)})
    file = Unit(ipc(kind, wide), f"x.{kind}")
    found = file.pieces(columns=["c7", "c3"])
    assert found[0].records.equals(wide.select(["c7", "c3"]))
    if kind == "arrow":
        assert sum(piece.nbytes for piece in found) < len(file.source.data) / 5
    assert file.table(columns=["c3"], predicate=pc.field("c4") < 3)["c3"].to_pylist() == [0, 1, 2]


def test_a_file_of_other_types_is_cast() -> None:
    schema = pa.schema([("i", pa.int8()), ("s", pa.string())])
    file = Unit(ipc("arrow", numbers(0, 10), numbers(100, 130)), "x.arrow", schema)
    assert [row["i"] for row in file.rows()] == [*range(10), *range(100, 128)]
    bad = [row for piece in file.pieces() for row in piece.bad_rows]
    assert [row.place for row in bad] == [
        f"row {at} of record batch 1 of x.arrow" for at in (28, 29)
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_other_columns_is_refused(kind: str) -> None:
    schema = pa.schema([("i", pa.int64())])
    with pytest.raises(SchemaError, match="has 's' besides"):
        Unit(ipc(kind, numbers(0, 3)), f"x.{kind}", schema).open()
    twice = pa.RecordBatch.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pytest.raises(SchemaError, match="several columns named 'a'"):
        Unit(ipc(kind, twice), f"x.{kind}")


@pytest.mark.parametrize("kind", KINDS)
def test_no_rows(kind: str) -> None:
    file = Unit(write(kind, numbers(0, 0)), f"x.{kind}")
    assert file.schema == numbers(0, 0).schema
    assert [piece.records.num_rows for piece in file.pieces()] == [0]


# ── types ───────────────────────────────────────────────────────────────────────────────────────


class Money(pa.ExtensionType):
    def __init__(self) -> None:
        super().__init__(pa.decimal128(10, 2), "tests.money")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage: pa.DataType, serialized: bytes) -> Money:
        return cls()


EVERY = {
    "null": pa.nulls(3),
    "bool": pa.array([True, None, False]),
    "u64": pa.array([2**64 - 1, None, 0], pa.uint64()),
    "half": pa.array([1.5, None, 0], pa.float16()),
    "text": pa.array(["é", None, ""], pa.large_string()),
    "view": pa.array(["é", None, "long enough to be out of line"], pa.string_view()),
    "fixed": pa.array([b"abc", None, b"xyz"], pa.binary(3)),
    "decimal": pa.array([Decimal("1.25"), None, Decimal(0)], pa.decimal256(50, 2)),
    "ns": pa.array([1, None, 3], pa.timestamp("ns", "Europe/Berlin")),
    "time": pa.array([1, None, 3], pa.time64("ns")),
    "duration": pa.array([1, None, 3], pa.duration("ms")),
    "interval": pa.array([(1, 2, 3), None, (4, 5, 6)], pa.month_day_nano_interval()),
    "list": pa.array([[1, None], None, []]),
    "list_view": pa.array([[1, None], None, []], pa.list_view(pa.int8())),
    "pair": pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int8(), 2)),
    "struct": pa.array([{"x": 1}, None, {"x": None}]),
    "map": pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int8())),
    "dictionary": pa.array(["a", None, "b"]).dictionary_encode(),
    "nested": pa.array([["a"], None, ["b"]], pa.list_(pa.dictionary(pa.int8(), pa.string()))),
    "runs": pc.run_end_encode(pa.array([1, 1, None])),
    "uuid": pa.array([uuid.UUID(int=5).bytes, None, uuid.UUID(int=6).bytes], pa.uuid()),
    "json": pa.array(["{}", None, "[]"], pa.json_()),
    "union": pa.UnionArray.from_dense(
        pa.array([0, 1, 0], pa.int8()),
        pa.array([0, 0, 1], pa.int32()),
        [pa.array([1, 2]), pa.array(["x"])],
    ),
}


def rows(table: pa.Table) -> list[dict[str, Any]]:
    return [row for records in table.to_batches() for row in to_rows(records)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("column", list(EVERY))
def test_every_type_survives(kind: str, column: str) -> None:
    records = pa.RecordBatch.from_arrays([EVERY[column]], names=["c"])
    content = write(kind, records, records)
    assert rows(by_pyarrow(kind, content)) == to_rows(records) * 2
    file = Unit(content, f"x.{kind}")
    assert file.schema == records.schema
    assert file.table().schema == records.schema
    assert rows(file.table()) == to_rows(records) * 2


@pytest.mark.parametrize("kind", KINDS)
def test_extension_types_survive_known_here_or_not(kind: str) -> None:
    storage = pa.array([Decimal("1.25"), None], pa.decimal128(10, 2))
    money = pa.ExtensionArray.from_storage(Money(), storage)
    content = write(kind, pa.RecordBatch.from_arrays([money], names=["m"]))
    unknown = Unit(content, f"x.{kind}").table()
    assert unknown.schema.field("m").metadata[b"ARROW:extension:name"] == b"tests.money"
    assert unknown["m"].to_pylist() == storage.to_pylist()
    pa.register_extension_type(Money())
    try:
        assert Unit(content, f"x.{kind}").table()["m"].type == Money()
    finally:
        pa.unregister_extension_type("tests.money")


@settings(max_examples=50)
@given(
    st.sampled_from(KINDS),
    st.lists(st.lists(st.sampled_from(["a", "b", "c", None]), max_size=4), min_size=1, max_size=5),
)
def test_dictionaries_grow_from_batch_to_batch(kind: str, values: list[list[str | None]]) -> None:
    flat = pa.dictionary(pa.int8(), pa.string())
    schema = pa.schema([("d", flat), ("l", pa.list_(flat)), ("s", pa.struct([("x", flat)]))])
    batches = [
        pa.RecordBatch.from_pylist([{"d": v, "l": [v, "z"], "s": {"x": v}} for v in found], schema)
        for found in values
    ]
    expected = [row for records in batches for row in records.to_pylist()]
    content = write(kind, *batches)
    assert by_pyarrow(kind, content).to_pylist() == expected
    assert Unit(content, f"x.{kind}").table().to_pylist() == expected


def test_dictionaries_that_are_replaced_or_appended_to_are_read() -> None:
    schema = pa.schema([("d", pa.dictionary(pa.int8(), pa.string()))])
    batches = [
        pa.RecordBatch.from_arrays(
            [pa.array(values).dictionary_encode().cast(schema[0].type)], schema=schema
        )
        for values in (["a", "b"], ["c"], ["c", "a"])
    ]
    assert Unit(ipc("arrows", *batches), "x.arrows").table()["d"].to_pylist() == [*"abcca"]
    target = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)
    with pa.ipc.new_file(target, schema, options=options) as writer:
        for values, known in ((["a"], ["a"]), (["b"], ["a", "b"])):
            codes = pa.array([known.index(value) for value in values], pa.int8())
            column = pa.DictionaryArray.from_arrays(codes, pa.array(known))
            writer.write_batch(pa.RecordBatch.from_arrays([column], schema=schema))
    file = Unit(target.getvalue(), "x.arrow")
    assert file.table()["d"].to_pylist() == ["a", "b"]
    assert file.pieces(GROUP, 2 * GROUP)[0].records["d"].to_pylist() == ["b"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("compression", ["none", "lz4", "zstd"])
def test_compressions(kind: str, compression: str) -> None:
    batches = [numbers(at * 100, at * 100 + 100) for at in range(100)]
    content = write(kind, *batches, compression=compression)
    table = pa.Table.from_batches(batches)
    assert by_pyarrow(kind, content).equals(table)
    assert Unit(content, f"x.{kind}").table().equals(table)
    plain = len(write(kind, *batches))
    assert (len(content) < plain) == (compression != "none")


def test_small_batches_are_gathered() -> None:
    content = write("arrow", *[numbers(at, at + 1) for at in range(1_000)])
    assert pa.ipc.open_file(io.BytesIO(content)).num_record_batches == 1


# ── damage ──────────────────────────────────────────────────────────────────────────────────────


def test_what_is_no_arrow_is_refused() -> None:
    form = format_named("arrow")
    for content, said in (
        (b"FEA1\0\0\0\0", "this is Feather V1"),
        (b"", "no Arrow IPC file: it is empty"),
        (b"ARROW1", "no readable Arrow IPC"),
        (b"ARROW1\0\0" + bytes(100), "no readable Arrow IPC"),
        (bytes(50), "no readable Arrow IPC"),
        (b"hello, world", "no readable Arrow IPC"),
    ):
        with pytest.raises(FatalError, match=rf"x\.arrow: {said}"):
            form.discover(MemorySource(content, "x.arrow"), ReadOptions())


@pytest.mark.parametrize("kind", KINDS)
def test_a_truncated_file_is_refused(kind: str) -> None:
    content = ipc(kind, *[numbers(at, at + 50) for at in range(3)])
    for length in range(8, len(content) - 1, 37):
        with pytest.raises(FatalError, match=r"x\.arrows?: .*(truncated|still writes it)"):
            Unit(content[:length], f"x.{kind}").table()


def test_a_stream_without_its_end_is_refused() -> None:
    content = ipc("arrows", numbers(0, 5))
    with pytest.raises(FatalError, match="without the mark of its end"):
        Unit(content[:-8], "x.arrows").table()
    with pytest.raises(FatalError, match="more bytes follow the end of the stream"):
        Unit(content * 2, "x.arrows").table()


def test_no_damage_kills_the_process(tmp_path: Path) -> None:
    """Bytes are changed at random, in a process of its own: it reads rows or says what is wrong."""
    script = """
import random, sys
from ferris_beam.errors import FerrisError
from tests.formats.memory import Unit
content, draw = open(sys.argv[1], "rb").read(), random.Random(7)
refused = 0
for _ in range(400):
    damaged = bytearray(content)
    for _ in range(draw.randint(1, 4)):
        damaged[draw.randrange(8, len(damaged))] = draw.randrange(256)
    try:
        Unit(bytes(damaged), "x.arrow").table().to_pylist()
    except FerrisError as error:
        assert "x.arrow" in str(error), error
        refused += 1
assert refused
"""
    draw = random.Random(3)
    rows = [{"m": [{"k": draw.random()}], "s": "x" * draw.randrange(9)} for _ in range(20)]
    file = tmp_path / "x.arrow"
    for kind in KINDS:
        file.write_bytes(ipc(kind, pa.RecordBatch.from_pylist(rows)))
        done = subprocess.run(
            [sys.executable, "-c", script, str(file)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (kind, done.returncode, done.stderr[-2_000:])


# ── merging ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
def test_files_are_merged_with_their_dictionaries(kind: str) -> None:
    batches = [
        pa.RecordBatch.from_arrays([pa.array(values).dictionary_encode()], names=["d"])
        for values in (["a", "b"], ["c", "b"], [None, "a"])
    ]
    sources = [MemorySource(write(kind, records), f"x.{kind}") for records in batches]
    target = io.BytesIO()
    format_named(kind).merge(target, iter(sources), WriteOptions(compression="lz4"))
    merged = by_pyarrow(kind, target.getvalue())
    assert merged["d"].to_pylist() == ["a", "b", "c", "b", None, "a"]
    assert merged.schema == batches[0].schema
