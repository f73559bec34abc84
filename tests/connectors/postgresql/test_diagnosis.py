"""What `doctor` sees in a PostgreSQL server; and that what it says mends it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from ferris_beam.findings import Finding
from ferris_beam.options import resolve_endpoint
from ferris_beam.registry import connector_for
from ferris_beam.uri import Uri
from tests.connectors.postgresql.test_errors import lose_slot
from tests.services.database import Database
from tests.services.postgresql import running
from tests.services.processes import free_port


def source(uri: str) -> dict[str, Finding]:
    """What is found of a source; of several findings with one name, the worst."""
    parsed = Uri.parse(uri)
    connector = connector_for(parsed.scheme)
    found, options = resolve_endpoint(connector.source_options(), parsed, environment={})
    return by_check(connector.reader(found, options).diagnose())


def sink(uri: str) -> dict[str, Finding]:
    parsed = Uri.parse(uri)
    connector = connector_for(parsed.scheme)
    found, options = resolve_endpoint(connector.sink_options(), parsed, environment={})
    return by_check(connector.writer(found, options).diagnose())


def by_check(findings: Iterator[Finding]) -> dict[str, Finding]:
    order = ("ok", "warning", "problem")
    found: dict[str, Finding] = {}
    for finding in findings:
        assert finding.fix or finding.state == "ok" or ";" in finding.seen, finding
        before = found.get(finding.check)
        if before is None or order.index(before.state) < order.index(finding.state):
            found[finding.check] = finding
    return found


def problems(found: dict[str, Finding]) -> set[str]:
    return {check for check, finding in found.items() if finding.state == "problem"}


def mend(database: Database, found: dict[str, Finding]) -> None:
    """Runs the SQL that the problems' fixes are, as a superuser."""
    for check in problems(found):
        for line in found[check].fix.splitlines():
            if line.endswith(";"):
                database.execute(line)


@pytest.fixture
def role(database: Database) -> Iterator[str]:
    """A role that may connect and nothing else."""
    name = f"Role of {database.name}"
    database.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)).as_string(None))
    yield name
    database.drop()
    with database.server.connect() as connection:
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database.name)))


# ── reaching the server ─────────────────────────────────────────────────────────────────────────


def test_a_server_that_is_down_is_all_there_is_to_say() -> None:
    port = free_port()
    found = source(f"postgresql://app@127.0.0.1:{port}/shop?table=orders")
    assert found.keys() == {"reachable"}
    assert found["reachable"].seen == f"127.0.0.1:{port} refuses connections"
    assert "start the server" in found["reachable"].fix


def test_of_several_hosts_one_that_is_down_is_a_warning(database: Database) -> None:
    database.execute("CREATE TABLE orders (id int)")
    uri = database.uri(table="orders").replace("@", f"@127.0.0.1:{free_port()},")
    found = source(uri)
    assert problems(found) == set()
    assert found["reachable"].state == "warning"


def test_a_host_that_nobody_knows() -> None:
    found = source("postgresql://app@no-such-host.invalid/shop?table=orders")
    assert found["reachable"].state == "problem"
    assert "unknown name" in found["reachable"].seen


def test_a_secret_that_is_not_there() -> None:
    found = source("postgresql://app@127.0.0.1/shop?table=orders&password=env:NO_SUCH_PASSWORD")
    assert problems(found) == {"authentication"}
    assert "NO_SUCH_PASSWORD" in found["authentication"].seen


def test_a_database_that_is_not_there(database: Database) -> None:
    found = source(database.uri(table="orders").replace(database.name, "shpo"))
    assert problems(found) == {"database"}
    assert "the URI's path names it" in found["database"].fix


def test_a_server_that_is_too_old(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psycopg.ConnectionInfo, "server_version", property(lambda _: 130_014))
    found = source(database.uri(table="orders"))
    assert problems(found) == {"version"}
    assert found["version"].seen == "the server is PostgreSQL 13.14"


def test_a_role_that_only_reads_is_none_for_a_sink(database: Database, role: str) -> None:
    quoted = sql.Identifier(role).as_string(None)
    database.execute(f"ALTER ROLE {quoted} SET default_transaction_read_only = on")
    found = sink(database.uri(user=role, table="orders"))
    assert problems(found) == {"role of the server"}


# ── tables and queries ──────────────────────────────────────────────────────────────────────────


def test_a_table_that_can_be_read_is_well(database: Database) -> None:
    database.execute("CREATE TABLE orders (id int, amount numeric)")
    found = source(database.uri(table="orders"))
    assert {finding.state for finding in found.values()} == {"ok"}
    assert found["columns"].seen.startswith("2 columns")
    assert found["version"].seen.startswith("PostgreSQL 1")


def test_a_right_that_is_missing_comes_with_the_grant_that_mends_it(
    database: Database, role: str
) -> None:
    database.execute('CREATE SCHEMA "My Schema"; CREATE TABLE "My Schema".orders (id int)')
    uri = database.uri(user=role, table='"My Schema".orders')
    found = source(uri)
    assert problems(found) == {"rights"}
    mend(database, found)
    assert problems(source(uri)) == set()


def test_a_table_that_is_not_there_comes_with_the_nearest(database: Database) -> None:
    database.execute("CREATE TABLE orders (id int)")
    found = source(database.uri(table="ordres"))
    assert problems(found) == {"table"}
    assert found["table"].fix == "did you mean public.orders?"


def test_a_column_that_arrow_has_no_type_for(database: Database) -> None:
    database.execute("CREATE TABLE places (id int, spot point)")
    found = source(database.uri(table="places"))
    assert "unmapped=text" in found["columns"].seen
    assert problems(source(database.uri(table="places", unmapped="text"))) == set()


def test_a_query_is_checked_without_running_it(database: Database) -> None:
    assert problems(source(database.uri(query="SELECT 1 AS n FROM pg_sleep(60)"))) == set()
    found = source(database.uri(query="SELEC 1"))
    assert problems(found) == {"query"}
    assert "check the query" in found["query"].fix


def test_row_security_is_warned_of(database: Database, role: str) -> None:
    quoted = sql.Identifier(role).as_string(None)
    database.execute("CREATE TABLE orders (id int); ALTER TABLE orders ENABLE ROW LEVEL SECURITY")
    database.execute(f"GRANT SELECT ON orders TO {quoted}")
    found = source(database.uri(user=role, table="orders"))
    assert found["row security"].state == "warning"
    assert "BYPASSRLS" in found["row security"].fix


# ── sinks ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mode", ["append", "upsert", "apply", "overwrite"])
@pytest.mark.parametrize("there", [True, False])
def test_what_a_sink_may_not_do_comes_with_the_grants_that_mend_it(
    database: Database, role: str, mode: str, there: bool
) -> None:
    if there:
        database.execute("CREATE TABLE orders (id int PRIMARY KEY)")
    database.execute(f"REVOKE TEMPORARY ON DATABASE {database.name} FROM PUBLIC")
    uri = database.uri(user=role, table="orders", mode=mode)
    found = sink(uri)
    assert {"ledger", "rights" if there else "table"} <= problems(found)
    mend(database, found)
    assert problems(sink(uri)) == set()


def test_a_ledger_that_is_there_needs_rights(database: Database, role: str) -> None:
    database.execute("CREATE TABLE orders (id int); GRANT INSERT ON orders TO PUBLIC")
    database.execute(
        "CREATE TABLE _ferris_ledger (sink text, pipeline text, number bigint, record text, "
        "PRIMARY KEY (sink, pipeline, number))"
    )
    uri = database.uri(user=role, table="orders")
    found = sink(uri)
    assert problems(found) == {"ledger"}
    mend(database, found)
    assert problems(sink(uri)) == set()


def test_a_table_without_a_key_can_not_be_upserted(database: Database) -> None:
    database.execute("CREATE TABLE orders (id int)")
    assert problems(sink(database.uri(table="orders", mode="upsert"))) == {"key"}
    assert sink(database.uri(table="orders", mode="apply"))["key"].state == "warning"
    uri = database.uri(table="orders", mode="upsert", key="id")
    found = sink(uri)
    assert problems(found) == {"key"}
    mend(database, found)
    assert problems(sink(uri)) == set()


def test_a_schema_that_is_not_there(database: Database) -> None:
    uri = database.uri(table="sales.orders")
    found = sink(uri)
    assert problems(found) == {"table", "ledger"}
    database.execute(found["table"].fix)
    assert problems(sink(uri)) == set()


def test_a_table_that_may_not_be_made(database: Database) -> None:
    found = sink(database.uri(table="orders", create_table=False))
    assert problems(found) == {"table"}


def test_nothing_is_left_behind(database: Database) -> None:
    database.execute("CREATE TABLE orders (id int PRIMARY KEY)")
    counted = "SELECT count(*) FROM pg_class, pg_publication, pg_replication_slots"
    before = database.execute("SELECT count(*) FROM pg_class"), database.execute(counted)
    sink(database.uri(table="orders", mode="upsert"))
    source(database.uri(table="orders"))
    source(database.uri(table="orders", mode="cdc"))
    assert (database.execute("SELECT count(*) FROM pg_class"), database.execute(counted)) == before
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    deadline = time.monotonic() + 10
    while database.execute(others) != [(1,)]:  # servers notice a moment later that we hung up
        assert time.monotonic() < deadline


# ── changes ─────────────────────────────────────────────────────────────────────────────────────


def test_what_changes_need_comes_with_the_sql_that_mends_it(database: Database, role: str) -> None:
    database.execute("CREATE TABLE orders (id int PRIMARY KEY)")
    uri = database.uri(user=role, table="orders", mode="cdc")
    found = source(uri)
    assert problems(found) == {"replication", "rights", "publication"}
    mend(database, found)
    assert problems(source(uri)) == set()


def test_what_may_not_be_made_comes_with_the_sql_that_makes_it(database: Database) -> None:
    database.execute("CREATE TABLE orders (id int PRIMARY KEY)")
    uri = database.uri(table="orders", mode="cdc", create=False, slot=f"s_{database.name}")
    found = source(uri)
    assert problems(found) == {"publication", "slot"}
    database.execute(found["publication"].fix)
    database.execute(found["slot"].fix)
    assert problems(source(uri)) == set()


@pytest.mark.parametrize("identity", ["NOTHING", "DEFAULT"])
def test_a_table_without_an_identity_would_refuse_updates(
    database: Database, identity: str
) -> None:
    key = "PRIMARY KEY" if identity == "NOTHING" else ""
    database.execute(f"CREATE TABLE orders (id int {key})")
    database.execute(f"ALTER TABLE orders REPLICA IDENTITY {identity}")
    uri = database.uri(table="orders", mode="cdc")
    found = source(uri)
    assert problems(found) == {"replica identity"}
    mend(database, found)
    assert problems(source(uri)) == set()


def test_a_publication_of_some_changes_only_is_warned_of(database: Database) -> None:
    database.execute("CREATE TABLE orders (id int PRIMARY KEY)")
    database.execute("CREATE PUBLICATION partly FOR TABLE orders WITH (publish = 'insert')")
    uri = database.uri(table="orders", mode="cdc", publication="partly")
    found = source(uri)
    assert found["publication"].state == "warning"
    database.execute(found["publication"].fix)
    assert source(uri)["publication"].state == "ok"


def test_a_snapshot_alone_needs_no_slot(database: Database) -> None:
    database.execute("CREATE TABLE orders (id int)")
    found = source(database.uri(table="orders", mode="cdc", snapshot="only"))
    assert problems(found) == set()
    assert "slot" not in found
    assert "replica identity" not in found


def test_a_slot_that_somebody_reads_is_warned_of(database: Database) -> None:
    database.execute("CREATE TABLE orders (id int PRIMARY KEY)")
    name = f"s_{database.name}"
    database.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [name])
    uri = database.uri(table="orders", mode="cdc", slot=name)
    assert source(uri)["slot"].state == "ok"
    reader = database.connect(replication="database")
    try:
        start = (
            f"START_REPLICATION SLOT {name} LOGICAL 0/0 (proto_version '1', publication_names 'p')"
        )
        reader.pgconn.exec_(start.encode())
        found = source(uri)
    finally:
        reader.close()
    assert found["slot"].state == "warning"
    assert "pg_terminate_backend" in found["slot"].fix


def test_a_slot_of_another_database_is_no_good(database: Database) -> None:
    database.execute("CREATE TABLE orders (id int PRIMARY KEY)")
    other = Database(database.server)
    try:
        name = f"s_{other.name}"
        other.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [name])
        found = source(database.uri(table="orders", mode="cdc", slot=name))
    finally:
        other.drop()
    assert problems(found) == {"tables and slot"}
    assert "name another with slot=" in found["tables and slot"].seen


def test_a_server_s_limits_are_told_with_the_setting_that_lifts_them() -> None:
    limits: dict[str, Any] = {
        "max_slot_wal_keep_size": "1MB",
        "min_wal_size": "32MB",
        "max_wal_size": "32MB",
        "max_replication_slots": 1,
        "idle_replication_slot_timeout": "1d",
    }
    with running("18", **limits) as started:
        database = Database(started)
        database.execute("CREATE TABLE orders (id int PRIMARY KEY)")
        with database.connect() as connection:
            lose_slot(connection, "s")
        lost = source(database.uri(table="orders", mode="cdc", slot="s"))
        other = source(database.uri(table="orders", mode="cdc", slot="other"))
        database.drop()
    assert problems(lost) == {"slot"}
    assert "on_slot_lost=snapshot" in lost["slot"].fix
    assert lost["idle slots"].state == "warning"
    assert problems(other) == {"max_replication_slots"}
    assert other["max_replication_slots"].fix.startswith("ALTER SYSTEM SET max_replication_slots")


def test_a_server_without_logical_decoding_is_told_what_to_set() -> None:
    with running("18", wal_level="replica") as started:
        database = Database(started)
        database.execute("CREATE TABLE orders (id int PRIMARY KEY)")
        found = source(database.uri(table="orders", mode="cdc"))
        database.drop()
    assert problems(found) == {"wal_level"}
    assert found["wal_level"].fix.startswith("ALTER SYSTEM SET wal_level = 'logical';")
