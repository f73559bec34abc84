"""The file source: splits, reading in other processes, files that change, pushdown."""

from __future__ import annotations

import gzip
import os
import pickle
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from ferris_beam.connector import Chunk, Split
from ferris_beam.connectors.file import CONNECTOR
from ferris_beam.connectors.file.options import FileSourceOptions
from ferris_beam.connectors.file.reader import FileReader
from ferris_beam.errors import ConfigurationError, FatalError, SchemaError, SourceChangedError
from ferris_beam.formats.grid import CELL
from ferris_beam.interval import Interval
from ferris_beam.uri import Uri


def reader(path: Path | str, **options: Any) -> FileReader:
    uri = Uri.of(path if isinstance(path, Path) else f"file:{path}")
    found = CONNECTOR.reader(uri, FileSourceOptions(**options))
    assert isinstance(found, FileReader)
    return found


def elsewhere(source: Any) -> FileReader:
    """The reader as another process gets it."""
    found = pickle.loads(pickle.dumps(source))
    found.open()
    return found  # type: ignore[no-any-return]


def table(chunks: Iterable[Chunk]) -> pa.Table:
    return pa.Table.from_batches([chunk.records for chunk in chunks])


def read(source: FileReader) -> list[Chunk]:
    found = elsewhere(source)
    chunks = [chunk for split in source.splits({}) for chunk in found.read(split)]
    found.close()
    return chunks


def plain(chunk: Chunk) -> Chunk:
    """Without the bytes that were read: of a compressed file they depend on what was before."""
    return replace(chunk, nbytes=0)


@pytest.fixture
def orders(tmp_path: Path) -> Iterator[Path]:
    """A few files of the same orders in each format, more than one cell each."""
    duckdb.sql(
        f"""CREATE OR REPLACE TEMP TABLE orders AS SELECT i AS id, 'customer ' || i AS name,
            i / 8 AS amount, TIMESTAMP '2024-01-01' + INTERVAL (i) MINUTE AS at
            FROM range(150_000) t(i);
            COPY orders TO '{tmp_path}/orders.csv';
            COPY orders TO '{tmp_path}/orders.jsonl' (FORMAT json);
            COPY orders TO '{tmp_path}/orders.parquet' (ROW_GROUP_SIZE 100_000)"""
    )
    for name in ("orders.csv", "orders.jsonl"):
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress((tmp_path / name).read_bytes(), 1))
    yield tmp_path
    duckdb.sql("DROP TABLE orders")


FORMATS = ["orders.csv", "orders.csv.gz", "orders.jsonl", "orders.jsonl.gz", "orders.parquet"]


@pytest.mark.parametrize("name", FORMATS)
def test_all_formats_hold_the_same_orders(orders: Path, name: str) -> None:
    source = reader(orders / name)
    (split,) = source.splits({})
    assert split.interval.unit == str(orders / name)
    assert split.interval.start == 0
    assert split.divisible == (not name.endswith(".gz"))
    assert split.size == (orders / name).stat().st_size
    chunks = read(source)
    assert len(chunks) > 1
    assert chunks[-1].end == split.interval.end
    assert 0.9 < sum(chunk.nbytes for chunk in chunks) / (orders / name).stat().st_size <= 1
    found = table(chunks)
    assert found.schema == source.schema()
    expected = duckdb.sql("FROM orders").to_arrow_table()
    assert found.cast(expected.schema).equals(expected)


@pytest.mark.parametrize("name", FORMATS)
def test_any_division_reads_the_same_chunks(orders: Path, name: str) -> None:
    (split,) = reader(orders / name).splits({})
    whole = list(elsewhere(reader(orders / name)).read(split))
    starts = [0, *(chunk.end for chunk in whole)]
    if split.divisible:
        starts = [start for start in starts if start % split.grain == 0]
    for border in starts[1:-1]:
        parts = [(border, split.interval.closed_end), (0, border)]
        warm = elsewhere(reader(orders / name))
        found = {part: list(warm.read(_part(split, *part))) for part in parts}
        assert list(map(plain, [*found[parts[1]], *found[parts[0]]])) == list(map(plain, whole))
        assert found[parts[1]][-1].end == border


def _part(split: Split, start: int, end: int) -> Split:
    return Split(
        Interval(split.interval.unit, start, end),
        split.identity,
        split.details,
        split.divisible,
        split.grain,
    )


def test_a_reader_touches_nothing_before_it_is_asked() -> None:
    source = reader("/nowhere/*.csv", delimiter=";")
    pickle.loads(pickle.dumps(source))
    source.close()
    with pytest.raises(FatalError, match=r"no file matches /nowhere/\*\.csv"):
        list(source.splits({}))


def test_an_open_reader_can_be_sent_elsewhere(orders: Path) -> None:
    source = reader(orders / "orders.csv")
    (split,) = source.splits({})
    chunks = source.read(split)
    first = next(chunks)
    assert next(elsewhere(source).read(split)) == first
    source.close()
    source.close()


def test_one_file_is_kept_open(orders: Path) -> None:
    source = elsewhere(reader(orders / "orders.csv"))
    (split,) = reader(orders / "orders.csv").splits({})
    before = len(os.listdir("/proc/self/fd"))
    for start in (0, 1, 0):
        list(source.read(_part(split, start, start + 1)))
        assert len(os.listdir("/proc/self/fd")) == before + 1
    source.close()
    assert len(os.listdir("/proc/self/fd")) == before


# ── many files ──────────────────────────────────────────────────────────────────────────────────


def test_files_of_a_glob_share_the_first_schema(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("id,name\n")
    (tmp_path / "2.csv").write_text("name,id\nx,1\n")
    (tmp_path / "3.csv.gz").write_bytes(gzip.compress(b"id,name\n2,y\nbad,z\n"))
    (tmp_path / "4.csv").write_text("")
    source = reader(f"{tmp_path}/*")
    assert source.schema() == pa.schema([("name", pa.string()), ("id", pa.int64())])
    chunks = read(source)
    assert table(chunks).to_pylist() == [{"name": "x", "id": 1}, {"name": "y", "id": 2}]
    ((reject,),) = [chunk.rejects for chunk in chunks if chunk.rejects]
    assert reject.place == f"line 3 (byte 12 of {tmp_path}/3.csv.gz)"
    assert (reject.reason, reject.payload) == ("id: 'bad' is not an int64", b"bad,z")
    assert (reject.category, reject.position) == ("parsing", 0)


def test_a_file_of_other_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("id,name\n1,x\n")
    (tmp_path / "2.csv").write_text("id,title\n1,x\n")
    with pytest.raises(SchemaError, match=r"2\.csv: .* lacks 'name' and has 'title' besides"):
        read(reader(f"{tmp_path}/*.csv"))


def test_the_schema_travels_with_the_splits(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("v\n1\n")
    other = tmp_path / "b.csv"
    other.write_text("v\nx\n")
    source = reader(f"{tmp_path}/*.csv")
    splits = list(source.splits({}))
    path.unlink()
    chunks = list(elsewhere(source).read(splits[1]))
    assert [reject.reason for chunk in chunks for reject in chunk.rejects] == [
        "v: 'x' is not an int64"
    ]


def test_a_folder_is_read_with_those_below_on_request(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "a.csv").write_text("v\n1\n")
    (tmp_path / "below" / "b.csv").write_text("v\n2\n")
    assert table(read(reader(tmp_path))).to_pylist() == [{"v": 1}]
    assert table(read(reader(tmp_path, recursive=True))).to_pylist() == [{"v": 1}, {"v": 2}]


def test_relative_paths_are_those_of_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.csv").write_text("v\n1\n")
    monkeypatch.chdir(tmp_path)
    source = reader("a.csv")
    monkeypatch.chdir("/")
    (split,) = source.splits({})
    assert split.interval.unit == str(tmp_path / "a.csv")


def test_options_of_another_format_are_refused(orders: Path) -> None:
    with pytest.raises(ConfigurationError, match="delimiter is no option of the format parquet"):
        list(reader(orders / "orders.parquet", delimiter=";").splits({}))
    (orders / "x.log").write_text("v\n1\n")
    with pytest.raises(ConfigurationError, match=r"set format= to one of .*csv, .*parquet"):
        list(reader(orders / "x.log").splits({}))
    assert table(read(reader(orders / "x.log", format="csv"))).to_pylist() == [{"v": 1}]


# ── files that change ───────────────────────────────────────────────────────────────────────────


def test_a_file_that_changed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("v\n1\n")
    (split,) = reader(path).splits({})
    with path.open("a") as file:
        file.write("2\n")
    with pytest.raises(SourceChangedError, match=r"a\.csv changed since this run began"):
        list(elsewhere(reader(path)).read(split))
    (again,) = reader(path).splits({})
    assert again.identity != split.identity


def test_a_file_of_equal_size_in_its_place_is_another(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("v\n1\n")
    (split,) = reader(path).splits({})
    replacement = tmp_path / "b"
    replacement.write_text("v\n2\n")
    replacement.replace(path)
    with pytest.raises(SourceChangedError):
        list(elsewhere(reader(path)).read(split))


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_a_file_that_is_cut_while_it_is_read_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "a.csv":
        path.write_text("v\n" + "1234567\n" * (CELL // 4))
    else:
        numbers = pa.table({"v": pa.array(range(300_000))})
        pq.write_table(numbers, path, use_dictionary=False, row_group_size=100_000)
    (split,) = reader(path).splits({})
    chunks = elsewhere(reader(path)).read(split)
    next(chunks)
    os.truncate(path, 100)
    with pytest.raises(SourceChangedError):
        list(chunks)


def test_a_file_that_vanished_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("v\n1\n")
    (split,) = reader(path).splits({})
    path.unlink()
    with pytest.raises(FatalError, match=r"can't read .*/a\.csv: it is not there"):
        list(elsewhere(reader(path)).read(split))


# ── pushdown ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", FORMATS)
def test_columns_and_conditions_are_pushed_down(orders: Path, name: str) -> None:
    source = reader(orders / name)
    predicate = (pc.field("id") >= 149_000) & (pc.field("amount") < 18_700)
    pushed, residual = source.pushdown(["amount", "name"], predicate, 10)
    assert (residual.columns, residual.predicate, residual.limit) == (None, None, 10)
    assert pushed.schema().names == ["amount", "name"]
    assert source.schema().names == ["id", "name", "amount", "at"]
    assert isinstance(pushed, FileReader)
    found = table(read(pushed))
    query = "SELECT amount, name FROM orders WHERE id >= 149_000 AND amount < 18_700"
    expected = duckdb.sql(query).to_arrow_table()
    assert found.cast(expected.schema).equals(expected)
    whole = [chunk.end for chunk in read(source)]
    ends = [chunk.end for chunk in read(pushed)]
    assert set(ends) <= set(whole)  # a row group that can't hold such a row is one chunk
    assert ends[-1] == whole[-1]


def test_what_is_pushed_down_must_be_there(orders: Path) -> None:
    for columns, predicate in ((["nope"], None), (None, pc.field("nope") > 1)):
        pushed, _ = reader(orders / "orders.csv").pushdown(columns, predicate)
        with pytest.raises(SchemaError, match="nope"):
            list(pushed.splits({}))


def test_without_columns_rows_are_still_counted(orders: Path) -> None:
    pushed, residual = reader(orders / "orders.csv").pushdown(columns=[])
    assert residual.columns == ()
    assert isinstance(pushed, FileReader)
    assert table(read(pushed)).num_rows == 150_000


def test_what_is_left_is_estimated(orders: Path) -> None:
    source = reader(orders / "orders.csv")
    (split,) = source.splits({})
    assert split.size is not None
    start, end = (source.backlog(split, at) for at in (0, split.interval.closed_end))
    assert start is not None
    assert (start.nbytes, start.idle) == (split.size, False)
    assert end is not None
    assert (end.nbytes, end.idle) == (0, True)
    (zipped,) = reader(orders / "orders.csv.gz").splits({})
    assert source.backlog(zipped, 0) is None


@pytest.mark.parametrize("name", ["orders.csv", "orders.csv.gz"])
def test_bytes_are_counted_as_they_lie_on_disk(orders: Path, name: str) -> None:
    plain = (orders / "orders.csv").read_bytes()
    (orders / "orders.csv.gz").write_bytes(gzip.compress(plain))
    size = (orders / name).stat().st_size
    header = 0 if name.endswith(".gz") else plain.index(b"\n") + 1
    assert sum(chunk.nbytes for chunk in read(reader(orders / name))) == size - header
