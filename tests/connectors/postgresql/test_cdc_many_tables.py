"""Ten tables, random transactions, restarts: what the sink holds, replayed, equals the tables."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path

from tests.chaos.endless import wait_until
from tests.chaos.harness import ROOT
from tests.connectors.postgresql.changes import Replica, copying, lines_of
from tests.services.database import Database

TABLES = 10
CHANGES = 200_000
KILLS = 2
_MAKE = """
CREATE TABLE t{n} (id int PRIMARY KEY, a text, b numeric(12, 2), c timestamptz, d double precision);
INSERT INTO t{n} SELECT g, 'first ' || g, g * 0.5, '2026-01-01'::timestamptz + g * interval '1 s', g
    FROM generate_series(1, 500) g
"""
_CHANGE = """
CREATE SEQUENCE fresh START 100000;
CREATE PROCEDURE change(seed double precision, transactions int) LANGUAGE plpgsql AS $$
DECLARE n int; first int; made int := 0;
BEGIN
    PERFORM setseed(seed);
    FOR i IN 1..transactions LOOP
        FOR j IN 0..(random() * 3)::int LOOP
            n := (random() * 9)::int;
            first := (random() * 4000)::int;
            CASE (random() * 5)::int
            WHEN 0, 1, 5 THEN EXECUTE format('INSERT INTO t%s SELECT g, md5(g::text || %L), random()
                * 1000, clock_timestamp(), random() FROM generate_series(%s, %s) g
                ON CONFLICT (id) DO UPDATE SET a = excluded.a, b = excluded.b',
                n, i, first, first + (random() * 60)::int);
            WHEN 2 THEN EXECUTE format('UPDATE t%s SET b = b + 1, d = random()
                WHERE id BETWEEN %s AND %s', n, first, first + (random() * 80)::int);
            WHEN 3 THEN EXECUTE format('DELETE FROM t%s WHERE id BETWEEN %s AND %s',
                n, first, first + (random() * 40)::int);
            ELSE EXECUTE format('UPDATE t%s SET id = %s WHERE id = %s',
                n, nextval('fresh'), first);
            END CASE;
        END LOOP;
        IF random() < 0.05 THEN ROLLBACK; ELSE COMMIT; END IF;
    END LOOP;
END $$
"""
_COUNT = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables"


class Writer:
    """Changes the tables in a thread of its own."""

    def __init__(self, database: Database) -> None:
        self.connection = database.connect()
        self.pool = ThreadPoolExecutor(1)
        self.calls = 0

    def until(self, changes: int) -> Future[None]:
        """Goes on until there are so many changes."""
        return self.pool.submit(self._change, changes)

    def _change(self, changes: int) -> None:
        made = 0
        while made < changes:
            self.calls += 1
            self.connection.execute("CALL change(%s, 100)", (1 / self.calls,))
            self.connection.execute("SELECT pg_stat_force_next_flush()")
            row = self.connection.execute(_COUNT).fetchone()
            assert row is not None
            made = int(row[0])

    def close(self) -> None:
        self.pool.shutdown()
        self.connection.close()


def test_two_hundred_thousand_changes_with_restarts_replayed_equal_the_tables(
    database: Database, tmp_path: Path
) -> None:
    for n in range(TABLES):
        database.execute(_MAKE.format(n=n))
    database.execute(_CHANGE)
    source = database.uri(mode="cdc", tables="public.*", poll_interval="20ms", batch_rows=20_000)
    out = tmp_path / "changes.jsonl"
    writer = Writer(database)
    try:
        for kill in range(KILLS):
            changes = CHANGES // (KILLS + 1) * (kill + 1)
            kill_while_changing(source, out, partial(writer.until, changes))
        with copying(source, f"file://{out}", "--name=many") as copy:
            writer.until(CHANGES).result()
            for n in range(TABLES):
                database.execute(f"INSERT INTO t{n} VALUES (-1)")
            copy.wait(lambda: out.read_bytes().count(b'\\"id\\":-1') == TABLES)
    finally:
        writer.close()
    told = [change for change in lines_of(out) if change["operation"] != "read"]
    assert len(told) > CHANGES / 2
    replica = Replica({f"public.t{n}": ("id",) for n in range(TABLES)})
    for change in lines_of(out):
        replica.apply(change)
    for n in range(TABLES):
        rows = database.execute(f"SELECT to_json(t{n}) FROM t{n} ORDER BY id")
        expected = [as_told(row) for (row,) in rows]
        found = sorted(map(as_told, replica.tables[f"public.t{n}"].values()), key=by_id)
        assert found == expected


def kill_while_changing(source: str, out: Path, change: Callable[[], Future[None]]) -> None:
    """Starts the pipeline, then the changes, and kills it when it has told some of them."""
    command = [sys.executable, "-m", "pipelines.copy", "--quiet", "--name=many"]
    process = subprocess.Popen(
        [*command, "--source", source, "--sink", f"file://{out}"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    before = size(out)
    if not before:
        wait_until(lambda: size(out) > 0, process)
    changing = change()
    wait_until(lambda: size(out) > before + 500_000, process)
    process.kill()
    process.communicate()
    changing.result()


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def by_id(row: tuple[object, ...]) -> int:
    return int(str(row[0]))


def as_told(row: dict[str, object]) -> tuple[object, ...]:
    """Times and decimals as numbers: PostgreSQL and Arrow write them in different ways."""
    at = row["c"]
    when = datetime.fromisoformat(str(at)) if at is not None else None
    amount = row["b"]
    return row["id"], row["a"], None if amount is None else Decimal(str(amount)), when, row["d"]
