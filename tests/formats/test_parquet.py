"""Parquet: constant borders, row groups that a condition excludes, encodings that fit."""

from __future__ import annotations

import base64
import io
import math
import random
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.errors import FatalError, SchemaError
from ferris_beam.formats.groups import CUT, GROUP
from ferris_beam.formats.options import ReadOptions
from ferris_beam.formats.parquet.format import ParquetFormat
from ferris_beam.formats.registry import format_named
from tests.formats.memory import MemorySource, Unit, spans, write


def parquet(table: pa.Table, **options: Any) -> bytes:
    target = io.BytesIO()
    pq.write_table(table, target, **options)
    return target.getvalue()


def numbers(rows: int) -> pa.Table:
    return pa.table({"i": pa.array(range(rows), pa.int64()), "s": [f"r{at}" for at in range(rows)]})


# ── reading ─────────────────────────────────────────────────────────────────────────────────────


def test_a_row_group_is_cut_at_constant_rows() -> None:
    rows = 2 * CUT + 5_000
    file = Unit(parquet(numbers(rows + 7), row_group_size=rows), "x.parquet")
    assert (file.extent.end, file.extent.grain, file.extent.divisible) == (2 * GROUP, GROUP, True)
    pieces = file.pieces()
    assert [piece.records.num_rows for piece in pieces] == [CUT, CUT, 5_000, 7]
    assert [piece.end for piece in pieces] == [CUT, 2 * CUT, GROUP, 2 * GROUP]
    assert file.table() == numbers(rows + 7)
    assert 0 < sum(piece.nbytes for piece in pieces) <= len(file.source.data)
    rest = file.pieces(2 * CUT, GROUP)
    assert [(piece.records.num_rows, piece.end) for piece in rest] == [(5_000, GROUP)]
    one = file.pieces(CUT, 2 * CUT)
    assert [(piece.records["i"][0].as_py(), piece.end) for piece in one] == [(CUT, 2 * CUT)]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 200_000), min_size=1, max_size=4), st.data())
def test_any_split_at_a_border_yields_all_rows_once(groups: list[int], data: st.DataObject) -> None:
    target = io.BytesIO()
    with pq.ParquetWriter(target, pa.schema([("i", pa.int32())])) as writer:
        for group in groups:
            writer.write_table(pa.table({"i": pa.array(range(group), pa.int32())}))
    file = Unit(target.getvalue(), "x.parquet")
    borders = [piece.end for piece in file.pieces()]
    cuts = data.draw(st.lists(st.sampled_from(borders), max_size=3))
    found = [p for start, end in spans(cuts, file.extent.end) for p in file.pieces(start, end)]
    assert [piece.end for piece in found] == borders
    assert [row for p in found for row in p.records["i"].to_pylist()] == [
        row for group in groups for row in range(group)
    ]


def test_a_file_without_rows_is_one_empty_piece() -> None:
    file = Unit(parquet(numbers(0)), "x.parquet")
    assert [(piece.records.num_rows, piece.end) for piece in file.pieces()] == [(0, GROUP)]
    assert file.schema == numbers(0).schema


@settings(max_examples=50, deadline=None)
@given(st.integers(-5, 105), st.integers(0, 3), st.sampled_from([["s"], ["i"], ["s", "i"], None]))
def test_conditions_and_columns_as_duckdb_has_them(
    bound: int, kind: int, columns: list[str] | None
) -> None:
    gaps = pa.array([at if at % 3 else None for at in range(100)])
    everything = numbers(100).append_column("n", gaps)
    field = pc.field("i")
    predicate, where = [
        (field > bound, f"i > {bound}"),
        (field == bound, f"i = {bound}"),
        ((pc.field("n") < bound) & (pc.field("s") != "r7"), f"n < {bound} AND s <> 'r7'"),
        (pc.field("n").is_null() | (field < bound), f"n IS NULL OR i < {bound}"),
    ][kind]
    file = Unit(parquet(everything, row_group_size=10), "x.parquet")
    names = ", ".join(columns or ["*"])
    expected = duckdb.sql(f"SELECT {names} FROM everything WHERE {where}")
    pieces = file.pieces(columns=columns, predicate=predicate)
    assert [piece.end for piece in pieces] == [(at + 1) * GROUP for at in range(10)]
    assert file.table(columns=columns, predicate=predicate).equals(expected.to_arrow_table())


def test_row_groups_without_a_fitting_row_are_not_read() -> None:
    file = Unit(parquet(numbers(1000), row_group_size=100), "x.parquet")
    pieces = file.pieces(predicate=pc.field("i") >= 950)
    assert [piece.nbytes > 0 for piece in pieces] == [False] * 9 + [True]
    assert [piece.records.num_rows for piece in pieces] == [0] * 9 + [50]


def test_row_groups_whose_statistics_tell_nothing_are_judged_by_the_conditions_column() -> None:
    draw = random.Random(5)
    ids = list(range(1_000))
    draw.shuffle(ids)
    texts = {f"t{at}": [draw.randbytes(40).hex() for _ in ids] for at in range(4)}
    table = pa.table({"i": ids, **texts})
    file = Unit(parquet(table, row_group_size=100), "x.parquet")
    pieces = file.pieces(predicate=pc.field("i") == 777)
    assert [piece.nbytes > 0 for piece in pieces] == [
        at == ids.index(777) // 100 for at in range(10)
    ]
    assert [piece.end for piece in pieces] == [(at + 1) * GROUP for at in range(10)]
    assert file.table(predicate=pc.field("i") == 777).equals(table.filter(pc.field("i") == 777))


def test_a_condition_on_an_unknown_column_is_refused() -> None:
    file = Unit(parquet(numbers(3)), "x.parquet")
    with pytest.raises(SchemaError, match=r"No match for FieldRef\.Name\(zz\)"):
        file.open(predicate=pc.field("zz") > 1)


def test_a_file_of_other_types_is_cast() -> None:
    schema = pa.schema([("i", pa.int8()), ("s", pa.string())])
    file = Unit(parquet(numbers(200), row_group_size=150), "x.parquet", schema)
    assert [row["i"] for row in file.rows()] == list(range(128))
    bad = [row for piece in file.pieces() for row in piece.bad_rows]
    assert len(bad) == 72
    assert (bad[0].position, bad[-1].position) == (128, GROUP + 49)
    assert bad[-1].place == "row 49 of row group 1 of x.parquet"
    assert bad[-1].reason == "i: 199 does not fit an int8"
    assert bad[-1].payload == b'{"i": 199, "s": "r199"}'
    assert bad[-1].category == "schema"


def test_a_condition_is_about_the_values_after_the_cast() -> None:
    texts = pa.table({"i": [f"{at}" for at in range(200)]})
    file = Unit(parquet(texts, row_group_size=50), "x.parquet", pa.schema([("i", pa.int64())]))
    found = file.table(predicate=pc.field("i") >= 99)
    assert found["i"].to_pylist() == list(range(99, 200))


def test_a_file_of_other_columns_is_refused() -> None:
    schema = pa.schema([("i", pa.int64()), ("t", pa.string())])
    with pytest.raises(SchemaError, match="it lacks 't' and has 's' besides"):
        Unit(parquet(numbers(3)), "x.parquet", schema).open()


@pytest.mark.parametrize("data", [b"", b"PAR1", b"x" * 100, parquet(numbers(1000))[:-20]])
def test_what_is_no_parquet_is_refused(data: bytes) -> None:
    with pytest.raises(FatalError, match=r"x\.parquet: no readable Parquet file"):
        format_named("parquet").discover(MemorySource(data, "x.parquet"), ReadOptions())


def test_a_damaged_row_group_is_refused() -> None:
    data = bytearray(parquet(numbers(10_000), compression="zstd"))
    data[30 : len(data) // 2] = b"\xff" * (len(data) // 2 - 30)
    with pytest.raises(FatalError, match=r"x\.parquet: row group 0 can't be read"):
        Unit(bytes(data), "x.parquet").pieces()


def test_nan_is_not_lost_to_statistics() -> None:
    values = pa.array([math.nan, 1.0, 5.0, math.nan, 5.0, 5.0, None, None, math.nan, math.nan])
    table = pa.table({"x": values, "c": [*"abcdefghij"]})
    file = Unit(parquet(table, row_group_size=2), "x.parquet")
    x, c = pc.field("x"), pc.field("c")
    for predicate in (
        x > 2,
        x != 5,
        ~(x > 2),
        pc.is_nan(x),
        x.is_null(),
        pc.is_null(x, nan_is_null=True),
        (x > 2) & (c != "c"),
        (x != 1) | (c == "a"),
        x.isin([1.0, math.nan]),
    ):
        expected = table.filter(predicate)["c"].to_pylist()
        assert file.table(predicate=predicate)["c"].to_pylist() == expected, predicate
    read = [piece.nbytes > 0 for piece in file.pieces(predicate=x > 2)]
    assert read == [False, True, True, False, True]  # the last one has no statistics


def test_truncated_statistics_lose_no_row() -> None:
    texts = [letter * 5_000 + str(at) for at in range(6) for letter in "ab"]
    table = pa.table({"t": texts})
    file = Unit(parquet(table, row_group_size=3), "x.parquet")
    for wanted in texts:
        assert file.table(predicate=pc.field("t") == wanted)["t"].to_pylist() == [wanted]


def test_conditions_on_nested_columns() -> None:
    table = pa.table({"s": [{"x": float(at) if at % 3 else math.nan} for at in range(20)]})
    file = Unit(parquet(table, row_group_size=4), "x.parquet")
    predicate = pc.field("s", "x") != 7.0
    assert file.table(predicate=predicate).num_rows == table.filter(predicate).num_rows == 19


def test_a_file_without_row_groups_is_one_empty_piece() -> None:
    target = io.BytesIO()
    pq.ParquetWriter(target, pa.schema([("a", pa.int64())])).close()
    file = Unit(target.getvalue(), "x.parquet")
    assert [(piece.records.num_rows, piece.end) for piece in file.pieces()] == [(0, GROUP)]
    assert file.pieces(predicate=pc.field("a") > 1)[0].records.num_rows == 0


def test_columns_that_make_no_table_are_refused() -> None:
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pytest.raises(SchemaError, match=r"x\.parquet: has several columns named 'a'"):
        Unit(parquet(twice), "x.parquet")
    with pytest.raises(SchemaError, match=r"x\.parquet: has no columns"):
        Unit(parquet(pa.table({})), "x.parquet")


def test_many_columns() -> None:
    wide = pa.table({f"c{at}": [at, -at] for at in range(5_000)})
    file = Unit(parquet(wide), "x.parquet")
    assert file.table().equals(wide)
    assert file.table(columns=["c4999"], predicate=pc.field("c7") > 0).to_pylist() == [
        {"c4999": 4999}
    ]


def test_times_of_96_bits_reach_further_than_nanoseconds() -> None:
    times = pa.table({"t": pa.array([datetime(1500, 1, 1), datetime(2024, 1, 1, 1, 2, 3, 4)])})
    file = Unit(parquet(times, use_deprecated_int96_timestamps=True), "x.parquet")
    assert file.table().equals(times)


@pytest.mark.parametrize("plain", [True, False])
def test_an_encrypted_file_is_refused(plain: bool) -> None:
    factory = pe.CryptoFactory(lambda config: KeysInClear())
    properties = factory.file_encryption_properties(
        pe.KmsConnectionConfig(),
        pe.EncryptionConfiguration("f", column_keys={"k": ["i"]}, plaintext_footer=plain),
    )
    source = MemorySource(parquet(numbers(10), encryption_properties=properties), "x.parquet")
    with pytest.raises(FatalError, match=r"x\.parquet: .*encrypted"):
        ParquetFormat().discover(source, ReadOptions())
    with pytest.raises(FatalError, match=r"x\.parquet: .*encrypted"):
        ParquetFormat().open(source, numbers(0).schema, ReadOptions())


class KeysInClear(pe.KmsClient):
    """Keys are wrapped in nothing."""

    def wrap_key(self, key: bytes, name: str) -> bytes:
        return base64.b64encode(key)

    def unwrap_key(self, wrapped: bytes, name: str) -> bytes:
        return base64.b64decode(wrapped)


# ── writing ─────────────────────────────────────────────────────────────────────────────────────


def mixed(rows: int) -> pa.Table:
    draw = random.Random(1)
    return pa.table(
        {
            "id": pa.array(range(rows), pa.int64()),
            "country": [draw.choice(["DE", "FR", "JP"]) for _ in range(rows)],
            "note": [f"{draw.random()}" for _ in range(rows)],
            "at": pa.array(range(rows), pa.timestamp("us")),
            "flag": [at % 2 == 0 for at in range(rows)],
            "tags": [["x", "y"]] * rows,
            "o": [{"a": at, "b": None} for at in range(rows)],
            "none": pa.nulls(rows),
        }
    )


def test_each_column_has_the_encoding_that_suits_it() -> None:
    table = mixed(10_000)
    file = pq.ParquetFile(io.BytesIO(write("parquet", *table.to_batches(max_chunksize=999))))
    group = file.metadata.row_group(0)
    encodings = {
        group.column(at).path_in_schema: set(group.column(at).encodings)
        for at in range(group.num_columns)
    }
    assert "DELTA_BINARY_PACKED" in encodings["id"]
    assert "DELTA_BINARY_PACKED" in encodings["at"]
    assert "RLE_DICTIONARY" in encodings["country"]
    assert "RLE_DICTIONARY" in encodings["tags.list.element"]
    assert not any("DICTIONARY" in encoding for encoding in encodings["note"])
    assert file.read().equals(table)


def test_texts_in_no_order_have_no_statistics() -> None:
    names = [f"name {number % 7}" for number in range(1_000)]
    table = pa.table({"shuffled": names, "sorted": sorted(names), "id": range(1_000)})
    data = write("parquet", *table.to_batches())
    group = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(0)
    stated = {group.column(at).path_in_schema: group.column(at).is_stats_set for at in range(3)}
    assert stated == {"shuffled": False, "sorted": True, "id": True}
    found = Unit(data, "x.parquet").table(predicate=pc.field("shuffled") == "name 3")
    assert found.num_rows == names.count("name 3")


@given(st.lists(st.integers(0, 50), max_size=12), st.integers(1, 60))
def test_batches_are_gathered_to_row_groups(sizes: list[int], row_group_size: int) -> None:
    schema = pa.schema([("i", pa.int64())])
    batches = [pa.RecordBatch.from_pydict({"i": list(range(size))}, schema) for size in sizes]
    empty = pa.RecordBatch.from_pydict({"i": []}, schema)
    data = write("parquet", empty, *batches, row_group_size=row_group_size)
    metadata = pq.ParquetFile(io.BytesIO(data)).metadata
    groups = [metadata.row_group(at).num_rows for at in range(metadata.num_row_groups)]
    full, rest = divmod(sum(sizes), row_group_size)
    assert [group for group in groups if group] == [row_group_size] * full + [rest] * (rest > 0)
    assert pq.read_table(io.BytesIO(data)) == pa.Table.from_batches(batches, schema)


@pytest.mark.parametrize("compression", ["snappy", "zstd", "lz4", "gzip", "none"])
def test_compressions(compression: str, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(write("parquet", *mixed(100).to_batches(), compression=compression))
    column = pq.ParquetFile(path).metadata.row_group(0).column(0)
    assert column.compression.lower().startswith(
        {"none": "uncompressed"}.get(compression, compression)
    )
    assert duckdb.sql(f"SELECT sum(id) FROM '{path}'").fetchall() == [(4950,)]


def test_dictionaries_of_different_batches_stay_one() -> None:
    schema = pa.schema([("c", pa.dictionary(pa.int32(), pa.string()))])
    batches = [
        pa.RecordBatch.from_arrays([pa.array(values * 100).dictionary_encode()], schema=schema)
        for values in (["a", "b"], ["b", "c"], ["a", None])
    ]
    file = pq.ParquetFile(io.BytesIO(write("parquet", *batches)))
    assert "RLE_DICTIONARY" in file.metadata.row_group(0).column(0).encodings
    assert file.read()["c"].to_pylist() == ["a", "b"] * 100 + ["b", "c"] * 100 + ["a", None] * 100


def test_types_survive() -> None:
    table = pa.table(
        {
            "z": pa.array([datetime(2024, 1, 1)], pa.timestamp("us", "Europe/Berlin")),
            "ns": pa.array([1], pa.timestamp("ns")),
            "l": pa.array(["x"], pa.large_string()),
            "u": pa.array([2**64 - 1], pa.uint64()),
            "m": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
        }
    )
    file = Unit(write("parquet", *table.to_batches()), "x.parquet")
    assert file.schema == table.schema
    assert file.table() == table
