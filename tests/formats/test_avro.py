"""Avro files: blocks in cells, codecs, damage that is never a silent loss, merging."""

from __future__ import annotations

import io
import random
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import fastavro
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.errors import FatalError, MissingDependencyError, SchemaError
from ferris_beam.formats.avro.codecs import MOST_BYTES
from ferris_beam.formats.avro.container import MAGIC, SYNC, header, read_long, write_long
from ferris_beam.formats.avro.writer import BLOCK_BYTES
from ferris_beam.formats.groups import CUT, GROUP
from ferris_beam.formats.options import ReadOptions, WriteOptions
from ferris_beam.formats.registry import format_named
from tests.formats.memory import MemorySource, Unit, spans, write

SCHEMA = {
    "type": "record",
    "name": "order",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "note", "type": ["null", "string"]},
        {"name": "flag", "type": "boolean"},
    ],
}
MARKER = bytes(range(100, 100 + SYNC))
CODECS = ["null", "deflate", "bzip2", "xz"]


def orders(rows: int) -> list[dict[str, Any]]:
    return [
        {"id": at, "note": None if at % 3 else f"note {at}", "flag": at % 2 == 0}
        for at in range(rows)
    ]


def avro(rows: list[dict[str, Any]], schema: Any = SCHEMA, **options: Any) -> bytes:
    target = io.BytesIO()
    parsed = fastavro.parse_schema(schema)
    fastavro.writer(target, parsed, rows, sync_marker=MARKER, **options)
    return target.getvalue()


def file_of(*blocks: tuple[int, bytes], codec: str = "null", schema: bytes = b'"long"') -> bytes:
    """A file whose blocks say what they like."""
    parts = [header(schema, codec, MARKER)]
    for rows, data in blocks:
        parts += (write_long(rows), write_long(len(data)), data, MARKER)
    return b"".join(parts)


# ── blocks in cells ─────────────────────────────────────────────────────────────────────────────


@settings(max_examples=60)
@given(
    st.integers(0, 400),
    st.integers(1, 300),
    st.integers(17, 900),
    st.sampled_from(CODECS),
    st.data(),
)
def test_any_split_of_any_cells_yields_all_rows_once(
    rows: int, block: int, cell: int, codec: str, data: st.DataObject
) -> None:
    content = avro(orders(rows), codec=codec, sync_interval=block)
    with patch("ferris_beam.formats.grid.CELL", cell):
        file = Unit(content, "x.avro")
        assert file.extent.grain == GROUP
        assert file.extent.divisible
        whole = file.pieces()
        borders = [piece.end for piece in whole]
        assert borders == sorted(set(borders))
        assert borders[-1] == file.extent.end == max(1, -(-len(content) // cell)) * GROUP
        cuts = data.draw(st.lists(st.sampled_from(borders), max_size=4))
        found = [p for start, end in spans(cuts, file.extent.end) for p in file.pieces(start, end)]
    assert [piece.end for piece in found] == borders
    assert [row for piece in found for row in piece.records.to_pylist()] == orders(rows)
    assert sum(piece.nbytes for piece in found) <= len(content)


def test_a_cell_is_cut_at_constant_rows() -> None:
    rows = 2 * CUT + 10
    file = Unit(avro([{"id": 1, "note": None, "flag": True}] * rows), "x.avro")
    pieces = file.pieces()
    assert [piece.records.num_rows for piece in pieces] == [CUT, CUT, 10]
    assert [piece.end for piece in pieces] == [CUT, 2 * CUT, GROUP]
    rest = file.pieces(2 * CUT, GROUP)
    assert [(piece.records.num_rows, piece.end) for piece in rest] == [(10, GROUP)]


def test_columns_and_conditions() -> None:
    file = Unit(avro(orders(1_000)), "x.avro")
    found = file.table(columns=["flag", "id"], predicate=pc.field("note") == "note 99")
    assert found.to_pylist() == [{"flag": False, "id": 99}]
    assert file.table(columns=["note"]).num_rows == 1_000
    with pytest.raises(SchemaError, match="no column 'zz'"):
        file.open(columns=["zz"])


def test_a_file_of_other_types_is_cast() -> None:
    schema = pa.schema([("id", pa.int8()), ("note", pa.string()), ("flag", pa.bool_())])
    file = Unit(avro(orders(130)), "x.avro", schema)
    assert [row["id"] for row in file.rows()] == list(range(128))
    bad = [row for piece in file.pieces() for row in piece.bad_rows]
    assert [row.position for row in bad] == [128, 129]
    assert bad[0].place == "row 128 of the 4 MiB cell 0 of x.avro"


def test_a_file_of_other_columns_is_refused() -> None:
    schema = pa.schema([("id", pa.int64()), ("t", pa.string())])
    with pytest.raises(SchemaError, match="it lacks 't' and has 'note', 'flag' besides"):
        Unit(avro(orders(3)), "x.avro", schema).open()


def test_a_file_without_rows_is_one_empty_piece() -> None:
    file = Unit(avro([]), "x.avro")
    assert [(piece.records.num_rows, piece.end) for piece in file.pieces()] == [(0, GROUP)]
    assert file.schema.names == ["id", "note", "flag"]


def test_rows_without_content_are_counted() -> None:
    schema = b'{"type":"record","name":"r","fields":[{"name":"n","type":"null"}]}'
    assert Unit(file_of((3, b""), (2, b""), schema=schema), "x.avro").rows() == [{"n": None}] * 5


def test_a_long_header_and_its_notes_are_read() -> None:
    notes = {f"user.{at}": "x" * 1_000 for at in range(200)}
    file = Unit(avro(orders(5), metadata=notes), "x.avro")
    assert file.rows() == orders(5)


# ── codecs ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("compression", ["deflate", "snappy", "zstd", "bzip2", "xz", "none"])
def test_what_is_written_with_a_codec_is_read(compression: str) -> None:
    records = pa.RecordBatch.from_pylist(orders(20_000))
    content = write("avro", records, compression=compression)
    assert Unit(content, "x.avro").table().to_batches()[0].equals(records)
    if compression not in ("snappy", "zstd"):  # for these fastavro has no library here
        assert list(fastavro.reader(io.BytesIO(content))) == orders(20_000)
    if compression == "snappy":
        assert pl.read_avro(io.BytesIO(content)).to_dicts() == orders(20_000)
    blocks = list(fastavro.block_reader(io.BytesIO(content))) if compression == "none" else []
    assert all(block.size <= BLOCK_BYTES + 100 for block in blocks)


def test_snappy_of_others_is_read() -> None:
    target = io.BytesIO()
    pl.DataFrame(orders(5_000)).write_avro(target, compression="snappy")
    assert Unit(target.getvalue(), "x.avro").rows() == orders(5_000)


def test_an_unknown_codec_is_refused() -> None:
    with pytest.raises(FatalError, match=r"x\.avro: its blocks are compressed by 'lz77'"):
        Unit(file_of(codec="lz77"), "x.avro")


def test_a_row_may_be_longer_than_a_block() -> None:
    records = pa.RecordBatch.from_pydict({"t": ["x" * 200_000, "", "y" * 100_000]})
    content = write("avro", records, compression="none")
    assert [block.num_records for block in fastavro.block_reader(io.BytesIO(content))] == [1, 1, 1]
    assert Unit(content, "x.avro").table().to_batches()[0].equals(records)


@given(st.integers(-(2**63), 2**63 - 1))
def test_longs(value: int) -> None:
    encoded = write_long(value)
    assert read_long(encoded + b"x", 0) == (value, len(encoded))


# ── damage ──────────────────────────────────────────────────────────────────────────────────────


def messages(content: bytes) -> str:
    with pytest.raises(FatalError) as caught:
        Unit(content, "x.avro").table()
    return str(caught.value)


@pytest.mark.parametrize("content", [b"", b"Obj", b"PAR1", b"x" * 200])
def test_what_is_no_avro_is_refused(content: bytes) -> None:
    source = MemorySource(content, "x.avro")
    with pytest.raises(FatalError, match=r"x\.avro: no Avro file: it "):
        format_named("avro").discover(source, ReadOptions())


@pytest.mark.parametrize("codec", CODECS)
def test_a_truncated_file_is_refused(codec: str) -> None:
    content = avro(orders(500), codec=codec, sync_interval=500)
    ends = [at + SYNC for at in range(len(content)) if content.startswith(MARKER, at)]
    for length in {*range(4, ends[0], 7), *range(ends[0], len(content), 13)}:
        if length not in ends:
            assert "truncated" in messages(content[:length])
        else:
            assert Unit(content[:length], "x.avro").table().num_rows < 500


def test_a_damaged_marker_is_refused() -> None:
    content = avro(orders(500), sync_interval=500)
    second = content.index(MARKER, content.index(MARKER) + 1)
    damaged = content[:second] + b"!" + content[second + 1 :]
    start = content.index(MARKER) + SYNC
    assert f"the block at byte {start:,} is damaged (the marker behind it" in messages(damaged)


@pytest.mark.parametrize(
    ("rows", "data", "said"),
    [
        (2, b"\x02\x04\x06", "its rows end before or behind its last byte"),
        (4, b"\x02\x04\x06", "it says that it has 4 rows"),
        (1, b"\x80", "its rows"),
        (2, b"\x80\x02\x80\x80", "its rows"),
        (1 << 50, b"\x02", "it says that it has 1,125,899,906,842,624 rows"),
        (-1, b"\x02", "it says that it has -1 rows"),
        (1, b"\xff" * 11, "its rows"),
    ],
)
def test_a_block_whose_rows_do_not_fill_it_is_refused(rows: int, data: bytes, said: str) -> None:
    content = file_of((1, b"\x02"), (rows, data), (1, b"\x02"))
    start = content.index(MARKER) + SYNC + 3 + SYNC
    assert f"the block at byte {start:,} is damaged ({said}" in messages(content)


@pytest.mark.parametrize(
    ("schema", "data", "said"),
    [
        (b'"int"', write_long(1 << 40), "a value is not of its type"),
        (b'{"type":"enum","name":"e","symbols":["A"]}', b"\x02", "a value is not of its type"),
        (b'"string"', write_long(2) + b"\xff\xfe", "its rows are not what the schema says"),
        (b'"string"', write_long(1 << 50) + b"abc", "its rows are not what the schema says"),
        (b'"string"', write_long(-5) + b"abc", "its rows are not what the schema says"),
        (b'{"type":"array","items":"int"}', write_long(1 << 50), "its rows are not what"),
        (
            b'{"type":"bytes","logicalType":"decimal","precision":3,"scale":0}',
            write_long(2) + b"\x03\xe8",
            "a value is not of its type",
        ),
    ],
)
def test_values_that_are_none_are_refused(schema: bytes, data: bytes, said: str) -> None:
    assert said in messages(file_of((1, data), schema=schema))


def test_a_damaged_checksum_of_snappy_is_refused() -> None:
    content = bytearray(write("avro", pa.record_batch({"i": [1, 2]}), compression="snappy"))
    content[-SYNC - 1] ^= 1
    assert "its checksum is another one" in messages(bytes(content))


def test_a_block_that_unpacks_to_too_much_is_refused() -> None:
    import bz2

    bomb = bz2.compress(bytes(MOST_BYTES + 1), 1)
    assert "it unpacks to more than 256 MiB" in messages(file_of((1, bomb), codec="bzip2"))


def test_no_damage_kills_the_process(tmp_path: Path) -> None:
    """Bytes are changed at random, in a process of its own: it reads rows or says what is wrong."""
    script = """
import random, sys
from ferris_beam.errors import FerrisError
from tests.formats.memory import Unit
content, draw = open(sys.argv[1], "rb").read(), random.Random(7)
read = refused = 0
for _ in range(400):
    damaged = bytearray(content)
    for _ in range(draw.randint(1, 4)):
        damaged[draw.randrange(4, len(damaged))] = draw.randrange(256)
    try:
        Unit(bytes(damaged), "x.avro").table().validate(full=True)
        read += 1
    except FerrisError as error:
        assert "x.avro" in str(error), error
        refused += 1
assert read and refused, (read, refused)
"""
    draw = random.Random(3)
    rows = [
        {"m": {"k": draw.random()}, "l": [draw.randbytes(3), None], "s": "x" * draw.randrange(9)}
        for _ in range(50)
    ]
    schema = {
        "type": "record",
        "name": "r",
        "fields": [
            {"name": "m", "type": {"type": "map", "values": "double"}},
            {"name": "l", "type": {"type": "array", "items": ["null", "bytes"]}},
            {"name": "s", "type": "string"},
        ],
    }
    file = tmp_path / "x.avro"
    file.write_bytes(avro(rows, schema, sync_interval=300))
    done = subprocess.run(
        [sys.executable, "-c", script, str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2_000:]


def test_a_missing_library_is_named() -> None:
    file = Unit(avro(orders(3)), "x.avro")
    with (
        patch.dict(sys.modules, {"polars": None}),
        pytest.raises(MissingDependencyError, match="pip install 'polars'"),
    ):
        file.table()


# ── merging ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("codec", ["deflate", "none"])
def test_files_of_several_writers_are_merged(codec: str) -> None:
    ours = pa.RecordBatch.from_pylist(orders(3_000))
    parts = [
        avro(orders(10), codec="bzip2"),
        write("avro", ours, compression="deflate"),
        avro([]),
        write("avro", ours, compression="zstd"),
    ]
    target = io.BytesIO()
    form = format_named("avro")
    sources = [MemorySource(part, "x.avro") for part in parts]
    form.merge(target, iter(sources), WriteOptions(compression=codec))
    expected = [*orders(10), *orders(3_000), *orders(3_000)]
    assert list(fastavro.reader(io.BytesIO(target.getvalue()))) == expected
    assert target.getvalue().startswith(MAGIC)
