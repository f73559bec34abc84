"""The contract over the file connector, in every format there is."""

from __future__ import annotations

import errno
import json
import os
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from ferris_beam.formats.registry import formats
from ferris_beam.testing import (
    SinkCase,
    SinkConformance,
    SourceCase,
    SourceConformance,
)
from ferris_beam.testing.cases import sample
from tests.formats.memory import grid_of, write


@pytest.fixture(autouse=True)
def _small_cells() -> Iterator[None]:
    """Cells of a few bytes: small files of text have many borders then."""
    with grid_of(64, 16):
        yield


@pytest.fixture(params=formats())
def format(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def write_file(path: Path, format: str, table: pa.Table) -> None:
    """One file, by the format's own writer, in batches of five rows."""
    path.write_bytes(write(format, *table.combine_chunks().to_batches(5)))


class TestSource(SourceConformance):
    @pytest.fixture
    def case(self, tmp_path: Path, format: str) -> SourceCase:
        table = sample()
        folder = tmp_path / "in"
        folder.mkdir()
        for number in range(2):
            part = table.slice(number * 12, 12)
            write_file(folder / f"{number}.{format}", format, part)

        def change() -> None:
            """Another file of the same name; the time of change tells, too."""
            target = folder / f"0.{format}"
            write_file(target, format, table.slice(1, 12))
            os.utime(target, ns=(1, 1))

        return SourceCase(
            uri=f"file://{folder}/*.{format}",
            expected=table,
            change=change,
            failing=f"file://{tmp_path}/missing.{format}",
        )


class TestRejectedRows(SourceConformance):
    """A CSV file with rows of too few fields, and of numbers that are none."""

    @pytest.fixture
    def case(self, tmp_path: Path) -> SourceCase:
        lines = [f"{n},{n / 4},name {n}" for n in range(40)]
        lines[7] = "7"
        lines[31] = "thirty-one,7.75,name 31"
        (tmp_path / "in.csv").write_text("\n".join(["id,amount,name", *lines]) + "\n")
        good = [n for n in range(40) if n not in (7, 31)]
        return SourceCase(
            uri=f"file://{tmp_path}/in.csv?types=id:int64",
            expected=pa.table(
                {
                    "id": good,
                    "amount": [n / 4 for n in good],
                    "name": [f"name {n}" for n in good],
                }
            ),
            rejected=2,
        )


class TestFolder(SinkConformance):
    @pytest.fixture
    def case(self, tmp_path: Path, format: str) -> SinkCase:
        folder = tmp_path / "out"
        return sink_case(f"{folder}/?format={format}&if_exists=append", folder, format)


class TestOneFile(SinkConformance):
    @pytest.fixture
    def case(self, tmp_path: Path, format: str) -> SinkCase:
        folder = tmp_path / "out"
        return sink_case(f"{folder}/all.{format}?if_exists=append", folder, format)


def sink_case(place: str, folder: Path, format: str) -> SinkCase:
    return SinkCase(
        uri=f"file://{place}",
        read=lambda: read_folder(folder, format),
        as_stored=AS_STORED.get(format, lambda table: table),
        interrupted=full_disk,
        failing=f"file:///dev/null/out.{format}",
    )


@contextmanager
def full_disk() -> Iterator[None]:
    """There is no space for another entry of the log."""
    with patch("os.link", side_effect=OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))):
        yield


# ── reading back, by others than us ─────────────────────────────────────────────────────────────


def read_folder(folder: Path, format: str) -> pa.Table:
    """The rows of all files of a folder."""
    found = sorted(path for path in folder.glob("*") if path.is_file())
    tables = [READERS[format](path) for path in found]
    return pa.concat_tables(tables, promote_options="permissive") if tables else pa.table({})


def read_csv(path: Path) -> pa.Table:
    """All columns as texts but those of the suite whose types are known."""
    with path.open() as lines:
        names = lines.readline().rstrip("\n").replace('"', "").split(",")
    kinds = {name: KNOWN.field(name).type if name in KNOWN.names else pa.string() for name in names}
    return csv.read_csv(
        path,
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=kinds,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def read_documents(documents: Iterable[str]) -> pa.Table:
    """Rows from arrays of objects. Numbers with fractions and large ones stay texts, so that no
    digit is lost."""

    def integer(text: str) -> int | str:
        return int(text) if abs(int(text)) < 2**63 else text

    found: list[dict[str, Any]] = []
    for text in documents:
        found += json.loads(text, parse_float=str, parse_int=integer)
    names = list(dict.fromkeys(name for row in found for name in row))
    return pa.table({name: column(name, [row.get(name) for row in found]) for name in names})


def column(name: str, values: list[Any]) -> pa.Array:
    if any(isinstance(value, str) for value in values):
        values = [None if value is None else str(value) for value in values]
    array = pa.array(values)
    return array.cast(KNOWN.field(name).type) if name in KNOWN.names else array


def read_parquet(path: Path) -> pa.Table:
    """By Arrow; what Parquet holds and it can't read (null lists of a fixed size), by DuckDB."""
    try:
        return pq.read_table(path)
    except pa.ArrowInvalid:
        return duckdb.read_parquet(str(path)).to_arrow_table()


def read_avro(path: Path) -> pa.Table:
    with path.open("rb") as file:
        return pa.Table.from_pylist(list(fastavro.reader(file)))


KNOWN = sample().schema
READERS: dict[str, Callable[[Path], pa.Table]] = {
    "arrow": lambda path: pa.ipc.open_file(path).read_all(),
    "arrows": lambda path: pa.ipc.open_stream(path).read_all(),
    "avro": read_avro,
    "csv": read_csv,
    "json": lambda path: read_documents([path.read_text()]),
    "jsonl": lambda path: read_documents(f"[{line}]" for line in path.read_text().splitlines()),
    "parquet": read_parquet,
}


# ── what formats make of types that they don't have ─────────────────────────────────────────────


def as_texts(table: pa.Table) -> pa.Table:
    """CSV: times as ISO 8601 has them, durations as a count of their unit."""
    return _with_column_x(table, _text_in_csv)


def as_json(table: pa.Table) -> pa.Table:
    """JSON: times and durations as ISO 8601 has them, bytes as base64, maps as objects."""
    return _with_column_x(table, _value_in_json)


def as_records(table: pa.Table) -> pa.Table:
    """Avro: what its Python reader makes of maps."""
    return _with_column_x(table, _maps_as_objects)


def _with_column_x(table: pa.Table, stored: Callable[[pa.ChunkedArray], Any]) -> pa.Table:
    if "column_x" not in table.schema.names:
        return table
    at = table.schema.names.index("column_x")
    return table.set_column(at, "column_x", stored(table["column_x"]))


def _text_in_csv(values: pa.ChunkedArray) -> Any:
    if pa.types.is_time(values.type):
        return values.cast(pa.string())
    if pa.types.is_duration(values.type):
        return values.cast(pa.int64()).cast(pa.string())
    return values


def _value_in_json(values: pa.ChunkedArray) -> Any:
    kind = values.type
    if pa.types.is_time(kind):
        return values.cast(pa.string())
    if pa.types.is_duration(kind):
        return pa.array([None if v is None else _iso_duration(v) for v in values.to_pylist()])
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or kind == pa.binary(3):
        coded = [None if v is None else b64encode(v).decode() for v in values.to_pylist()]
        return pa.array(coded, pa.string())
    return _maps_as_objects(values)


def _iso_duration(value: timedelta) -> str:
    micros = abs(value) // timedelta(microseconds=1)
    seconds = f"{micros // 10**6}.{micros % 10**6:06d}".rstrip("0").rstrip(".")
    return f"{'-' if value < timedelta() else ''}PT{seconds}S"


def _maps_as_objects(values: pa.ChunkedArray) -> Any:
    if not pa.types.is_map(values.type):
        return values
    return pa.array([None if value is None else dict(value) for value in values.to_pylist()])


AS_STORED: dict[str, Callable[[pa.Table], pa.Table]] = {
    "avro": as_records,
    "csv": as_texts,
    "json": as_json,
    "jsonl": as_json,
}
