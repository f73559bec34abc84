"""Reading by ADBC: it gives what our own decoder of COPY BINARY does, whatever happens."""

from __future__ import annotations

import time
from typing import Any

import pyarrow as pa
import pytest

from ferris_beam.connector import Chunk
from ferris_beam.connectors.postgresql.reading import columnar, reader
from tests.connectors.postgresql.sources import chunks_of, reader_of, splits_of
from tests.services.database import Database

_VALUES = {
    "bool": ("true", "false"),
    "int2": ("'-32768'", "'32767'"),
    "int4": ("'-2147483648'", "'2147483647'"),
    "int8": ("'-9223372036854775808'", "'9223372036854775807'"),
    "float4": ("'NaN'", "'-Infinity'", "'1.5e-45'", "'-0'"),
    "float8": ("'NaN'", "'Infinity'", "'5e-324'", "'-0'"),
    "text": ("''", "'Grüße 🚢'", "repeat('x', 100000)"),
    "varchar(5)": ("'a'",),
    "char(5)": ("'a'",),
    "bytea": (r"'\x'", r"'\x00ff'"),
    "date": ("'4714-11-24 BC'", "'5874897-12-31'", "'1970-01-01'"),
    "timestamp": ("'4714-11-24 BC'", "'294246-12-31 23:59:59.999999'", "'1970-01-01'"),
    "timestamptz": ("'4714-11-24 00:00:00+00 BC'", "'294246-12-31 23:59:59+00'"),
    "name": ("'n'",),
}


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Small tables are read by ADBC, too; how many rows it gave, batch by batch."""
    monkeypatch.setattr(columnar, "LEAST_BLOCKS", 0)
    counts: list[int] = []
    read = columnar.rows

    def rows(*arguments: Any) -> Any:
        batches = read(*arguments)
        while True:
            try:
                records, bad = next(batches)
            except StopIteration as end:
                return end.value
            counts.append(records.num_rows)
            yield records, bad

    monkeypatch.setattr(reader.columnar, "rows", rows)
    return counts


def all_chunks(database: Database, **options: Any) -> list[Chunk]:
    source = reader_of(database.uri(table="t", **options))
    return chunks_of(source, splits_of(source))


def both(
    database: Database, monkeypatch: pytest.MonkeyPatch, **options: Any
) -> tuple[list[Chunk], list[Chunk]]:
    """What is read by ADBC as far as it goes, and by our decoder alone."""
    by_adbc = all_chunks(database, **options)
    with monkeypatch.context() as patched:
        patched.setattr(columnar, "LEAST_BLOCKS", 1 << 32)
        return by_adbc, all_chunks(database, **options)


def table_of(chunks: list[Chunk]) -> pa.Table:
    for chunk in chunks:
        chunk.records.validate(full=True)
    return pa.Table.from_batches([chunk.records for chunk in chunks])


@pytest.mark.parametrize("kind", _VALUES)
def test_values_are_what_our_own_decoder_makes_of_them(
    database: Database, given: list[int], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    rows = ", ".join(f"({value}::{kind})" for value in ("NULL", *_VALUES[kind]))
    database.execute(f"CREATE TABLE t (v {kind})")
    database.execute(f"INSERT INTO t VALUES {rows}")
    by_adbc, by_copy = map(table_of, both(database, monkeypatch))
    assert by_adbc.schema == by_copy.schema
    assert _comparable(by_adbc["v"]) == _comparable(by_copy["v"])
    assert sum(given) == (0 if kind == "name" else len(_VALUES[kind]) + 1)


def _comparable(values: pa.ChunkedArray) -> list[Any]:
    """Bits of NaN, and numbers of what Python has no dates for."""
    kind = values.type
    if pa.types.is_floating(kind) or pa.types.is_temporal(kind):
        values = values.combine_chunks().view(pa.int32() if kind.bit_width == 32 else pa.int64())
    return values.to_pylist()


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("date", "infinity", "infinity"),
        ("date", "-infinity", "infinity"),
        ("timestamp", "infinity", "infinity"),
        ("timestamptz", "-infinity", "infinity"),
        ("timestamp", "294276-12-31", "the year 294246"),
    ],
)
def test_a_value_that_arrow_can_t_hold_is_one_rejected_row(
    database: Database,
    given: list[int],
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    value: str,
    reason: str,
) -> None:
    database.execute(f"CREATE TABLE t (id int, filler text, v {kind})")
    database.execute(
        f"INSERT INTO t SELECT n, repeat('x', 200), CASE n WHEN 30000 THEN '{value}' "
        f"ELSE '2000-01-01' END::{kind} FROM generate_series(1, 40000) n"
    )
    by_adbc, by_copy = both(database, monkeypatch)
    ids = table_of(by_adbc)["id"].to_pylist()
    assert (
        ids == [n for n in range(1, 40_001) if n != 30_000] == table_of(by_copy)["id"].to_pylist()
    )
    found, expected = ([r for c in chunks for r in c.rejects] for chunks in (by_adbc, by_copy))
    told = [
        [(each.place, each.reason, each.payload) for each in part] for part in (found, expected)
    ]
    assert told[0] == told[1]
    assert reason in found[0].reason
    assert 0 < sum(given) < 30_000, "it went ahead as far as it could"


def test_reading_goes_on_by_copy_where_the_connection_of_adbc_is_lost(
    database: Database, given: list[int]
) -> None:
    database.execute("CREATE TABLE t (id int, filler text)")
    database.execute("INSERT INTO t SELECT n, repeat('x', 500) FROM generate_series(1, 60000) n")
    source = reader_of(database.uri(table="t"))
    splits = splits_of(source)
    database.execute("DELETE FROM t")  # the snapshot sees them
    source.open()
    ids: list[int] = []
    for split in splits:
        chunks = source.read(split)
        for chunk in chunks:
            if not ids:
                assert given
                killed = database.execute(
                    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE "
                    "datname = current_database() AND state = 'active' AND query LIKE 'COPY%'"
                )
                assert killed == [(True,)]
            ids += chunk.records["id"].to_pylist()
    source.close()
    assert ids == list(range(1, 60_001))
    assert 0 < sum(given) < 60_000


def test_a_reader_that_is_closed_early_leaves_no_query_behind(
    database: Database, given: list[int]
) -> None:
    database.execute("CREATE TABLE t (id int, filler text)")
    database.execute("INSERT INTO t SELECT n, repeat('x', 500) FROM generate_series(1, 60000) n")
    source = reader_of(database.uri(table="t"))
    (split, *_) = splits_of(source)
    source.open()
    chunks = source.read(split)
    next(iter(chunks))
    assert given
    chunks.close()  # type: ignore[attr-defined]
    source.close()
    running = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND state = 'active' AND query LIKE 'COPY%'"
    )
    end = time.monotonic() + 10
    while database.execute(running) != [(0,)]:
        assert time.monotonic() < end


def test_where_adbc_can_t_connect_all_is_read_by_copy(
    database: Database, given: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    database.execute("CREATE TABLE t AS SELECT 1 AS id")
    refused: list[str] = []

    def refuse(dsn: str) -> None:
        refused.append(dsn)
        raise columnar.adbc.OperationalError("refused", status_code=columnar.adbc.AdbcStatusCode.IO)

    monkeypatch.setattr(columnar.adbc_driver_postgresql, "connect", refuse)
    for _ in range(2):
        assert table_of(all_chunks(database)).to_pydict() == {"id": [1]}
    assert len(refused) == 1, "it isn't tried for each piece"
    assert not given


def test_batches_have_no_more_rows_than_were_asked_for(
    database: Database, given: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    database.execute("CREATE TABLE t AS SELECT n AS id FROM generate_series(1, 2500) n")
    by_adbc, by_copy = both(database, monkeypatch, batch_rows=1000)
    assert [len(chunk.records) for chunk in by_adbc] == [1000, 1000, 500] == given
    assert [chunk.end for chunk in by_adbc] == [chunk.end for chunk in by_copy]
