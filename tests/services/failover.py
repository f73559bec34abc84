"""A primary and its standby, with replication slots that survive the primary's end.

PostgreSQL 17 and later, https://www.postgresql.org/docs/current/logical-replication-failover.html:
a slot made with ``failover`` is copied to the standby every now and then. The copy is temporary,
and lost by a promotion, until the standby has received WAL and catalog rows as old as the slot
needs; on an idle primary that never happens. `Pair.synchronise` sees to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.services import processes
from tests.services.postgresql import PostgresqlServer
from tests.services.postgresql_binaries import binaries

_SLOT = "standby"


class Standby(PostgresqlServer):
    """A copy of a running primary that follows it and copies its slots."""

    def __init__(self, primary: PostgresqlServer) -> None:
        self._primary = primary
        super().__init__(primary.version)
        self.configure(
            primary_conninfo=primary.dsn(),
            primary_slot_name=_SLOT,
            hot_standby_feedback="on",
            sync_replication_slots="on",
        )
        (self.data / "standby.signal").touch()

    def promote(self) -> None:
        """Returns when it takes writes."""
        with self.connect() as connection:
            connection.execute("SELECT pg_promote(wait => true)")

    def _initialise(self) -> None:
        self.data.mkdir(mode=0o700)
        self._give_away(self.data)
        # Of 18 whatever the servers' version is: Maven's packages come without it.
        command = [binaries("18") / "pg_basebackup", "-D", self.data, "-d", self._primary.dsn()]
        command += ["--checkpoint=fast", "--no-sync"]
        processes.run(command, unprivileged=True)


class Pair:
    """``primary`` and ``standby``; a client that names both hosts finds the survivor."""

    def __init__(self, primary: PostgresqlServer) -> None:
        self.primary = primary
        with primary.connect() as connection:
            connection.execute("SELECT pg_create_physical_replication_slot(%s, true)", (_SLOT,))
        self.standby = Standby(primary)
        self.standby.start()
        with primary.connect() as connection:
            # A logical slot gives nothing that the standby doesn't have: else a consumer would
            # know changes that the survivor never saw.
            connection.execute(f"ALTER SYSTEM SET synchronized_standby_slots = {_SLOT}")
            connection.execute("SELECT pg_reload_conf()")

    @property
    def hosts(self) -> str:
        """Both servers, as a URI names them."""
        return f"127.0.0.1:{self.primary.port},127.0.0.1:{self.standby.port}"

    def synchronise(self, slot: str, move: Callable[[], Any], seconds: float = 60) -> None:
        """Returns when the standby would keep ``slot`` after a promotion. ``move`` makes its
        consumer confirm something newer, such as by an insert."""
        with self.primary.connect() as primary, self.standby.connect() as standby:
            for _ in range(int(seconds / 0.1)):
                found = standby.execute(
                    "SELECT 1 FROM pg_replication_slots "
                    "WHERE slot_name = %s AND synced AND NOT temporary",
                    (slot,),
                ).fetchone()
                if found:
                    return
                primary.execute("SELECT pg_log_standby_snapshot()")
                move()
                primary.execute("SELECT pg_sleep(0.1)")
        raise AssertionError(f"the standby has no lasting copy of the slot {slot} in {seconds} s")

    def fail_over(self) -> None:
        """The primary is killed, and the standby takes over."""
        self.primary.kill()
        self.standby.promote()


@contextmanager
def running(version: str = "18", **settings: Any) -> Iterator[Pair]:
    """A primary and a standby that run inside the ``with``; 17 or later."""
    primary = PostgresqlServer(version, **settings)
    pair = None
    try:
        primary.start()
        pair = Pair(primary)
        yield pair
    finally:
        if pair is not None:
            pair.standby.remove()
        primary.remove()
