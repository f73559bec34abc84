"""Files whose columns differ: refused, united, or read as declared; every format alike."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from ferris_beam.errors import FatalError, SchemaError
from tests.connectors.file.test_reader import read, reader, table

Rows = list[dict[str, Any]]


def _csv(path: Path, rows: Rows) -> None:
    pacsv.write_csv(pa.Table.from_pylist(rows), path)


def _jsonl(path: Path, rows: Rows) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def _parquet(path: Path, rows: Rows) -> None:
    pq.write_table(pa.Table.from_pylist(rows), path)


def _arrow(path: Path, rows: Rows) -> None:
    feather.write_feather(pa.Table.from_pylist(rows), path)


def _avro(path: Path, rows: Rows) -> None:
    kinds = {int: "long", float: "double", str: "string"}
    fields = [{"name": name, "type": kinds[type(value)]} for name, value in rows[0].items()]
    schema = {"type": "record", "name": "row", "fields": fields}
    with path.open("wb") as file:
        fastavro.writer(file, fastavro.parse_schema(schema), rows)


FORMATS: dict[str, Callable[[Path, Rows], None]] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "parquet": _parquet,
    "arrow": _arrow,
    "avro": _avro,
}
formats = pytest.mark.parametrize("format", FORMATS)
typed = pytest.mark.parametrize("format", ["parquet", "arrow", "avro"])


def files(folder: Path, format: str, *contents: Rows) -> str:
    for number, rows in enumerate(contents, 1):
        FORMATS[format](folder / f"{number}.{format}", rows)
    return f"{folder}/*.{format}"


def rows_of(glob: str, **options: Any) -> Rows:
    return table(read(reader(glob, **options))).to_pylist()  # type: ignore[no-any-return]


FIRST = [{"id": 1, "name": "x"}]
SECOND = [{"amount": 2.5, "id": 2}]


@formats
def test_files_of_other_columns_are_refused(tmp_path: Path, format: str) -> None:
    glob = files(tmp_path, format, FIRST, SECOND)
    if format == "jsonl":  # each line has keys of its own
        assert rows_of(glob, extra_keys="ignore") == [*FIRST, {"id": 2, "name": None}]
        (reject,) = [reject for chunk in read(reader(glob)) for reject in chunk.rejects]
        assert "'amount' is no column" in reject.reason
        return
    with pytest.raises(SchemaError, match=r"2\.\w+: .*schema_drift=union") as raised:
        rows_of(glob)
    assert "'name'" in str(raised.value)
    assert "'amount'" in str(raised.value)


@formats
def test_the_union_has_all_columns(tmp_path: Path, format: str) -> None:
    glob = files(tmp_path, format, FIRST, SECOND, FIRST)
    source = reader(glob, schema_drift="union")
    assert source.schema() == pa.schema(
        [("id", pa.int64()), ("name", pa.string()), ("amount", pa.float64())]
    )
    assert rows_of(glob, schema_drift="union") == [
        {"id": 1, "name": "x", "amount": None},
        {"id": 2, "name": None, "amount": 2.5},
        {"id": 1, "name": "x", "amount": None},
    ]


@formats
def test_the_union_widens_types(tmp_path: Path, format: str) -> None:
    glob = files(tmp_path, format, [{"v": 1}], [{"v": 2.5}], [{"v": 3}])
    assert rows_of(glob, schema_drift="union") == [{"v": 1.0}, {"v": 2.5}, {"v": 3.0}]
    glob = files(tmp_path, format, [{"v": 1}], [{"v": "x"}], [{"v": 3}])
    chunks = read(reader(glob, schema_drift="union"))
    rejects = [reject.reason for chunk in chunks for reject in chunk.rejects]
    if format == "jsonl":  # where a number is no text
        assert rejects == ["v: 1 is not a string", "v: 3 is not a string"]
    else:
        assert table(chunks).to_pylist() == [{"v": "1"}, {"v": "x"}, {"v": "3"}]


@typed
def test_other_types_are_refused_before_a_row_is(tmp_path: Path, format: str) -> None:
    glob = files(tmp_path, format, [{"v": 1}], [{"v": "x"}])
    with pytest.raises(SchemaError) as raised:
        rows_of(glob)
    assert "2." in str(raised.value)
    assert "its column 'v' is string, and int64 in the first file" in str(raised.value)
    assert "schema_drift=union" in str(raised.value)


def test_narrower_types_are_no_drift(tmp_path: Path) -> None:
    for number, kind in enumerate((pa.int64(), pa.int32(), pa.uint8())):
        pq.write_table(pa.table({"v": pa.array([7], kind)}), tmp_path / f"{number}.parquet")
    assert rows_of(f"{tmp_path}/*.parquet") == [{"v": 7}] * 3


def test_what_has_nothing_in_common_names_both_files(tmp_path: Path) -> None:
    glob = files(tmp_path, "parquet", [{"a": 1, "v": 1}], [{"a": 1, "v": [1]}])
    with pytest.raises(SchemaError, match=r"1\.parquet and .*2\.parquet can't be .*: v: int64 and"):
        rows_of(glob, schema_drift="union")


@formats
def test_a_header_or_a_null_decides_no_type(tmp_path: Path, format: str) -> None:
    glob = files(tmp_path, format, [{"v": 1}], [{"v": 2}])
    if format == "csv":
        (tmp_path / "0.csv").write_text("v,w\n")
        expected = [{"v": 1, "w": None}, {"v": 2, "w": None}]
    else:
        (tmp_path / f"3.{format}").write_bytes((tmp_path / f"1.{format}").read_bytes())
        expected = [{"v": 1}, {"v": 2}, {"v": 1}]
    assert rows_of(glob, schema_drift="union") == expected


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_a_column_without_values_takes_the_type_of_the_others(tmp_path: Path, format: str) -> None:
    if format == "csv":
        (tmp_path / "1.csv").write_text("id,v\n1,\n2,\n")
        (tmp_path / "2.csv").write_text("id,v\n3,7\n")
    else:
        (tmp_path / "1.jsonl").write_text('{"id": 1, "v": null}\n{"id": 2}\n')
        (tmp_path / "2.jsonl").write_text('{"id": 3, "v": 7}\n')
    found = reader(f"{tmp_path}/*.{format}", schema_drift="union").schema()
    assert found == pa.schema([("id", pa.int64()), ("v", pa.int64())])
    assert rows_of(f"{tmp_path}/*.{format}", schema_drift="union")[-1] == {"id": 3, "v": 7}


@formats
@pytest.mark.parametrize("columns", [["amount"], ["name", "id"], ["amount", "name"], []])
def test_columns_and_conditions_of_a_union(tmp_path: Path, format: str, columns: list[str]) -> None:
    glob = files(tmp_path, format, FIRST, SECOND, [{"id": 3, "name": "z"}])
    whole = table(read(reader(glob, schema_drift="union")))
    conditions = [
        None,
        pc.field("id") > 1,
        pc.field("name") == "x",
        pc.field("amount").is_null() | (pc.field("id") == 2),
        pc.field("amount") > 2,
    ]
    for predicate in conditions:
        source, _ = reader(glob, schema_drift="union").pushdown(columns or None, predicate)
        expected = whole if predicate is None else whole.filter(predicate)
        assert table(read(source)).equals(expected.select(columns or whole.schema.names))


def test_a_condition_on_a_widened_column_is_not_pushed_too_far(tmp_path: Path) -> None:
    glob = files(tmp_path, "parquet", [{"v": 1}], [{"v": "1"}], [{"v": 2}])
    source, _ = reader(glob, schema_drift="union").pushdown(None, pc.field("v") == "1")
    assert table(read(source)).to_pylist() == [{"v": "1"}, {"v": "1"}]


# ── declared ────────────────────────────────────────────────────────────────────────────────────


@formats
def test_a_declared_schema_is_what_is_read(tmp_path: Path, format: str) -> None:
    glob = files(tmp_path, format, [{"id": 1, "name": "x", "rest": 1}], [{"name": "7", "id": 2}])
    declared = {"name": "string", "id": "double"}
    assert reader(glob, schema=declared).schema() == pa.schema(
        [("name", pa.string()), ("id", pa.float64())]
    )
    assert rows_of(glob, schema=declared) == [{"name": "x", "id": 1.0}, {"name": "7", "id": 2.0}]
    source, _ = reader(glob, schema=declared).pushdown(["id"], pc.field("name") == "7")
    assert table(read(source)).to_pylist() == [{"id": 2.0}]


@formats
def test_a_declared_column_that_is_missing(tmp_path: Path, format: str) -> None:
    glob = files(tmp_path, format, [{"id": 1, "name": "x"}], [{"id": 2}])
    declared = {"id": "int64", "name": "string"}
    if format != "jsonl":
        with pytest.raises(SchemaError, match=r"2\.\w+: schema= names 'name', which it has not"):
            rows_of(glob, schema=declared)
    expected = [{"id": 1, "name": "x"}, {"id": 2, "name": None}]
    assert rows_of(glob, schema=declared, schema_drift="union") == expected


def test_a_declared_schema_needs_no_look_at_any_file(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("")
    assert reader(tmp_path / "1.csv", schema="id:int64").schema().names == ["id"]
    assert rows_of(str(tmp_path / "1.csv"), schema="id:int64") == []


def test_a_declared_schema_names_the_columns_where_no_header_does(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("1,x\n2,y\n")
    assert rows_of(f"{tmp_path}/1.csv", header=False, schema="id:int64,name:string") == [
        {"id": 1, "name": "x"},
        {"id": 2, "name": "y"},
    ]


def test_what_does_not_fit_a_declared_type_is_a_rejected_row(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("id\n1\nx\n")
    (chunk,) = read(reader(tmp_path / "1.csv", schema="id:int64"))
    assert chunk.records.to_pylist() == [{"id": 1}]
    assert [reject.reason for reject in chunk.rejects] == ["id: 'x' is not an int64"]


def test_nested_types_are_declared(tmp_path: Path) -> None:
    files(tmp_path, "jsonl", [{"a": {"b": [1, 2], "c": "x"}}])
    declared = "a:struct<b:list<double>,c:string,d:decimal(10,2)>"
    assert rows_of(f"{tmp_path}/*", schema=declared) == [
        {"a": {"b": [1.0, 2.0], "c": "x", "d": None}}
    ]


def test_types_of_columns_that_only_some_files_have(tmp_path: Path) -> None:
    glob = files(tmp_path, "csv", [{"id": 1, "zip": "01234"}], [{"id": 2, "code": 7}])
    options = {"schema_drift": "union", "types": {"code": "string", "zip": "string"}}
    assert rows_of(glob, **options)[1] == {"id": 2, "zip": None, "code": "7"}
    with pytest.raises(SchemaError, match="types= names the column 'nope'"):
        rows_of(glob, schema_drift="union", types={"nope": "string"})


def test_an_empty_file_has_no_part_in_it(tmp_path: Path) -> None:
    glob = files(tmp_path, "csv", FIRST, SECOND)
    (tmp_path / "0.csv").write_text("")
    assert len(rows_of(glob, schema_drift="union")) == 2


def test_nothing_but_empty_files_is_said(tmp_path: Path) -> None:
    (tmp_path / "0.csv").write_text("")
    for drift in ("refuse", "union"):
        with pytest.raises(FatalError, match="has no columns; it is empty"):
            rows_of(f"{tmp_path}/*.csv", schema_drift=drift)
