"""Slot and publication: found, made where allowed, else an error with the SQL that makes them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors, sql

from ferris_beam.connectors.postgresql.cdc.positions import parse_lsn
from ferris_beam.connectors.postgresql.cdc.tables import TableName, Tables
from ferris_beam.errors import ConfigurationError, SourceChangedError

Connection = psycopg.Connection[Any]

LEAST_VERSION = 140000
FAILOVER_VERSION = 170000
SCHEMA_VERSION = 150000
_NEAR_LIMIT = 0.75

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SlotState:
    """What the server says of a slot. ``lost``: why it can't be read any more."""

    confirmed: int
    lost: str = ""


@dataclass(frozen=True)
class Replication:
    """The slot and the publication of a pipeline, by name."""

    slot: str
    publication: str
    display: str
    create: bool
    failover: bool

    # ── the server ──────────────────────────────────────────────────────────────────────────

    def check_server(self, connection: Connection) -> None:
        """Raises `ConfigurationError` where the server can't give changes."""
        version = connection.info.server_version
        if version < LEAST_VERSION:
            raise ConfigurationError(
                f"{self.display}: the server is PostgreSQL {version // 10000}; changes are read "
                "from PostgreSQL 14 on, whose decoder sends values in binary"
            )
        if self.failover and version < FAILOVER_VERSION:
            raise ConfigurationError(
                f"{self.display}: failover=true needs PostgreSQL 17, this is {version // 10000}"
            )
        level = _value(connection, "SHOW wal_level")
        if level != "logical":
            raise ConfigurationError(
                f"{self.display}: wal_level is {level}, and changes need logical. As a superuser "
                "run:\n    ALTER SYSTEM SET wal_level = 'logical';\nand restart the server"
            )

    # ── the publication ─────────────────────────────────────────────────────────────────────

    def ensure_publication(self, connection: Connection, tables: Tables) -> None:
        """Makes it, or adds the tables that it lacks."""
        name = sql.Identifier(self.publication)
        found = connection.execute(
            "SELECT 1 FROM pg_catalog.pg_publication WHERE pubname = %s", (self.publication,)
        ).fetchone()
        listed = tables.matching(connection)
        if found is None:
            statement = sql.SQL(
                "CREATE PUBLICATION {} FOR {} WITH (publish_via_partition_root = true)"
            ).format(name, _published(tables, listed, connection.info.server_version))
            self._make(connection, statement, f"the publication {self.publication!r} is missing")
            self._warn_of_identity(connection, listed)
            return
        there = {TableName(*row) for row in connection.execute(_PUBLISHED, (self.publication,))}
        missing = [table for table in listed if table not in there]
        if missing:
            statement = sql.SQL("ALTER PUBLICATION {} ADD TABLE {}").format(
                name, sql.SQL(", ").join(table.identifier for table in missing)
            )
            self._make(
                connection,
                statement,
                f"the publication {self.publication!r} lacks {', '.join(map(str, missing))}",
            )
            self._warn_of_identity(connection, missing)

    def _warn_of_identity(self, connection: Connection, tables: list[TableName]) -> None:
        """In a publication, updates and deletes of tables without an identity fail."""
        rows = connection.execute(_WITHOUT_IDENTITY, ([str(table) for table in tables],))
        for (name,) in rows.fetchall():
            logger.warning(
                "%s: %s has no primary key and no replica identity: now that its changes are "
                "published, the server refuses to update or delete its rows. Run: ALTER TABLE %s "
                "REPLICA IDENTITY FULL",
                self.display,
                name,
                name,
            )

    # ── the slot ────────────────────────────────────────────────────────────────────────────

    def ensure_slot(self, connection: Connection) -> None:
        """Makes the slot where there is none; publications must be there before it."""
        if self.state(connection) is None:
            self.create_slot(connection)

    def create_slot(self, connection: Connection) -> None:
        arguments = "'pgoutput', false, false" + (", true" if self.failover else "")
        statement = sql.SQL("SELECT pg_create_logical_replication_slot({}, {})").format(
            sql.Literal(self.slot), sql.SQL(arguments)
        )
        self._make(connection, statement, f"the replication slot {self.slot!r} is missing")

    def drop_slot(self, connection: Connection) -> None:
        connection.execute(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
            "WHERE slot_name = %s",
            (self.slot,),
        )

    def free(self, connection: Connection, process: int) -> None:
        """Ends the server's process that served this reader before, if it still holds the slot: it
        may not know yet that the connection is gone."""
        connection.execute(
            "SELECT pg_terminate_backend(active_pid) FROM pg_catalog.pg_replication_slots "
            "WHERE slot_name = %s AND active_pid = %s",
            (self.slot, process),
        )

    def state(self, connection: Connection) -> SlotState | None:
        """None where there is no such slot. Raises `ConfigurationError` for another kind."""
        row = connection.execute(
            "SELECT plugin, database, current_database(), confirmed_flush_lsn::text, wal_status "
            "FROM pg_catalog.pg_replication_slots WHERE slot_name = %s",
            (self.slot,),
        ).fetchone()
        if row is None:
            return None
        plugin, database, current, confirmed, status = row
        if plugin != "pgoutput" or database != current:
            raise ConfigurationError(
                f"{self.display}: the slot {self.slot!r} belongs to the plugin {plugin!r} and the "
                f"database {database!r}; name another with slot="
            )
        lost = "the server has removed WAL that it needs" if status == "lost" else ""
        return SlotState(parse_lsn(confirmed), lost)

    def check_whole(self, connection: Connection, lsn: int) -> str:
        """Why changes from ``lsn`` on can't be had any more; empty: they can."""
        state = self.state(connection)
        if state is None:
            return f"the slot {self.slot!r} is gone"
        if state.lost:
            return f"the slot {self.slot!r} is lost: {state.lost}"
        if lsn and state.confirmed > lsn:
            return (
                f"the slot {self.slot!r} was made anew, or somebody else has read from it: it has "
                "moved past what the sinks hold"
            )
        return ""

    def lost(self, why: str) -> SourceChangedError:
        return SourceChangedError(
            f"{self.display}: {why}. Changes are missing: say on_slot_lost=snapshot to go on with "
            "a new slot and a snapshot of the tables, or --reset to start from zero. "
            "max_slot_wal_keep_size on the server says how much WAL a slot may keep"
        )

    # ── lag ─────────────────────────────────────────────────────────────────────────────────

    def warn_of_limit(self, connection: Connection) -> None:
        """Logs a warning where the WAL that the slot keeps nears the server's limit."""
        row = connection.execute(_RETAINED, (self.slot,)).fetchone()
        if row is None or row[1] is None or row[1] <= 0:
            return
        retained, limit = int(row[0] or 0), int(row[1])
        if retained > _NEAR_LIMIT * limit:
            logger.warning(
                "%s: the slot %r keeps %d MiB of WAL, and max_slot_wal_keep_size is %d MiB: above "
                "it the slot is lost. Let the pipeline catch up, or raise the limit",
                self.display,
                self.slot,
                retained >> 20,
                limit >> 20,
            )

    # ── making ──────────────────────────────────────────────────────────────────────────────

    def _make(self, connection: Connection, statement: sql.Composed, missing: str) -> None:
        text = statement.as_string(connection)
        if not self.create:
            raise ConfigurationError(f"{self.display}: {missing}. Run:\n    {text};")
        try:
            connection.execute(statement)
        except (errors.DuplicateObject, errors.UniqueViolation):
            return  # another process was faster
        except errors.InsufficientPrivilege as error:
            raise ConfigurationError(
                f"{self.display}: {missing}, and this role may not make it ({_first(error)}). "
                f"Have somebody who may run:\n    {text};{_rights(connection)}"
            ) from error
        except errors.ConfigurationLimitExceeded as error:
            raise ConfigurationError(
                f"{self.display}: {missing}, and {_first(error)}. Drop slots that nobody reads "
                "(pg_replication_slots), or raise max_replication_slots and restart the server"
            ) from error


_PUBLISHED = "SELECT schemaname, tablename FROM pg_catalog.pg_publication_tables WHERE pubname = %s"
_WITHOUT_IDENTITY = """
SELECT n.nspname || '.' || c.relname FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname || '.' || c.relname = ANY(%s) AND (c.relreplident = 'n' OR c.relreplident = 'd'
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary))
"""
_RETAINED = """
SELECT pg_wal_lsn_diff(
        CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
        restart_lsn),
    (SELECT setting::int8 * 1024 * 1024 FROM pg_settings WHERE name = 'max_slot_wal_keep_size')
FROM pg_catalog.pg_replication_slots WHERE slot_name = %s
"""


def _published(tables: Tables, listed: list[TableName], version: int) -> sql.Composable:
    """What stands behind CREATE PUBLICATION … FOR. A schema as a whole also takes tables that
    come later; that needs a superuser and PostgreSQL 15, and no other pattern can say it."""
    if tables.schemas and not tables.names and version >= SCHEMA_VERSION:
        schemas = sql.SQL(", ").join(map(sql.Identifier, tables.schemas))
        return sql.SQL("TABLES IN SCHEMA {}").format(schemas)
    if not listed:
        return sql.SQL("TABLE {}").format(sql.SQL(", ").join(t.identifier for t in tables.names))
    return sql.SQL("TABLE {}").format(sql.SQL(", ").join(table.identifier for table in listed))


def _rights(connection: Connection) -> str:
    user = sql.Identifier(connection.info.user).as_string(connection)
    return f"\n(the role needs REPLICATION to read a slot: ALTER ROLE {user} REPLICATION;)"


def _first(error: psycopg.Error) -> str:
    return str(error).strip().splitlines()[0]


def _value(connection: Connection, query: str) -> Any:
    row = connection.execute(sql.SQL(query)).fetchone()
    return row[0] if row else None
