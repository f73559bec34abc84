"""What goes wrong is told within ten seconds, with the fix, and without the password."""

from __future__ import annotations

import logging
import pickle
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg.pq import ExecStatus

from ferris_beam.connectors.postgresql.failures import explained
from ferris_beam.connectors.postgresql.options import PostgresqlSourceOptions
from ferris_beam.connectors.postgresql.server import Server
from ferris_beam.errors import (
    ConfigurationError,
    FatalError,
    FerrisError,
    UnreachableError,
)
from ferris_beam.options import resolve
from ferris_beam.uri import Uri
from tests.pseudo_terminal import python
from tests.services.database import Database
from tests.services.postgresql import PostgresqlServer, running
from tests.services.processes import free_port

SECRET = "hunter2 & 'sons'"
WRONG = "letmein & 'sons'"
_IN_TIME = 10.0


@pytest.fixture(scope="module")
def guarded() -> Iterator[PostgresqlServer]:
    """A server where everybody needs a password; the role ``app`` may do nothing else."""
    with running(password=SECRET) as started:
        with started.connect() as connection:
            connection.execute(
                f"CREATE ROLE app LOGIN PASSWORD '{SECRET.replace(chr(39), chr(39) * 2)}'"
            )
            connection.execute("CREATE TABLE secrets (id int)")
            connection.execute("CREATE DATABASE closed")
            connection.execute("REVOKE CONNECT ON DATABASE closed FROM PUBLIC")
        yield started


@pytest.fixture(scope="module")
def encrypted() -> Iterator[PostgresqlServer]:
    """A server that takes encrypted connections only, with a password."""
    access = ["hostssl all all 127.0.0.1/32 scram-sha-256"]
    with running("18-ssl", password=SECRET, ssl=True, access=access, listen_addresses="*") as it:
        yield it


def server_of(uri: str, attributes: str = "any") -> Server:
    parsed = Uri.parse(uri)
    options = resolve(PostgresqlSourceOptions, parsed, environment={})
    assert isinstance(options, PostgresqlSourceOptions)
    return Server.of(parsed, options, attributes)


def uri_of(
    server: PostgresqlServer,
    database: str = "postgres",
    user: str = "postgres",
    password: str = SECRET,
    **options: object,
) -> str:
    query = "&".join(f"{name}={value}" for name, value in options.items())
    login = f"{user}:{quote(password, safe='')}"
    return f"postgresql://{login}@127.0.0.1:{server.port}/{database}?{query}"


def error_of(action: Callable[[], Any], caplog: pytest.LogCaptureFixture) -> FerrisError:
    """The error that ``action`` raises: in time, with a fix, and nowhere a password."""
    started = time.monotonic()
    with caplog.at_level(logging.DEBUG), pytest.raises(FerrisError) as caught:
        action()
    assert time.monotonic() - started < _IN_TIME
    error = caught.value
    shown = "".join(traceback.format_exception(error, chain=True))
    copied = pickle.loads(pickle.dumps(error))
    for text in (str(error), repr(error), repr(error.args), str(copied), shown, caplog.text):
        for secret in (SECRET, WRONG):
            assert secret not in text
            assert quote(secret, safe="") not in text
            assert secret.split()[0] not in text
    assert "\n" in error.message, f"no fix in {error.message!r}"
    return error


# ── the server lets nobody in ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"password": WRONG}, "give password=env:NAME or the variable PGPASSWORD"),
        ({"user": "nobody"}, "the password is wrong"),
        ({"database": "shpo"}, "the URI's path names it"),
        ({"database": "closed", "user": "app"}, "GRANT CONNECT ON DATABASE"),
        ({"sslmode": "require"}, "sslmode=disable"),
        ({"sslmode": "require", "sslrootcert": "system"}, "needs sslmode=verify-full"),
    ],
)
def test_a_wrong_password_database_right_or_ssl_mode_is_told_with_its_fix(
    guarded: PostgresqlServer,
    changed: dict[str, Any],
    told: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = server_of(uri_of(guarded, **changed))
    error = error_of(server.connect, caplog)
    assert isinstance(error, ConfigurationError)
    assert told in error.message
    assert server.display in error.message


def test_a_missing_password_is_asked_for(
    guarded: PostgresqlServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSFILE", "/nonexistent")
    server = server_of(f"postgresql://postgres@127.0.0.1:{guarded.port}/postgres")
    error = error_of(server.connect, caplog)
    assert isinstance(error, ConfigurationError)
    assert "the server wants a password" in error.message


def test_a_password_with_all_kinds_of_characters_is_handed_over(guarded: PostgresqlServer) -> None:
    with server_of(uri_of(guarded)).connect() as connection:
        assert connection.info.user == "postgres"


def test_a_role_without_replication_is_told_what_it_needs(
    guarded: PostgresqlServer, caplog: pytest.LogCaptureFixture
) -> None:
    server = server_of(uri_of(guarded, user="app"))
    error = error_of(lambda: server.connect(replication="database"), caplog)
    assert isinstance(error, ConfigurationError)
    assert "ALTER ROLE name REPLICATION" in error.message


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"sslmode": "disable"}, "pg_hba.conf lets this role not in"),
        ({"sslmode": "verify-full", "sslrootcert": "/nowhere.crt"}, "sslrootcert=FILE"),
        ({"sslmode": "verify-full", "sslrootcert": "system"}, "sslrootcert=FILE"),
        ({"sslcert": __file__, "sslkey": __file__}, "check sslcert, sslkey"),
    ],
)
def test_what_does_not_fit_the_server_s_encryption_is_told_with_its_fix(
    encrypted: PostgresqlServer,
    changed: dict[str, Any],
    told: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    error = error_of(server_of(uri_of(encrypted, **changed)).connect, caplog)
    assert isinstance(error, ConfigurationError)
    assert told in error.message


def test_a_certificate_of_another_host_is_refused(
    encrypted: PostgresqlServer, caplog: pytest.LogCaptureFixture
) -> None:
    authority = encrypted.certificate_authority
    uri = uri_of(encrypted, sslmode="verify-full", sslrootcert=authority)
    with server_of(uri).connect() as connection:
        assert connection.pgconn.ssl_in_use
    other = server_of(uri.replace("127.0.0.1", "127.0.0.2"))
    error = error_of(other.connect, caplog)
    assert isinstance(error, ConfigurationError)
    assert "sslmode=verify-ca" in error.message


# ── nobody answers ──────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def black_hole() -> Iterator[int]:
    """A port where connections are accepted and nothing is ever said."""
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def test_a_server_that_is_down_is_told_with_host_and_port(
    caplog: pytest.LogCaptureFixture,
) -> None:
    port = free_port()
    server = server_of(f"postgresql://app:{quote(SECRET)}@127.0.0.1:{port}/shop")
    error = error_of(server.connect, caplog)
    assert isinstance(error, UnreachableError)
    assert f"127.0.0.1:{port}" in error.message
    assert "start the server, or check host and port" in error.message


def test_a_host_that_nobody_knows(caplog: pytest.LogCaptureFixture) -> None:
    server = server_of(f"postgresql://app:{quote(SECRET)}@no-such-host.invalid/shop")
    error = error_of(server.connect, caplog)
    assert isinstance(error, UnreachableError)
    assert "no-such-host.invalid" in error.message
    assert "check its name" in error.message


def test_a_host_that_swallows_everything_is_given_up(
    black_hole: int, caplog: pytest.LogCaptureFixture
) -> None:
    uri = f"postgresql://app:{quote(SECRET)}@127.0.0.1:{black_hole}/shop"
    error = error_of(server_of(uri).connect, caplog)
    assert isinstance(error, UnreachableError)
    assert f"127.0.0.1:{black_hole}" in error.message
    assert "connect_timeout=30s waits longer" in error.message


def test_what_is_no_postgresql_server_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        threading.Thread(target=_speak_http, args=(listening,), daemon=True).start()
        uri = f"postgresql://app:{quote(SECRET)}@127.0.0.1:{port}/x"
        error = error_of(server_of(uri).connect, caplog)
    assert isinstance(error, ConfigurationError)
    assert "no PostgreSQL server" in error.message


def _speak_http(listening: socket.socket) -> None:
    """Answers once as a web server does."""
    peer, _ = listening.accept()
    with closing(peer):
        peer.recv(1024)
        peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_of_several_hosts_each_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    first, second = free_port(), free_port()
    uri = f"postgresql://app:{quote(SECRET)}@127.0.0.1:{first},127.0.0.1:{second}/shop"
    error = error_of(server_of(uri).connect, caplog)
    assert isinstance(error, UnreachableError)
    assert f"127.0.0.1:{first}: Connection refused" in error.message
    assert f"127.0.0.1:{second}: Connection refused" in error.message


def test_of_several_hosts_one_that_answers_is_enough(
    guarded: PostgresqlServer, black_hole: int
) -> None:
    hosts = f"127.0.0.1:{free_port()},127.0.0.1:{black_hole},127.0.0.1:{guarded.port}"
    uri = f"postgresql://postgres:{quote(SECRET, safe='')}@{hosts}/postgres?connect_timeout=1s"
    with server_of(uri).connect() as connection:
        assert connection.info.port == guarded.port


def test_of_several_hosts_a_wrong_password_says_more_than_one_that_is_down(
    guarded: PostgresqlServer, caplog: pytest.LogCaptureFixture
) -> None:
    hosts = f"127.0.0.1:{free_port()},127.0.0.1:{guarded.port}"
    uri = f"postgresql://postgres:{quote(WRONG, safe='')}@{hosts}/postgres"
    error = error_of(server_of(uri).connect, caplog)
    assert isinstance(error, ConfigurationError)
    assert "the password is wrong" in error.message


def test_no_host_of_the_wanted_kind(
    guarded: PostgresqlServer, caplog: pytest.LogCaptureFixture
) -> None:
    error = error_of(server_of(uri_of(guarded), "standby").connect, caplog)
    assert isinstance(error, UnreachableError)
    assert "target_session_attrs" in error.message


def test_a_server_that_is_too_old_is_refused(
    guarded: PostgresqlServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psycopg.ConnectionInfo, "server_version", property(lambda _: 130_014))
    error = error_of(server_of(uri_of(guarded)).connect, caplog)
    assert isinstance(error, ConfigurationError)
    assert "the server is PostgreSQL 13.14\nupgrade it to PostgreSQL 14 or later" in error.message


def test_a_secret_that_is_not_there_names_the_variable(caplog: pytest.LogCaptureFixture) -> None:
    server = server_of("postgresql://app@127.0.0.1/shop?password=env:NO_SUCH_PASSWORD")
    with pytest.raises(FatalError, match="the variable NO_SUCH_PASSWORD is not set"):
        server.connect()


# ── the server lets us in, and then not ─────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("statement", "kind", "told"),
    [
        ("SELECT * FROM secrets", ConfigurationError, "the role lacks a right: GRANT it"),
        ("SELECT * FROM orders", ConfigurationError, "?table=schema.name"),
        ("SELECT colour FROM pg_class", ConfigurationError, "check the column's name"),
        ("SELEC 1", ConfigurationError, "check the query"),
        ("SET statement_timeout = 1; SELECT pg_sleep(9)", FatalError, "statement_timeout="),
    ],
)
def test_what_a_statement_is_refused_for_is_told_with_its_fix(
    guarded: PostgresqlServer,
    statement: str,
    kind: type[FerrisError],
    told: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = server_of(uri_of(guarded, user="app"))

    def run() -> None:
        with explained(server.display), server.connect() as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    error = error_of(run, caplog)
    assert isinstance(error, kind)
    assert told in error.message


def peek(server: Server, slot: str) -> None:
    """Reads from a slot, as far as that goes."""
    query = (
        "SELECT * FROM pg_logical_slot_peek_binary_changes(%s, NULL, NULL, 'proto_version', '1', "
        "'publication_names', 'orders')"
    )
    with explained(server.display), server.connect() as connection:
        connection.execute(query, (slot,))


def test_a_slot_that_is_in_use_is_told_with_its_reader(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    name = f"slot_{database.name}"
    database.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [name])
    database.execute("CREATE PUBLICATION orders FOR ALL TABLES")
    server = server_of(database.uri())
    with closing(server.connect(autocommit=True, replication="database")) as reader:
        started = reader.pgconn.exec_(
            f"START_REPLICATION SLOT {name} LOGICAL 0/0 "
            "(proto_version '1', publication_names 'orders')".encode()
        )
        assert started.status == ExecStatus.COPY_BOTH
        error = error_of(lambda: peek(server, name), caplog)
    assert isinstance(error, UnreachableError)
    assert "is active for PID" in error.message
    assert "pg_replication_slots says which" in error.message


def test_a_server_without_logical_decoding_is_told_what_to_set(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with running(password=SECRET, wal_level="replica") as started:
        server = server_of(uri_of(started))

        def make() -> None:
            with explained(server.display), server.connect() as connection:
                connection.execute("SELECT pg_create_logical_replication_slot('s', 'pgoutput')")

        error = error_of(make, caplog)
    assert isinstance(error, ConfigurationError)
    assert "ALTER SYSTEM SET wal_level = 'logical'; and restart the server" in error.message


def test_a_lost_slot_is_told_with_the_ways_out(caplog: pytest.LogCaptureFixture) -> None:
    limits = {"max_slot_wal_keep_size": "1MB", "min_wal_size": "32MB", "max_wal_size": "32MB"}
    with running(password=SECRET, **limits) as started:
        with started.connect() as connection:
            lose_slot(connection, "s")
        server = server_of(uri_of(started))
        error = error_of(lambda: peek(server, "s"), caplog)
    assert isinstance(error, ConfigurationError)
    assert "on_slot_lost=snapshot" in error.message
    assert "max_slot_wal_keep_size" in error.message


def lose_slot(connection: psycopg.Connection[Any], name: str) -> None:
    """Makes a slot and writes so much that the server gives it up."""
    connection.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (name,))
    for _ in range(50):
        connection.execute("SELECT pg_switch_wal() FROM pg_create_restore_point('x')")
        connection.execute("CHECKPOINT")
        query = "SELECT wal_status FROM pg_replication_slots WHERE slot_name = %s"
        if connection.execute(query, (name,)).fetchall() == [("lost",)]:
            return
    raise AssertionError("the slot is not lost")


# ── a whole copy ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def rows(tmp_path: Path) -> str:
    (tmp_path / "rows.csv").write_text("id\n1\n2\n")
    return f"file://{tmp_path}/rows.csv"


@pytest.fixture(scope="module")
def start_up(tmp_path_factory: pytest.TempPathFactory) -> float:
    """The seconds that a copy takes which has next to nothing to do, on this machine now."""
    folder = tmp_path_factory.mktemp("start")
    (folder / "in.csv").write_text("id\n1\n")
    started = time.monotonic()
    ends = ("--source", f"file://{folder}/in.csv", "--sink", f"file://{folder}/out/?format=csv")
    assert python("-m", "pipelines.copy", *ends).returncode == 0
    return time.monotonic() - started


def failed_copy(source: str, sink: str, start_up: float) -> str:
    """What a copy that fails prints on standard error: in time, and nowhere a password."""
    started = time.monotonic()
    finished = python("-m", "pipelines.copy", "--source", source, "--sink", sink)
    assert time.monotonic() - started < start_up + _IN_TIME
    assert finished.returncode in (1, 2)
    shown = finished.stdout + finished.stderr
    for secret in (SECRET, WRONG):
        assert secret.split()[0] not in shown
    assert "Traceback" not in shown
    return finished.stderr


@pytest.mark.parametrize(
    ("changed", "as_sink", "told"),
    [
        ({"password": WRONG}, True, "give password=env:NAME or the variable PGPASSWORD"),
        ({"database": "shpo"}, False, "the URI's path names it"),
        ({"user": "app"}, False, "GRANT"),
        ({"user": "app"}, True, "GRANT"),
    ],
)
def test_a_copy_that_is_not_let_in_says_what_to_do(
    guarded: PostgresqlServer,
    rows: str,
    tmp_path: Path,
    start_up: float,
    changed: dict[str, Any],
    as_sink: bool,
    told: str,
) -> None:
    uri = uri_of(guarded, **{"table": "secrets", **changed})
    ends = (rows, uri) if as_sink else (uri, f"file://{tmp_path}/out/?format=csv")
    assert told in failed_copy(*ends, start_up)


def test_a_copy_hears_soon_that_its_sink_is_down(rows: str, start_up: float) -> None:
    port = free_port()
    uri = f"postgresql://app:{quote(SECRET)}@127.0.0.1:{port}/shop?table=orders"
    shown = failed_copy(rows, uri, start_up)
    assert "start the server, or check host and port" in shown
    assert f"127.0.0.1:{port}" in shown


def test_a_copy_hears_soon_that_its_source_swallows_everything(
    tmp_path: Path, black_hole: int, start_up: float
) -> None:
    uri = f"postgresql://app:{quote(SECRET)}@127.0.0.1:{black_hole}/shop?table=orders"
    shown = failed_copy(uri, f"file://{tmp_path}/out/?format=csv", start_up)
    assert "no answer in time" in shown
    assert f"127.0.0.1:{black_hole}" in shown


def test_a_copy_of_changes_says_who_reads_the_slot(
    database: Database, tmp_path: Path, start_up: float
) -> None:
    name = f"slot_{database.name}"
    database.execute("CREATE TABLE orders (id int PRIMARY KEY)")
    database.execute("CREATE PUBLICATION orders FOR TABLE orders")
    database.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [name])
    with closing(server_of(database.uri()).connect(replication="database")) as reader:
        reader.pgconn.exec_(
            f"START_REPLICATION SLOT {name} LOGICAL 0/0 "
            "(proto_version '1', publication_names 'orders')".encode()
        )
        uri = database.uri(mode="cdc", table="orders", slot=name, publication="orders")
        shown = failed_copy(uri, f"file://{tmp_path}/out/?format=jsonl", start_up)
    assert name in shown
    assert "slot=" in shown
