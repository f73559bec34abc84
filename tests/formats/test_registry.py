"""Which format a file has, and which options it takes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ferris_beam.connectors.file.options import FileSourceOptions
from ferris_beam.errors import ConfigurationError, OptionError
from ferris_beam.formats.options import ReadOptions, WriteOptions, check_options
from ferris_beam.formats.registry import (
    compressions,
    default_delimiter,
    detect,
    format_named,
    formats,
)
from ferris_beam.options import resolve_endpoint
from ferris_beam.uri import Uri


@pytest.mark.parametrize(
    ("path", "format", "compression"),
    [
        ("/a/x.csv", "csv", "none"),
        ("/a/x.TSV", "csv", "none"),
        ("x.jsonl", "jsonl", "none"),
        ("x.ndjson.gz", "jsonl", "gzip"),
        ("x.2024.csv.GZ", "csv", "gzip"),
        ("x.parquet", "parquet", "none"),
        ("x.pq", "parquet", "none"),
        ("x.tsv.zst", "csv", "zstd"),
        ("x.csv.bz2", "csv", "bzip2"),
        ("x.jsonl.LZ4", "jsonl", "lz4"),
        ("x.csv.snappy", "csv", "snappy"),
        ("x.ndjson.xz", "jsonl", "xz"),
    ],
)
def test_a_name_tells_the_format(path: str, format: str, compression: str) -> None:
    assert detect(path) == (format, compression)


def test_options_win_over_the_name() -> None:
    assert detect("x.csv.gz", "jsonl", "none") == ("jsonl", "none")
    assert detect("x.log", "csv") == ("csv", "none")
    assert detect("x.gz", "csv") == ("csv", "gzip")


@pytest.mark.parametrize("path", ["x.txt", "x", "x.gz", "csv", "/data.csv/x"])
def test_an_unknown_name_lists_the_formats(path: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        detect(path)
    for word in ("set format=", "csv", "jsonl", "parquet", ".ndjson", ".gz", ".zst"):
        assert word in str(raised.value)


def test_formats_are_listed_and_found() -> None:
    assert formats() == sorted(formats())
    assert {"csv", "jsonl", "parquet"} <= set(formats())
    assert compressions() == ["none", "bzip2", "gzip", "lz4", "snappy", "xz", "zstd"]
    for name in formats():
        assert format_named(name).name == name
        assert format_named(name) is format_named(name)
        for extension in format_named(name).extensions:
            assert detect("x" + extension).format == name
    with pytest.raises(ConfigurationError, match=r"no format 'orc'; there are .*csv, .*parquet"):
        format_named("orc")


def test_text_is_written_with_every_codec() -> None:
    for name in formats():
        form = format_named(name)
        assert not form.wrapped or form.compressions == tuple(compressions())


def test_formats_are_loaded_when_they_are_needed() -> None:
    code = (
        "import sys; from ferris_beam.formats.registry import detect; detect('x.csv');"
        "sys.exit(any(name in sys.modules for name in ('pyarrow', 'pydantic', 'arro3')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_delimiters() -> None:
    assert [default_delimiter(name) for name in ("x.csv", "x.tsv", "X.TSV.ZST", "-")] == list(
        ",\t\t,"
    )


def test_an_option_of_another_format_is_refused() -> None:
    parquet, csv = format_named("parquet"), format_named("csv")
    with pytest.raises(
        OptionError, match="delimiter, skip_lines are no options of the format parq"
    ):
        check_options(ReadOptions(delimiter=";", skip_lines=2), parquet, parquet.read_options)
    with pytest.raises(OptionError, match="row_group_size is no option of the format csv"):
        check_options(WriteOptions(row_group_size=5), csv, csv.write_options)
    check_options(ReadOptions(delimiter=";", skip_lines=2), csv, csv.read_options)
    check_options(ReadOptions(skip_lines=0), parquet, parquet.read_options)


@pytest.mark.parametrize(
    ("given", "expected"), [("tab", "\t"), ("\\t", "\t"), (";", ";"), ("pipe", "|")]
)
def test_delimiters_have_names(given: str, expected: str) -> None:
    assert ReadOptions(delimiter=given).delimiter == expected


@pytest.mark.parametrize("value", ["ab", "é", "\n"])
def test_a_delimiter_is_one_ascii_character(value: str) -> None:
    with pytest.raises(ValueError, match="not one ASCII character"):
        ReadOptions(delimiter=value)


def test_columns_are_named_where_there_is_no_header() -> None:
    uri = Uri.parse("file:///x.csv?columns=a,b")
    with pytest.raises(ConfigurationError, match="columns works only with header"):
        resolve_endpoint(FileSourceOptions, uri, {})
    found = resolve_endpoint(FileSourceOptions, uri, {"header": False}).options
    assert found.columns == ("a", "b")
