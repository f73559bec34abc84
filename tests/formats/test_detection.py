"""What a file is: by option, name and content, and what is said where these disagree."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.orc as orc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.errors import ConfigurationError, FatalError
from ferris_beam.formats.compression import CODECS
from ferris_beam.formats.options import ReadOptions
from ferris_beam.formats.registry import formats
from ferris_beam.formats.unit import detected, discover
from tests.formats.memory import MemorySource
from tests.formats.test_compression import compressed

CSV = b"id,name\n1,x\n2,y\n"
JSONL = b'{"id": 1}\n{"id": 2}\n'


def parquet() -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.table({"id": [1]}), target)
    return target.getvalue()


def found(name: str, data: bytes, **options: Any) -> tuple[str, str]:
    return detected(MemorySource(data, name), ReadOptions(**options))


def refused(name: str, data: bytes, **options: Any) -> str:
    with pytest.raises(ConfigurationError) as raised:
        found(name, data, **options)
    assert str(raised.value).startswith(f"{name}: ")
    return str(raised.value)


# ── compression ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("codec", sorted(CODECS))
def test_compression_is_told_by_option_name_or_magic(codec: str) -> None:
    data = compressed(CSV, codec)
    extension = CODECS[codec].extensions[0]
    assert found(f"a.csv{extension}", data) == ("csv", codec)
    assert found("a.csv", data) == ("csv", codec)
    assert found("a.csv", data, compression=codec) == ("csv", codec)
    assert found("a", data) == ("csv", codec)
    assert found("a", data, format="jsonl") == ("jsonl", codec)
    wrong = "zstd" if codec != "zstd" else "gzip"
    assert f"this is {codec}; set compression={codec}" in refused(
        f"a.csv{CODECS[wrong].extensions[0]}", data
    )
    assert f"this is {codec}; leave out compression=" in refused("a.csv", data, compression="none")


def test_an_empty_file_is_what_its_name_says() -> None:
    assert found("a.csv.gz", b"") == ("csv", "gzip")
    assert found("a.jsonl", b"") == ("jsonl", "none")
    assert "and it is empty; set format=" in refused("a", b"")


def test_what_is_not_compressed_says_so_when_it_is_read() -> None:
    source = MemorySource(CSV, "a.csv.gz")
    unit = detected(source, ReadOptions())
    with pytest.raises(FatalError, match=r"no gzip data at byte 0.*set compression=none"):
        discover(source, unit, ReadOptions())
    assert found("a.csv.gz", CSV, compression="none") == ("csv", "none")


def test_binary_formats_compress_by_themselves() -> None:
    assert "parquet compresses by itself" in refused("a.parquet", gzip.compress(parquet()))
    assert "parquet compresses by itself" in refused("a.parquet.gz", gzip.compress(parquet()))
    assert "parquet compresses by itself" in refused("a", gzip.compress(parquet()))


# ── formats by content ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("data", "format"),
    [
        (CSV, "csv"),
        (b"\xef\xbb\xbf" + CSV, "csv"),
        (b'a,b\n"x, y",2\n', "csv"),
        (JSONL, "jsonl"),
        (b"\xef\xbb\xbf\n" + JSONL, "jsonl"),
        (b'{"a": {"b": [1]}}', "jsonl"),
        (b'{"a": "' + b"x" * 100_000 + b'"}\n', "jsonl"),
        (parquet(), "parquet"),
    ],
)
def test_content_tells_where_the_name_does_not(data: bytes, format: str) -> None:
    assert found("/data/part-0001", data) == (format, "none")
    if format != "parquet":
        assert found("/data/x.log.gz", gzip.compress(data)) == (format, "gzip")


@pytest.mark.parametrize(
    "data", [b"one column\n1\n", b"only,one line\n", b"a,b\n1,2,3\n", b"\0\1\2", b"a,b\n\xff,1\n"]
)
def test_what_content_does_not_tell_is_not_guessed(data: bytes) -> None:
    message = refused("/data/x.txt", data)
    assert "its name does not tell the format, and it begins with" in message
    assert "set format= to one of" in message


@pytest.mark.parametrize(("delimiter", "word"), [(";", ";"), ("\t", "tab"), ("|", "pipe")])
def test_other_delimiters_are_named(delimiter: str, word: str) -> None:
    data = CSV.replace(b",", delimiter.encode())
    assert f"set format=csv&delimiter={word}" in refused("x.dat", data)


# ── names that content contradicts ──────────────────────────────────────────────────────────────


def a_zip() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("a.csv", CSV)
    return target.getvalue()


def a_database(folder: Path) -> bytes:
    path = folder / "x.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (a)")
    return path.read_bytes()


def an_orc_file() -> bytes:
    target = io.BytesIO()
    orc.write_table(pa.table({"a": [1]}), target)
    return target.getvalue()


def test_what_is_something_else_is_named(tmp_path: Path) -> None:
    kinds = {
        "this is a Parquet file; set format=parquet or rename it": parquet(),
        "this is a zip archive": a_zip(),
        "this is an SQLite database": a_database(tmp_path),
        "this is an ORC file": an_orc_file(),
        "this is a PDF document": b"%PDF-1.7\n",
        "this is an HTML page": b"\n<!DOCTYPE HTML>\n<html>",
        "this is an XML document": b'<?xml version="1.0"?>',
    }
    for words, data in kinds.items():
        assert words in refused("orders.csv", data)
        assert words in refused("orders.jsonl", data)
        text = data.lstrip()[:1] == b"<"
        assert text == (words not in _said(data, format="csv"))


def _said(data: bytes, **options: Any) -> str:
    try:
        found("orders.csv", data, **options)
    except ConfigurationError as error:
        return str(error)
    return ""


def test_the_same_inside_of_a_compressor() -> None:
    source = MemorySource(gzip.compress(parquet()), "a.csv.gz")
    with pytest.raises(ConfigurationError, match=r"its name says csv, .*: this is a Parquet file"):
        discover(source, detected(source, ReadOptions()), ReadOptions())


@pytest.mark.parametrize("name", ["a.parquet", "a.pq"])
def test_a_binary_format_begins_in_its_way(name: str) -> None:
    assert "its name says parquet, but it begins with 'id,name" in refused(name, CSV)
    assert "format= says parquet" in refused("a.csv", CSV, format="parquet")


def test_json_is_not_read_as_csv() -> None:
    assert "this is JSON Lines; set format=jsonl, or format=csv" in refused("a.csv", JSONL)
    assert found("a.csv", JSONL, format="csv") == ("csv", "none")
    assert found("a.csv", b"{id},name\n1,x\n") == ("csv", "none")
    assert found("a.csv", b'"{""a""}",b\n') == ("csv", "none")
    if "json" in formats():
        assert "this is a JSON document; set format=json" in refused("a.jsonl", b'[\n{"a":1}]')
        assert found("x.log", b'[\n{"a":1}]') == ("json", "none")


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), min_size=1, max_size=9)


@given(st.lists(NAMES, min_size=1, max_size=5))
def test_no_header_is_taken_for_something_else(names: list[str]) -> None:
    """Any header that isn't itself a JSON object or a page."""
    line = ",".join(names)
    if line.lstrip()[:1] in ("{", "[", "<"):
        return
    assert found("a.csv", f"{line}\n1\n".encode()) == ("csv", "none")


@given(st.dictionaries(NAMES, st.integers(), min_size=1))
def test_lines_of_json_are_lines_of_json(row: dict[str, int]) -> None:
    data = (json.dumps(row, ensure_ascii=False) + "\n").encode() * 2
    assert found("a", data) == found("a.jsonl", data) == ("jsonl", "none")
