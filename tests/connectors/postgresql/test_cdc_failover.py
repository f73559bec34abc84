"""The primary is killed: the pipeline goes on at the standby that took over, without a loss."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from tests.connectors.postgresql.changes import copying, lines_of
from tests.services import failover
from tests.services.database import Database


@pytest.mark.parametrize("version", ["18"])
def test_the_survivor_of_a_killed_primary_continues_without_loss(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ferris_beam.transforms.read_endless.ACKNOWLEDGE_SECONDS", 0.1)
    out = tmp_path / "t.jsonl"
    with failover.running(version) as pair:
        database = Database(pair.primary)
        database.execute("CREATE TABLE t (id int PRIMARY KEY)")
        identifiers = count(1)

        def move() -> None:
            database.execute("INSERT INTO t VALUES (%s)", (next(identifiers),))

        source = (
            f"postgresql://postgres@{pair.hosts}/{database.name}"
            "?mode=cdc&table=t&slot=s&failover=true&poll_interval=20ms&heartbeat=200ms"
        )
        with copying(source, f"file://{out}", "--name=n") as copy:
            move()
            copy.wait(lambda: len(lines_of(out)) == 1)
            pair.synchronise("s", move)
            pair.fail_over()
            with pair.standby.connect(database.name) as connection:
                connection.execute("INSERT INTO t VALUES (-1)")
                copy.wait(lambda: lines_of(out)[-1]["id"] == -1)
                expected = connection.execute("SELECT id FROM t ORDER BY id").fetchall()
        found = [row["id"] for row in lines_of(out)]
        assert sorted(found) == [row[0] for row in expected]
