"""What change data capture needs: the server's settings, a right, a publication and a slot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg

from ferris_beam.connectors.postgresql.cdc.slots import Replication, SlotState
from ferris_beam.connectors.postgresql.cdc.tables import TableName, Tables
from ferris_beam.connectors.postgresql.diagnosis.problems import attempted, problem
from ferris_beam.connectors.postgresql.diagnosis.rights import (
    find,
    quoted,
    right_to,
    row_security,
)
from ferris_beam.connectors.postgresql.failures import explained
from ferris_beam.connectors.postgresql.server import Server
from ferris_beam.connectors.postgresql.writing.names import TableName as Name
from ferris_beam.errors import FerrisError
from ferris_beam.findings import Finding

Connection = psycopg.Connection[Any]

_ROOM = """
SELECT current_setting('max_replication_slots')::int,
    (SELECT count(*) FROM pg_catalog.pg_replication_slots),
    current_setting('max_wal_senders')::int,
    (SELECT count(*) FROM pg_catalog.pg_stat_replication)
"""
_ROLE = "SELECT rolreplication OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user"
_PUBLISHES = """
SELECT pubinsert AND pubupdate AND pubdelete AND pubtruncate
FROM pg_catalog.pg_publication WHERE pubname = %s
"""
_MAY_PUBLISH = """
SELECT has_database_privilege(current_database(), 'CREATE')
    AND (%(whole)s::bool IS FALSE OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user))
    AND coalesce((SELECT bool_and(pg_has_role(relowner, 'USAGE')) FROM pg_catalog.pg_class
        WHERE oid = ANY(%(tables)s::regclass[])), true)
"""
_IDENTITY = """
SELECT c.relreplident, EXISTS (SELECT FROM pg_catalog.pg_index i
    WHERE i.indrelid = c.oid AND i.indisprimary AND i.indisvalid)
FROM pg_catalog.pg_class c WHERE c.oid = %s::regclass
"""
_SLOT = """
SELECT to_jsonb(s) || jsonb_build_object('retained', pg_wal_lsn_diff(
    CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
    restart_lsn))
FROM pg_catalog.pg_replication_slots s WHERE slot_name = %s
"""
_SHOWN = 10
"""How many tables a finding names."""
_NEAR_LIMIT = 0.25
"""The part of max_slot_wal_keep_size that is left when it is time for a warning."""


def examined(
    connection: Connection, server: Server, replication: Replication, tables: Tables, snapshot: bool
) -> Iterator[Finding]:
    """``snapshot``: the rows that are there are read, too."""
    refused = attempted("wal_level", server, lambda: replication.check_server(connection))
    yield refused or Finding("wal_level", "ok", "logical")
    if refused is not None:
        return
    try:
        with explained(server.display):
            state = replication.state(connection)
            listed = tables.matching(connection)
    except FerrisError as error:
        yield problem("tables and slot", error, server)
        return
    yield from _room(connection, there=state is not None)
    yield from _role(connection, server)
    yield from _tables(connection, listed, snapshot)
    yield _publication(connection, replication, tables, listed, server)
    yield from _operations(connection, replication.publication)
    if state is None:
        yield _no_slot(connection, replication, server)
    else:
        yield from _slot(connection, replication, state)
    yield from _idle_timeout(connection)


def examined_snapshot(connection: Connection, server: Server, tables: Tables) -> Iterator[Finding]:
    """What ``snapshot=only`` needs: no slot."""
    try:
        with explained(server.display):
            listed = tables.matching(connection)
    except FerrisError as error:
        yield problem("tables", error, server)
        return
    yield _listed(listed)
    yield from _rights(connection, listed)


# ── the server and the role ─────────────────────────────────────────────────────────────────────


def _room(connection: Connection, there: bool) -> Iterator[Finding]:
    """Whether one more slot (unless ours is there) and one more connection find room."""
    (row,) = connection.execute(_ROOM).fetchall()
    slots, used_slots, senders, used_senders = row
    for setting, most, used, needed in (
        ("max_replication_slots", slots, used_slots, not there),
        ("max_wal_senders", senders, used_senders, True),
    ):
        seen = f"{used} of {most} are in use"
        if used < most or not needed:
            yield Finding(setting, "ok", seen)
        else:
            fix = f"ALTER SYSTEM SET {setting} = {2 * max(most, 5)};\nand restart the server"
            yield Finding(setting, "problem", seen, fix)


def _role(connection: Connection, server: Server) -> Iterator[Finding]:
    role = connection.info.user
    ((allowed,),) = connection.execute(_ROLE).fetchall()
    if not allowed:
        fix = f"ALTER ROLE {quoted(role)} REPLICATION;"
        yield Finding("replication", "problem", f"{role} lacks REPLICATION", fix)
        return
    refused = attempted(
        "replication", server, lambda: server.connect(replication="database").close()
    )
    yield refused or Finding("replication", "ok", f"{role} may read slots")


# ── the tables ──────────────────────────────────────────────────────────────────────────────────


def _tables(connection: Connection, tables: list[TableName], snapshot: bool) -> Iterator[Finding]:
    yield _listed(tables)
    for table in tables:
        yield from _identity(connection, table)
    if snapshot:
        yield from _rights(connection, tables)


def _listed(tables: list[TableName]) -> Finding:
    if not tables:
        return Finding("tables", "warning", "there are none yet", "CREATE TABLE makes one")
    names = ", ".join(map(str, tables[:_SHOWN]))
    more = f" and {len(tables) - _SHOWN} more" if len(tables) > _SHOWN else ""
    return Finding("tables", "ok", f"changes of {names}{more}")


def _rights(connection: Connection, tables: list[TableName]) -> Iterator[Finding]:
    for table in tables:
        found = find(connection, Name(*table))
        if found is not None:
            yield right_to(connection, found, ["SELECT"])
            yield from row_security(found, connection.info.user)


def _identity(connection: Connection, table: TableName) -> Iterator[Finding]:
    """Without an identity, the server refuses every UPDATE and DELETE of a published table."""
    name = table.identifier.as_string(None)
    ((kind, has_key),) = connection.execute(_IDENTITY, (name,)).fetchall()
    if kind == "n" or (kind == "d" and not has_key):
        why = "REPLICA IDENTITY NOTHING" if kind == "n" else "no primary key"
        remedy = "DEFAULT" if has_key else "FULL"
        seen = f"{table} has {why}: once it is published, UPDATE and DELETE fail"
        fix = f"ALTER TABLE {name} REPLICA IDENTITY {remedy};"
        yield Finding("replica identity", "problem", seen, fix)


# ── the publication ─────────────────────────────────────────────────────────────────────────────


def _publication(
    connection: Connection,
    replication: Replication,
    tables: Tables,
    listed: list[TableName],
    server: Server,
) -> Finding:
    name = replication.publication
    lacking = attempted(
        "publication",
        server,
        lambda: replace(replication, create=False).ensure_publication(connection, tables),
    )
    if lacking is None:
        return Finding("publication", "ok", f"{name!r} holds all tables")
    if not replication.create:
        return lacking
    names = [table.identifier.as_string(None) for table in listed]
    values = {"whole": bool(tables.schemas), "tables": names}
    ((allowed,),) = connection.execute(_MAY_PUBLISH, values).fetchall()
    if allowed:
        return Finding("publication", "ok", f"{name!r} is made, or completed, at the start")
    role = connection.info.user
    fix = f"{lacking.fix}\nas the tables' owner or as a superuser; {role} is neither"
    return replace(lacking, fix=fix)


def _operations(connection: Connection, publication: str) -> Iterator[Finding]:
    row = connection.execute(_PUBLISHES, (publication,)).fetchone()
    if row is not None and not row[0]:
        fix = f"ALTER PUBLICATION {quoted(publication)} SET (publish = 'insert, update, delete, "
        seen = f"{publication!r} does not publish all kinds of changes: the others are not seen"
        yield Finding("publication", "warning", seen, f"{fix}truncate');")


# ── the slot ────────────────────────────────────────────────────────────────────────────────────


def _no_slot(connection: Connection, replication: Replication, server: Server) -> Finding:
    if replication.create:
        return Finding("slot", "ok", f"{replication.slot!r} is made at the start")
    made = replace(replication, create=False)
    needed = attempted("slot", server, lambda: made.create_slot(connection))
    assert needed is not None
    return needed


def _slot(connection: Connection, replication: Replication, state: SlotState) -> Iterator[Finding]:
    name = replication.slot
    row = connection.execute(_SLOT, (name,)).fetchone()
    if row is None:
        return
    facts = row[0]
    reason = facts.get("invalidation_reason") or ("conflict" if facts.get("conflicting") else "")
    if state.lost or reason:
        why = state.lost or f"the server has invalidated it ({reason})"
        fix = (
            "on_slot_lost=snapshot goes on with a new slot and a snapshot of the tables; to keep "
            f"slots longer, raise max_slot_wal_keep_size; SELECT pg_drop_replication_slot('{name}')"
            "; removes this one"
        )
        yield Finding("slot", "problem", f"{name!r} is lost: {why}", fix)
        return
    if facts["active"]:
        pid = facts["active_pid"]
        seen = f"{name!r} is being read by the server's process {pid}"
        fix = f"where that is no run of this pipeline: SELECT pg_terminate_backend({pid});"
        yield Finding("slot", "warning", seen, fix)
    else:
        yield Finding("slot", "ok", f"{name!r} is there, and nobody reads it")
    yield _retained(connection, facts)


def _retained(connection: Connection, facts: dict[str, Any]) -> Finding:
    kept = int(facts["retained"] or 0)
    left = facts.get("safe_wal_size")
    if left is None:
        return Finding("retained WAL", "ok", f"{kept >> 20} MiB; the server sets no limit")
    if facts["wal_status"] == "unreserved" or int(left) < _NEAR_LIMIT * (kept + int(left)):
        return Finding(
            "retained WAL",
            "warning",
            f"{kept >> 20} MiB are kept, and after {int(left) >> 20} MiB more the slot is lost",
            "let the pipeline run until it has caught up, or raise the limit:\n"
            "ALTER SYSTEM SET max_slot_wal_keep_size = '…GB'; SELECT pg_reload_conf();",
        )
    return Finding("retained WAL", "ok", f"{kept >> 20} MiB; room for {int(left) >> 20} MiB more")


def _idle_timeout(connection: Connection) -> Iterator[Finding]:
    """PostgreSQL 18 can invalidate slots that nobody has read for a while."""
    query = "SELECT setting || unit FROM pg_settings WHERE name = 'idle_replication_slot_timeout'"
    row = connection.execute(query).fetchone()
    if row is not None and not row[0].startswith("0"):
        yield Finding(
            "idle slots",
            "warning",
            f"idle_replication_slot_timeout is {row[0]}: a pipeline that is down for longer loses "
            "its slot",
            "ALTER SYSTEM SET idle_replication_slot_timeout = 0; SELECT pg_reload_conf();",
        )
