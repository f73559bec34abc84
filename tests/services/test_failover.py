"""A standby takes over, and the slot goes on where its consumer was."""

from __future__ import annotations

import pytest

from tests.services import failover
from tests.services.database import Database


@pytest.mark.parametrize("version", ["17", "18"])
def test_a_failover_slot_is_there_after_the_primary_was_killed(version: str) -> None:
    with failover.running(version) as pair:
        database = Database(pair.primary)
        database.execute("CREATE TABLE t (id int PRIMARY KEY)")
        database.execute("CREATE PUBLICATION p FOR TABLE t")
        database.execute(
            "SELECT pg_create_logical_replication_slot('s', 'pgoutput', failover => true)"
        )
        consume = (
            "SELECT * FROM pg_logical_slot_get_binary_changes("
            "'s', NULL, NULL, 'proto_version', '1', 'publication_names', 'p')"
        )
        ids = iter(range(1000))

        def move() -> None:
            database.execute("INSERT INTO t VALUES (%s)", (next(ids),))
            database.execute(consume)

        pair.synchronise("s", move)
        database.execute("INSERT INTO t VALUES (2000), (2001)")
        pair.fail_over()
        with pair.standby.connect(database.name) as connection:
            rows = connection.execute(consume).fetchall()
            inserted = [data for _, _, data in rows if data[:1] == b"I"]
            assert [data[-4:] for data in inserted[-2:]] == [b"2000", b"2001"]
            assert connection.execute("SELECT max(id) FROM t").fetchone() == (2001,)
