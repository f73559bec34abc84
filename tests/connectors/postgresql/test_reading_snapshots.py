"""One instant for all who read: exported, held, released, lost."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import errors

from ferris_beam.connector import Reader
from ferris_beam.connectors.postgresql.reading import pieces, snapshots
from ferris_beam.connectors.postgresql.reading.pieces import Piece
from ferris_beam.errors import FatalError
from tests.connectors.postgresql.sources import chunks_of, reader_of, splits_of
from tests.services.database import Database

_READ = """
import pickle, sys
reader, splits = pickle.load(sys.stdin.buffer)
reader.open()
chunks = [chunk for split in splits for chunk in reader.read(split)]
rows = [v for chunk in chunks for v in chunk.records['v'].to_pylist()]
reader.close()
print(sum(rows), len(rows))
"""


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "BLOCKS", 4)


@pytest.fixture
def reader(database: Database) -> Iterator[Reader]:
    database.execute("CREATE TABLE t AS SELECT i AS id, 1 AS v FROM generate_series(1, 9000) i")
    made = reader_of(database.uri(table="t"))
    yield made
    made.close()


def churn(database: Database) -> None:
    """Moves rows to other blocks, and changes what their sum is."""
    database.execute("UPDATE t SET v = 1000 WHERE id % 3 = 0")
    database.execute("DELETE FROM t WHERE id % 7 = 0")
    database.execute("INSERT INTO t SELECT i, 50 FROM generate_series(1, 3000) i")


def test_all_pieces_see_the_same_instant(database: Database, reader: Reader) -> None:
    splits = splits_of(reader)
    assert len(splits) > 5
    values = []
    for split in splits:
        churn(database)
        values += [
            v for chunk in chunks_of(reader, [split]) for v in chunk.records["v"].to_pylist()
        ]
    assert values == [1] * 9000


def test_other_processes_see_the_same_instant(database: Database, reader: Reader) -> None:
    splits = splits_of(reader)
    churn(database)
    command = [sys.executable, "-c", _READ]
    sent = pickle.dumps((reader, splits))
    root = Path(__file__).parents[3]
    done = subprocess.run(command, input=sent, capture_output=True, cwd=root, check=True)
    assert done.stdout.split() == [b"9000", b"9000"]
    assert len(snapshots.held_snapshots()) == 1  # nobody here knows that all was read


def test_it_is_released_when_all_pieces_were_read(database: Database, reader: Reader) -> None:
    splits = splits_of(reader)
    chunks_of(reader, splits[1:])
    chunks_of(reader, splits[1:])
    assert len(snapshots.held_snapshots()) == 1
    chunks_of(reader, splits[:1])
    assert snapshots.held_snapshots() == []
    query = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
    query += " AND datname = current_database()"
    while database.execute(query) != [(0,)]:
        pass  # the server notices the end of a connection by itself


def test_a_piece_that_is_read_in_part_is_not_read(reader: Reader) -> None:
    [first, *rest] = splits_of(reader)
    chunks_of(reader, rest)
    reader.open()
    next(iter(reader.read(first)))
    reader.close()
    assert len(snapshots.held_snapshots()) == 1


def test_a_lost_snapshot_says_start_again(reader: Reader) -> None:
    splits = splits_of(reader)
    snapshots.release_all()
    with pytest.raises(FatalError, match=r"snapshot.* is gone.*start again"):
        chunks_of(reader, splits)


def test_nobody_alters_the_table_until_it_was_read(database: Database, reader: Reader) -> None:
    splits = splits_of(reader)
    with database.connect(options="-c lock_timeout=100") as connection:
        with pytest.raises(errors.LockNotAvailable):
            connection.execute("ALTER TABLE t DROP COLUMN v")
        chunks_of(reader, splits)
        connection.execute("SET lock_timeout = 0")
        connection.execute("ALTER TABLE t DROP COLUMN v")


def test_the_servers_timeouts_do_not_end_it(database: Database, reader: Reader) -> None:
    for name in ("idle_in_transaction_session_timeout", "transaction_timeout", "lock_timeout"):
        database.execute(f"ALTER DATABASE {database.name} SET {name} = '50ms'")
    splits = splits_of(reader)
    database.execute("SELECT pg_sleep(0.3)")
    database.execute(f"ALTER DATABASE {database.name} RESET ALL")
    churn(database)
    assert sum(len(chunk.records) for chunk in chunks_of(reader, splits)) == 9000


def test_it_is_released_when_nobody_reads(database: Database, reader: Reader) -> None:
    [split, *_] = splits_of(reader)
    snapshot = Piece.decode(split.details).snapshot
    with database.connect() as elsewhere:  # what a reader in another process does
        elsewhere.execute("BEGIN")
        elsewhere.execute("SELECT pg_advisory_xact_lock_shared(%s)", (snapshot.lock,))
        snapshots.release_idle(0)
        assert snapshots.held_snapshots() == [snapshot]
        elsewhere.execute("ROLLBACK")
    snapshots.release_idle(3600)
    assert snapshots.held_snapshots() == [snapshot]
    reading = iter(reader.read(split))
    next(reading)
    snapshots.release_idle(0)
    assert snapshots.held_snapshots() == [snapshot]
    reading.close()
    snapshots.release_idle(0)
    assert snapshots.held_snapshots() == []


def test_what_only_asks_for_splits_leaves_few_behind(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "MOST_UNREAD", 2)
    used = splits_of(reader)
    chunks_of(reader, used[:1])
    for _ in range(5):
        splits_of(reader)
    held = snapshots.held_snapshots()
    assert len(held) == 3
    assert Piece.decode(used[0].details).snapshot in held  # which is in use


def test_an_error_while_listing_leaves_nothing_behind(database: Database, reader: Reader) -> None:
    database.execute("DROP TABLE t")
    with pytest.raises(Exception, match="there is no table"):
        splits_of(reader)
    assert snapshots.held_snapshots() == []


def test_a_broken_holder_is_forgotten(database: Database, reader: Reader) -> None:
    splits_of(reader)
    database.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s "
        "AND state = 'idle in transaction' AND pid <> pg_backend_pid()",
        (database.name,),
    )
    snapshots.release_idle(0)
    assert snapshots.held_snapshots() == []
