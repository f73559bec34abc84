"""Hostile input on the whole way, from one URI to another: nothing is lost, and names are named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ferris_beam.formats.compression import CODECS
from pipelines import copy
from tests.connectors.file.test_hostile import FILES, ROWS, rows_of
from tests.formats.test_compression import compressed


def copied(*arguments: str) -> int:
    return copy.main([*arguments, "--quiet", "--direct_num_workers=1"])


def everything_in(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    ("source", "sink"),
    [
        ("a.csv", "a.csv?if_exists=append"),
        ("a.csv", "a.csv?if_exists=overwrite"),
        ("link.csv", "a.csv?if_exists=append"),
        ("a.csv", "link.csv?if_exists=append"),
        ("", "?format=csv&if_exists=append"),
        ("/", "/out.csv"),
        ("*.csv", "new.csv"),
        ("*.csv", "?format=csv&if_exists=append"),
        ("?recursive=true", "below/?format=jsonl"),
        ("**/*.jsonl", "below/?format=jsonl"),
        ("**/*.csv", "${year}/x.csv?event_time=at"),
    ],
)
def test_a_sink_that_is_among_its_sources(
    tmp_path: Path, source: str, sink: str, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.csv").write_text("id,at\n1,2024-01-01\n")
    (folder / "a.jsonl").write_text('{"id": 1}\n')
    (tmp_path / "data" / "link.csv").symlink_to(folder / "a.csv")
    before = everything_in(tmp_path)
    assert copied("--source", f"file:{folder}/{source}", "--sink", f"file:{folder}/{sink}") != 0
    assert "among the files or rows that it would find there" in capfd.readouterr().err
    assert everything_in(tmp_path) == before


def test_a_sink_beside_its_sources(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id\n1\n")
    sink = f"file:{tmp_path}/?format=parquet&if_exists=append"
    assert copied("--source", f"file:{tmp_path}/*.csv", "--sink", sink) == 0
    assert rows_of(f"{tmp_path}/*.parquet") == [{"id": 1}]


@pytest.mark.parametrize("name", ["a.csv.gz", "a.jsonl.zst", "a.parquet", "a.avro"])
def test_a_broken_file_stops_the_copy_with_its_name(
    tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    format = name.split(".")[1]
    data = FILES[format]
    for codec in CODECS.values():
        if name.endswith(codec.extensions[0]):
            data = compressed(data, codec.name)
    (tmp_path / name).write_bytes(data[: len(data) // 2])
    sink = f"file:{tmp_path}/out/?format=csv"
    assert copied("--source", f"file:{tmp_path}/{name}", "--sink", sink) == 1
    said = capfd.readouterr().err
    assert f"{tmp_path}/{name}" in said
    assert "Traceback" not in said


def test_bad_rows_go_to_the_dead_letters_and_good_ones_on(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"id,name\n" + b"1,x\n" * 300 + b"bad,y\n\xff\xfe,z\n1,2,3\n")
    code = copied(
        "--source", f"file:{tmp_path}/a.csv?types=id:int64",
        "--sink", f"file:{tmp_path}/out.csv",
        "--dead-letters", f"file:{tmp_path}/dead.jsonl",
    )  # fmt: skip
    assert code == 0
    assert rows_of(tmp_path / "out.csv") == [{"id": 1, "name": "x"}] * 300
    letters = [json.loads(line) for line in (tmp_path / "dead.jsonl").read_text().splitlines()]
    assert len(letters) == 3


@pytest.mark.parametrize("codec", sorted(CODECS))
def test_compressed_text_there_and_back(tmp_path: Path, codec: str) -> None:
    (tmp_path / "a.csv").write_bytes(FILES["csv"])
    extension = CODECS[codec].extensions[0]
    packed = f"file:{tmp_path}/b.csv{extension}"
    assert copied("--source", f"file:{tmp_path}/a.csv", "--sink", packed) == 0
    assert rows_of(f"{tmp_path}/b.csv{extension}") == ROWS
    folder = f"file:{tmp_path}/out/?format=jsonl&compression={codec}"
    assert copied("--source", packed, "--sink", folder) == 0
    assert [path.name.endswith(f".jsonl{extension}") for path in (tmp_path / "out").glob("p*")] == [
        True
    ]
    assert rows_of(f"{tmp_path}/out/") == ROWS
