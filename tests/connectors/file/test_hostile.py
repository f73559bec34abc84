"""Hostile input, every format, end to end: a clear error, or dead letters, or the very rows that an
independent reader finds. Never a foreign exception, a hang, or rows that are silently missing."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest

from ferris_beam.connector import Chunk, Reject
from ferris_beam.errors import FatalError, FerrisError, SourceChangedError
from ferris_beam.formats.compression import CODECS
from ferris_beam.formats.registry import format_named, formats
from tests.connectors.file.test_reader import elsewhere, read, reader
from tests.formats.test_compression import compressed

ROWS = [{"id": at, "name": f"customer {at}"} for at in range(500)]
TABLE = pa.Table.from_pylist(ROWS)


def _text_csv() -> bytes:
    target = io.StringIO()
    writer = csv.DictWriter(target, ["id", "name"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(ROWS)
    return target.getvalue().encode()


def _in_arrow(create: Callable[[Any, pa.Schema], Any]) -> bytes:
    target = io.BytesIO()
    with create(target, TABLE.schema) as writer:
        writer.write_table(TABLE, 100)
    return target.getvalue()


def _in_parquet(table: pa.Table = TABLE) -> bytes:
    target = io.BytesIO()
    pq.write_table(table, target, row_group_size=100)
    return target.getvalue()


def _in_avro(rows: list[dict[str, Any]] = ROWS) -> bytes:
    fields = [{"name": "id", "type": "long"}, {"name": "name", "type": "string"}]
    target = io.BytesIO()
    schema = fastavro.parse_schema({"type": "record", "name": "row", "fields": fields})
    fastavro.writer(target, schema, rows, sync_interval=2000)
    return target.getvalue()


FILES: dict[str, bytes] = {
    "csv": _text_csv(),
    "jsonl": b"".join(json.dumps(row).encode() + b"\n" for row in ROWS),
    "json": json.dumps(ROWS).encode(),
    "parquet": _in_parquet(),
    "avro": _in_avro(),
    "arrow": _in_arrow(pa.ipc.new_file),
    "arrows": _in_arrow(pa.ipc.new_stream),
}
BINARY = {"parquet", "avro", "arrow", "arrows"}

INDEPENDENT: dict[str, Callable[[bytes], list[dict[str, Any]]]] = {
    "csv": lambda data: [
        {"id": int(row["id"]), "name": row["name"]}
        for row in csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    ],
    "jsonl": lambda data: [json.loads(line) for line in data.decode("utf-8-sig").splitlines()],
    "json": lambda data: json.loads(data.decode("utf-8-sig")),
    "parquet": lambda data: pq.read_table(io.BytesIO(data)).to_pylist(),
    "avro": lambda data: list(fastavro.reader(io.BytesIO(data))),
    "arrow": lambda data: feather.read_table(io.BytesIO(data)).to_pylist(),
    "arrows": lambda data: pa.ipc.open_stream(data).read_all().to_pylist(),
}

each = pytest.mark.parametrize("format", sorted(FILES))
text = pytest.mark.parametrize("format", sorted(set(FILES) - BINARY))
binary = pytest.mark.parametrize("format", sorted(BINARY))


@pytest.fixture(autouse=True)
def _never_a_hang() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TimeoutError("it hangs")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def rows_of(path: Path | str, **options: Any) -> list[dict[str, Any]]:
    return [row for chunk in read(reader(path, **options)) for row in chunk.records.to_pylist()]


def rejects_of(path: Path | str, **options: Any) -> list[Reject]:
    return [reject for chunk in read(reader(path, **options)) for reject in chunk.rejects]


def error_of(path: Path | str, **options: Any) -> str:
    """What is said of a path that can't be read; anything but an error of ours fails the test."""
    with pytest.raises(FerrisError) as raised:
        read(reader(path, **options))
    assert str(path).rstrip("/").split("/")[-1].split("*")[0] in str(raised.value)
    return str(raised.value)


def test_every_format_is_tested_here() -> None:
    assert set(FILES) == set(INDEPENDENT) == set(formats())


@each
def test_the_rows_are_those_of_an_independent_reader(tmp_path: Path, format: str) -> None:
    path = tmp_path / f"a.{format}"
    path.write_bytes(FILES[format])
    assert rows_of(path) == INDEPENDENT[format](FILES[format]) == ROWS


# ── nothing, or no rows ─────────────────────────────────────────────────────────────────────────


@each
def test_an_empty_file(tmp_path: Path, format: str) -> None:
    path = tmp_path / f"a.{format}"
    path.write_bytes(b"")
    message = error_of(path)
    assert any(word in message for word in ("empty", "truncated", "no readable", "no Avro"))


@each
def test_an_empty_file_among_others(tmp_path: Path, format: str) -> None:
    """Of text it is a file without rows; of what has a footer or header it is a broken one."""
    for number in (0, 2):
        (tmp_path / f"{number}.{format}").write_bytes(b"")
    (tmp_path / f"1.{format}").write_bytes(FILES[format])
    glob = f"{tmp_path}/*.{format}"
    if format in BINARY or format == "json":
        assert f"0.{format}" in str(_outcome(glob)) or _outcome(glob) == ROWS
    else:
        assert rows_of(glob) == ROWS


def _outcome(path: str) -> FerrisError | list[dict[str, Any]]:
    try:
        return rows_of(path)
    except FerrisError as error:
        return error


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", b"id,name\n"),
        ("a.csv", b"\xef\xbb\xbfid,name"),
        ("a.parquet", _in_parquet(TABLE.slice(0, 0))),
        ("a.avro", _in_avro([])),
    ],
)
def test_a_header_only(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    assert reader(tmp_path / name).schema().names == ["id", "name"]
    assert rows_of(tmp_path / name) == []


@pytest.mark.parametrize("data", [b"\n\n", b"\r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
def test_blank_lines_only(tmp_path: Path, data: bytes) -> None:
    for format in ("csv", "jsonl"):
        (tmp_path / f"a.{format}").write_bytes(data)
        assert "has no columns" in error_of(tmp_path / f"a.{format}")


# ── paths ───────────────────────────────────────────────────────────────────────────────────────


@each
def test_a_missing_file(tmp_path: Path, format: str) -> None:
    (tmp_path / "other.csv").write_text("v\n1\n")
    assert "; " in error_of(tmp_path / f"nothing.{format}")
    message = error_of(f"{tmp_path}/*.nothing")
    assert "no file matches" in message
    assert "other.csv" in message


def test_a_folder_where_a_file_was_meant(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    assert "there is no data in" in error_of(tmp_path / "a.csv")
    (tmp_path / "a.csv" / "part-0").write_bytes(FILES["csv"])
    assert rows_of(tmp_path / "a.csv") == ROWS  # a folder that means to be one: Spark writes them
    (tmp_path / "b.csv").write_bytes(FILES["csv"])
    message = error_of(f"{tmp_path}/*.csv")
    assert "a.csv is a folder with the name of a file" in message
    assert rows_of(f"{tmp_path}/*.csv", recursive=True) == ROWS * 2
    assert rows_of(f"{tmp_path}/*") == ROWS  # which names no files: folders below are none


def test_a_file_where_a_folder_was_meant(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(FILES["csv"])
    assert f"there is no {tmp_path}/a.csv/b.csv" in error_of(f"{tmp_path}/a.csv/b.csv")
    assert f"there is no {tmp_path}/a.csv/; {tmp_path} holds a.csv" in error_of(
        f"{tmp_path}/a.csv/"
    )


@pytest.fixture
def public(tmp_path: Path) -> Iterator[Path]:
    """A folder that everybody may enter."""
    path = Path(tempfile.mkdtemp(dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def _nobody() -> Iterator[None]:
    """Without the privileges of root, which may read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(0)


@each
def test_no_permission(public: Path, format: str, request: pytest.FixtureRequest) -> None:
    path = public / f"a.{format}"
    path.write_bytes(FILES[format])
    assert rows_of(path) == ROWS
    path.chmod(0)
    (public / "folder").mkdir(mode=0)
    request.getfixturevalue("_nobody")
    assert "permission denied; let this user read it" in error_of(path)
    assert "permission denied; let this user read it" in error_of(public / "folder")


@each
def test_a_broken_link(tmp_path: Path, format: str) -> None:
    (tmp_path / f"a.{format}").symlink_to(tmp_path / "gone")
    for path in (tmp_path / f"a.{format}", f"{tmp_path}/a*", tmp_path):
        message = error_of(path)
        assert f"a.{format}: it is a link to {tmp_path}/gone, which is not there" in message


def test_links_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to(tmp_path / "b.csv")
    (tmp_path / "b.csv").symlink_to(tmp_path / "a.csv")
    assert "a.csv" in error_of(tmp_path / "a.csv")


@each
def test_what_is_no_regular_file(tmp_path: Path, format: str) -> None:
    os.mkfifo(tmp_path / f"a.{format}")
    for path in (tmp_path / f"a.{format}", f"{tmp_path}/a*", tmp_path):
        assert "it is no regular file" in error_of(path)
    assert "it is no regular file" in error_of("/dev/zero", format=format)
    assert "it is no regular file" in error_of("/dev/null", format=format)


def test_a_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("a.csv")
        assert "it is no regular file" in error_of(tmp_path / "a.csv")


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/a\xff.csv", "wb") as file:
        file.write(FILES["csv"])
    with pytest.raises(FatalError, match=r"a\\xff\.csv': its name is not UTF-8; rename it"):
        read(reader(f"{tmp_path}/*.csv"))


# ── contents ────────────────────────────────────────────────────────────────────────────────────


@text
@pytest.mark.parametrize("codec", sorted(CODECS))
def test_truncated_while_compressed(tmp_path: Path, format: str, codec: str) -> None:
    data = compressed(FILES[format], codec)
    path = tmp_path / f"a.{format}{CODECS[codec].extensions[0]}"
    path.write_bytes(data)
    assert rows_of(path) == ROWS
    for kept in (4, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:kept])
        message = error_of(path)
        assert "truncated" in message or f"no {codec} data" in message
        assert "fetch it again or repair it" in message or f"no {codec}" in message


@binary
def test_truncated_binary(tmp_path: Path, format: str) -> None:
    """Avro and Arrow streams that are cut between two blocks are whole files of fewer rows: no
    reader can tell."""
    data = FILES[format]
    path = tmp_path / f"a.{format}"
    for kept in [*range(1, 60, 7), *range(100, len(data), 997), len(data) - 1]:
        path.write_bytes(data[:kept])
        found = _outcome(str(path))
        if isinstance(found, list):
            assert format in ("avro", "arrows")
            assert found == INDEPENDENT[format](data[:kept])
        else:
            assert f"a.{format}" in str(found)


@binary
def test_damaged_binary(tmp_path: Path, format: str) -> None:
    """A flipped byte: an error of ours, or rows (there are no checksums), never a crash."""
    path = tmp_path / f"a.{format}"
    for place in range(0, len(FILES[format]), 487):
        damaged = bytearray(FILES[format])
        damaged[place] ^= 0xFF
        path.write_bytes(damaged)
        try:
            chunks = read(reader(path))
        except FerrisError as error:
            assert f"a.{format}" in str(error)  # noqa: PT017  (there may be none)
        else:
            assert sum(chunk.records.num_rows + len(chunk.rejects) for chunk in chunks) >= 0


@text
def test_a_byte_order_mark(tmp_path: Path, format: str) -> None:
    path = tmp_path / f"a.{format}"
    path.write_bytes(b"\xef\xbb\xbf" + FILES[format])
    assert rows_of(path) == INDEPENDENT[format](path.read_bytes()) == ROWS


@text
def test_nul_bytes(tmp_path: Path, format: str) -> None:
    """In CSV a NUL is a character of a text; in JSON it must be escaped, else the row is bad."""
    path = tmp_path / f"a.{format}"
    path.write_bytes(FILES[format].replace(b"customer 7", b"custo\0mer 7"))
    if format == "csv":
        assert rows_of(path) == INDEPENDENT["csv"](path.read_bytes())
        return
    found = _outcome(str(path))
    if isinstance(found, FerrisError):
        assert f"a.{format}" in str(found)
        return
    bad = [row for row in ROWS if row["name"].startswith("customer 7")]
    assert len(rejects_of(path)) == len(bad)
    assert found == [row for row in ROWS if row not in bad]


@text
def test_only_nul_bytes(tmp_path: Path, format: str) -> None:
    path = tmp_path / f"a.{format}"
    path.write_bytes(b"\0" * 10_000)
    found = _outcome(str(path))
    assert isinstance(found, FerrisError) or found == []


@each
def test_another_format_under_this_name(tmp_path: Path, format: str) -> None:
    for other, data in FILES.items():
        path = tmp_path / f"a.{format}"
        path.write_bytes(data)
        found = _outcome(str(path))
        if isinstance(found, list) and other != format:
            assert {format, other} <= {"json", "jsonl"}, (format, other)
            assert found == ROWS


# ── files that change ───────────────────────────────────────────────────────────────────────────


@each
@pytest.mark.parametrize("change", ["replaced", "cut", "grown"])
def test_a_file_that_changes_before_it_is_read(tmp_path: Path, format: str, change: str) -> None:
    path = tmp_path / f"a.{format}"
    path.write_bytes(FILES[format])
    (split,) = reader(path).splits({})
    if change == "replaced":
        (tmp_path / "b").write_bytes(FILES[format])
        (tmp_path / "b").replace(path)
    elif change == "cut":
        os.truncate(path, 100)
    else:
        path.write_bytes(FILES[format] * 2)
    with pytest.raises(SourceChangedError, match=rf"a\.{format} changed since this run began"):
        list(elsewhere(reader(path)).read(split))


@each
def test_a_file_that_is_cut_while_it_is_read(tmp_path: Path, format: str) -> None:
    path = tmp_path / f"a.{format}"
    batch = pa.record_batch({"id": pa.array(range(400_000)), "name": ["some text"] * 400_000})
    with path.open("wb") as file:
        writer = format_named(format).create(file, batch.schema, _write_options())
        writer.write(batch)
        writer.close()
    (split,) = reader(path).splits({})
    chunks = elsewhere(reader(path)).read(split)
    first = next(chunks)
    assert isinstance(first, Chunk)
    os.truncate(path, 100)
    with pytest.raises(SourceChangedError):
        list(chunks)


def _write_options() -> Any:
    from ferris_beam.formats.options import WriteOptions

    return WriteOptions(row_group_size=50_000)
