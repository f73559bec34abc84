"""Each fault of the proxy does what its name says."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg
import pytest

from tests.services import toxiproxy
from tests.services.postgresql import PostgresqlServer, running
from tests.services.toxiproxy import Proxy


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    with running() as started:
        yield started


@pytest.fixture
def proxy(server: PostgresqlServer) -> Iterator[Proxy]:
    with toxiproxy.running() as started:
        yield started.proxy(server.port)


def test_connections_are_cut_and_restored(server: PostgresqlServer, proxy: Proxy) -> None:
    connection = server.connect(port=proxy.port)
    proxy.cut()
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        server.connect(port=proxy.port)
    proxy.restore()
    assert server.connect(port=proxy.port).execute("SELECT 1").fetchone() == (1,)


def test_answers_come_late_and_slowly(server: PostgresqlServer, proxy: Proxy) -> None:
    connection = server.connect(port=proxy.port)
    start = time.monotonic()
    with proxy.late(300):
        connection.execute("SELECT 1")
    assert time.monotonic() - start >= 0.3
    start = time.monotonic()
    with proxy.slow(kilobytes_per_second=100):
        connection.execute("SELECT repeat('x', 30000)")
    assert time.monotonic() - start >= 0.2


def test_a_half_open_connection_never_answers(server: PostgresqlServer, proxy: Proxy) -> None:
    with proxy.half_open(), pytest.raises(psycopg.errors.ConnectionTimeout):
        server.connect(port=proxy.port, connect_timeout=2)


def test_the_answer_is_lost_behind_the_deed(server: PostgresqlServer, proxy: Proxy) -> None:
    connection = server.connect(port=proxy.port)
    with proxy.limited(1), pytest.raises(psycopg.OperationalError):
        connection.execute("CREATE TABLE done_all_the_same ()")
    assert server.connect().execute("SELECT * FROM done_all_the_same").fetchall() == []
