"""Reading what is new: by the value of a column, which is the position in the sinks' ledgers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ferris_beam as fb
from ferris_beam.connector import Split
from ferris_beam.connectors.postgresql.reading import runs
from ferris_beam.errors import ConfigurationError, FatalError
from tests.connectors.postgresql.sources import chunks_of, read_table, reader_of, splits_of
from tests.services.database import Database
from tests.services.postgresql import PostgresqlServer
from tests.transforms.pipelines import run


@pytest.fixture
def copied(database: Database, tmp_path: Path) -> Callable[..., list[int]]:
    """Runs a named pipeline into a file sink, and gives the ids that are there."""

    def copy(**options: object) -> list[int]:
        uri = database.uri(table="t", **options)
        target = f"file://{tmp_path}/out/?format=parquet&if_exists=append"
        run(lambda p: p | fb.read(uri) | fb.write(target), "--name=orders")
        found = pq.read_table(f"{tmp_path}/out")
        return sorted(found["id"].to_pylist())

    return copy


def test_each_run_reads_what_is_new(database: Database, copied: Callable[..., list[int]]) -> None:
    database.execute("CREATE TABLE t (id serial, at timestamptz DEFAULT clock_timestamp())")
    seen: list[int] = []
    for count in (5, 0, 3, 1):
        for _ in range(count):
            database.execute("INSERT INTO t DEFAULT VALUES")
        seen = list(range(1, len(seen) + count + 1))
        assert copied(cursor="at") == seen


def test_changed_rows_come_again(database: Database, copied: Callable[..., list[int]]) -> None:
    database.execute("CREATE TABLE t AS SELECT i AS id, i AS version FROM generate_series(1, 5) i")
    assert copied(cursor="version") == [1, 2, 3, 4, 5]
    database.execute("UPDATE t SET version = 10 WHERE id = 2")
    assert copied(cursor="version") == [1, 2, 2, 3, 4, 5]


def test_an_empty_table_is_begun_with(database: Database, copied: Callable[..., list[int]]) -> None:
    database.execute("CREATE TABLE t (id int, version int8)")
    copied_nothing = reader_of(database.uri(table="t", cursor="version"))
    assert read_table(copied_nothing).num_rows == 0
    database.execute("INSERT INTO t VALUES (1, -9223372036854775808), (2, 9223372036854775807)")
    assert copied(cursor="version") == [1, 2]


def test_rows_of_one_value_are_in_one_chunk(database: Database) -> None:
    database.execute(
        "CREATE TABLE t AS SELECT i AS id, i / 7 * 10 AS version FROM generate_series(0, 99) i"
    )
    reader = reader_of(database.uri(table="t", cursor="version"), batch_rows=5)
    [split] = splits_of(reader)
    assert (split.ordered, split.divisible, split.interval.end) == (True, False, 141)
    chunks = chunks_of(reader, [split])
    versions = [set(chunk.records["version"].to_pylist()) for chunk in chunks]
    assert sum(map(len, versions)) == len(set().union(*versions)) == 15
    assert [min(found) for found in versions] == sorted(min(found) for found in versions)
    assert all(max(found) < chunk.end for found, chunk in zip(versions, chunks, strict=True))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 12), max_size=40),
    st.integers(1, 8),
    st.lists(st.integers(0, 14), max_size=4, unique=True),
)
def test_chunks_hold_all_rows_and_keep_borders(
    shared: Database, values: list[int], rows: int, borders: list[int]
) -> None:
    shared.execute("CREATE TABLE IF NOT EXISTS t (v int); TRUNCATE t")
    shared.execute("INSERT INTO t SELECT unnest(%s::int[])", (values,))
    reader = reader_of(shared.uri(table="t", cursor="v"), batch_rows=rows)
    [split] = splits_of(reader)
    end = split.interval.closed_end
    kept = tuple(sorted(border for border in borders if border < end))
    chunks = chunks_of(reader, [replace(split, borders=kept)])
    found = [chunk.records["v"].to_pylist() for chunk in chunks]
    assert [v for each in found for v in each] == sorted(values)
    ends = [chunk.end for chunk in chunks]
    assert ends == sorted(set(ends))
    assert ends[-1] == end
    assert set(kept) <= set(ends)
    start = split.interval.start
    for chunk, each in zip(chunks, found, strict=True):
        assert all(start <= v < chunk.end for v in each)
        start = chunk.end


@pytest.fixture(scope="module")
def shared(server: PostgresqlServer) -> Iterator[Database]:
    made = Database(server)
    yield made
    made.drop()


def test_too_many_rows_of_one_value_are_refused(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "MOST_BYTES", 4000)
    database.execute("CREATE TABLE t AS SELECT i AS id, 1 AS v FROM generate_series(1, 1000) i")
    reader = reader_of(database.uri(table="t", cursor="v"), batch_rows=100)
    with pytest.raises(FatalError, match="same value of v"):
        read_table(reader)


def test_rows_younger_than_the_lag_are_left_for_the_next_run(database: Database) -> None:
    for kind, now in (("timestamptz", "now()"), ("timestamp", "now() AT TIME ZONE 'UTC'")):
        database.execute(f"DROP TABLE IF EXISTS t; CREATE TABLE t (id int, at {kind})")
        database.execute(f"INSERT INTO t VALUES (1, {now} - interval '2 h'), (2, {now})")
        lagging = reader_of(database.uri(table="t", cursor="at", cursor_lag="1h"))
        assert read_table(lagging)["id"].to_pylist() == [1]
        at_once = reader_of(database.uri(table="t", cursor="at"))
        assert read_table(at_once)["id"].to_pylist() == [1, 2]


def test_rows_without_a_place_in_the_order_are_left_out_with_a_warning(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    database.execute("CREATE TABLE t (id int, at timestamp)")
    database.execute("INSERT INTO t VALUES (1, NULL), (2, 'infinity'), (3, '2024-01-01')")
    with caplog.at_level(logging.WARNING):
        found = read_table(reader_of(database.uri(table="t", cursor="at")))
    assert found["id"].to_pylist() == [3]
    assert "whose at is NULL or infinite are left out" in caplog.text


def test_rejected_rows_have_their_place_in_the_order(database: Database) -> None:
    database.execute(
        "CREATE TABLE t AS SELECT i AS v, CASE i WHEN 3 THEN 'NaN' ELSE i::numeric END AS n "
        "FROM generate_series(1, 6) i"
    )
    reader = reader_of(database.uri(table="t", cursor="v"), batch_rows=2)
    chunks = chunks_of(reader, splits_of(reader))
    assert [v for chunk in chunks for v in chunk.records["v"].to_pylist()] == [1, 2, 4, 5, 6]
    [(reject, chunk)] = [(reject, chunk) for chunk in chunks for reject in chunk.rejects]
    assert reject.position == 3 < chunk.end


def test_columns_and_conditions_are_pushed_down_without_the_cursor(database: Database) -> None:
    database.execute("CREATE TABLE t AS SELECT i AS id, i AS v FROM generate_series(1, 20) i")
    reader, residual = reader_of(database.uri(table="t", cursor="v")).pushdown(
        ["id"], pc.field("v") > 15
    )
    assert residual.predicate is None
    assert read_table(reader).to_pydict() == {"id": [16, 17, 18, 19, 20]}


def test_what_can_not_be_a_cursor_is_said(database: Database) -> None:
    database.execute("CREATE TABLE t (id int, name text)")
    for options, message in (
        ({"cursor": "name"}, "cursor=name has the type text"),
        ({"cursor": "nothing"}, "there is no such column"),
        ({"cursor": "id", "cursor_lag": "1s"}, "cursor_lag: id is no timestamp"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            splits_of(reader_of(database.uri(table="t", **options)))


def split_at(split: Split, start: int) -> Split:
    return replace(split, interval=replace(split.interval, start=start))


def test_reading_goes_on_behind_a_position(database: Database) -> None:
    database.execute("CREATE TABLE t AS SELECT i AS v FROM generate_series(-5, 5) i")
    reader = reader_of(database.uri(table="t", cursor="v"))
    [split] = splits_of(reader)
    for start in (-5, 0, 5):
        found = chunks_of(reader, [split_at(split, start)])
        assert [v for c in found for v in c.records["v"].to_pylist()] == [*range(start, 6)]
