"""The servers start, obey and leave nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.services.database import Database
from tests.services.postgresql import running
from tests.services.postgresql_binaries import VERSIONS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_runs_and_is_set_up_for_logical_replication(version: str) -> None:
    with running(version, work_mem="7MB") as server, server.connect() as connection:
        number = connection.info.server_version // 10_000
        assert str(number) == version.removesuffix("-ssl")
        assert connection.execute("SHOW wal_level").fetchone() == ("logical",)
        assert connection.execute("SHOW work_mem").fetchone() == ("7MB",)
        folder = server.folder
    assert not folder.exists()


def test_what_was_committed_survives_a_kill_on_the_same_port() -> None:
    with running() as server:
        database = Database(server)
        database.execute("CREATE TABLE t AS SELECT 1 AS id")
        port = server.port
        server.kill()
        with pytest.raises(psycopg.OperationalError):
            server.connect()
        server.start()
        assert server.port == port
        assert database.execute("SELECT id FROM t") == [(1,)]
        database.execute("SELECT pg_create_logical_replication_slot('s', 'pgoutput')")
        database.drop()
        with server.connect() as connection:
            assert connection.execute("SELECT slot_name FROM pg_replication_slots").fetchall() == []


def test_a_password_is_asked_for() -> None:
    with running(password="it's secret") as server:
        with server.connect() as connection:
            connection.execute("SELECT 1")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            server.connect(password="another")


def test_the_certificate_is_signed_by_the_authority() -> None:
    with running("18-ssl", ssl=True) as server:
        trusted = {"sslmode": "verify-full", "sslrootcert": server.certificate_authority}
        with server.connect(**trusted) as connection:
            assert connection.pgconn.ssl_in_use
        with pytest.raises(psycopg.OperationalError, match="certificate"):
            server.connect(sslmode="verify-full", sslrootcert="/dev/null")


def test_a_server_ends_with_the_process_that_started_it() -> None:
    program = (
        "from tests.services.postgresql import PostgresqlServer as P; s = P(); s.start(); "
        "print(s._process.pid, s.folder, flush=True); input()"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    number, folder = owner.stdout.readline().split()
    started = psutil.Process(int(number))
    os.kill(owner.pid, signal.SIGKILL)
    owner.communicate()
    started.wait(30)
    shutil.rmtree(folder)
