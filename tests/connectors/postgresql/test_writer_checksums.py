"""Checksums in the ledger of the PostgreSQL sink: what two runs sent for the same interval."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

import ferris_beam as fb
from ferris_beam.ledger import CHECKSUMS
from tests.connectors.postgresql.writing import Run, kill_backends, running
from tests.services.database import Database

Entries = dict[tuple[str, int, int], tuple[int, int | None]]


def rows(*names: str, start: int = 0) -> pa.RecordBatch:
    ids = list(range(start, start + len(names)))
    return pa.RecordBatch.from_pydict({"id": ids, "name": list(names)})


def staged(run: Run, *batches: pa.RecordBatch) -> int:
    """The checksum of batches that are rolled back again."""
    waiting = run.writer.begin()
    for batch in batches:
        waiting.write(batch)
    run.writer.rollback(waiting)
    return waiting.checksum


@pytest.mark.parametrize("mode", ["append", "upsert", "overwrite"])
def test_equal_rows_have_equal_checksums_and_others_have_not(database: Database, mode: str) -> None:
    database.execute("CREATE TABLE t (id bigint PRIMARY KEY, name text)")
    with running(database, table="t", mode=mode) as run:
        first = staged(run, rows("a", "b"))
        assert first
        assert staged(run, rows("a", "b")) == first
        cut = pa.RecordBatch.from_pydict({"id": [7, 0, 1], "name": ["x", "a", "b"]})[1:]
        assert staged(run, cut) == first, "of another piece of memory"
        assert staged(run, rows("a", "c")) != first
        assert staged(run, rows("b", "a")) != first
        other = rows("c", start=2)
        assert staged(run, rows("a", "b"), other) == first + staged(run, other)


def test_rows_that_are_sent_again_count_once(database: Database) -> None:
    with running(database, table="t") as run:
        whole = staged(run, rows("a"), rows("b"))
        again = run.writer.begin()
        again.write(rows("a"))
        kill_backends(database)
        with pytest.raises(fb.errors.TransientError):
            again.write(rows("b"))
        again.write(rows("b"))
        assert again.checksum == whole


def test_refused_rows_are_not_in_the_checksum(database: Database) -> None:
    database.execute("CREATE TABLE t (id bigint, name text CHECK (name <> 'bad'))")
    with running(database, table="t") as run:
        waiting = run.writer.begin()
        with pytest.raises(fb.errors.BadRecordError):
            waiting.write(rows("a", "bad"))
        assert waiting.checksum == 0
        waiting.write(rows("a"))
        assert waiting.checksum == staged(run, rows("a"))


def copied(database: Database, folder: Path, table: str) -> tuple[Entries, int]:
    """What the ledger says of a copy of all files into a table, by interval; and its sum."""
    sink = database.uri(table=table)
    source = f"file://{folder}/*.parquet"
    options = PipelineOptions([f"--name={table}"])
    fb.launch(lambda p: p | fb.read(source) | fb.write(sink), options, quiet=True)
    entries: Entries = {}
    found = database.execute("SELECT record FROM _ferris_ledger WHERE pipeline = %s", [table])
    for (record,) in found:
        for origin, count, _, *checksum in json.loads(record).get("entries", []):
            entries[origin[1], origin[2], origin[3]] = (count, *(checksum or [None]))
    with running(database, name=table, table=table, epoch=9) as run:
        return entries, run.writer.ledger().checksum


def test_two_runs_agree_on_each_interval_whose_rows_did_not_change(
    database: Database, tmp_path: Path
) -> None:
    for number in range(3):
        pq.write_table(
            pa.table({"id": list(range(number * 10, number * 10 + 10))}),
            tmp_path / f"{number}.parquet",
        )
    first, whole = copied(database, tmp_path, "first")
    second, same = copied(database, tmp_path, "second")
    assert first == second
    assert len(first) == 3
    assert sum(checksum or 0 for _, checksum in first.values()) % CHECKSUMS == whole == same > 0
    pq.write_table(pa.table({"id": [*range(9), 99]}), tmp_path / "0.parquet")
    third, other = copied(database, tmp_path, "third")
    assert other != whole
    assert [place for place in first if third[place] != first[place]] == [
        place for place in first if place[0].endswith("0.parquet")
    ]


def test_a_ledger_from_before_there_were_checksums_goes_on(database: Database) -> None:
    with running(database, table="t") as run:
        run.commit(rows("a"))  # an entry of the test's own, without one
        ((before,),) = database.execute(
            "SELECT record::json -> 'entries' -> 0 FROM _ferris_ledger "
            "WHERE record::json ->> 'kind' = 'commit'"
        )
        assert len(before) == 3
        run.writer.open(run.identity)
        assert (run.writer.ledger().rows, run.writer.ledger().checksum) == (1, 0)
        run.commit(rows("b"))
    assert database.execute("SELECT count(*) FROM t") == [(2,)]
