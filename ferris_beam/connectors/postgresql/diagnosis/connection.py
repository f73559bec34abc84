"""Whether a server lets us in, and what it is: encryption, authentication, version."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from typing import Any

import psycopg

from ferris_beam.connectors.postgresql.diagnosis.hosts import reached
from ferris_beam.connectors.postgresql.diagnosis.problems import problem
from ferris_beam.connectors.postgresql.refusals import refusal
from ferris_beam.connectors.postgresql.server import Server, in_words
from ferris_beam.errors import FerrisError
from ferris_beam.findings import Finding

Connection = psycopg.Connection[Any]

_LOOPBACK = re.compile(r"localhost|127\.\d+\.\d+\.\d+|::1|/.*")
_STATE = """
SELECT current_user::text, current_database()::text, pg_is_in_recovery(),
    current_setting('transaction_read_only') = 'on'
"""


def connected(server: Server, writes: bool) -> Generator[Finding, None, Connection | None]:
    """What there is to say of connecting; returns the connection, None where there is none."""
    try:
        if server.password is not None:
            server.password.resolve()
    except FerrisError as error:
        yield problem("authentication", error, server)
        return None
    parameters = dict(server.parameters)
    findings = list(reached(server.hosts, float(parameters["connect_timeout"])))
    yield from findings
    if all(finding.state == "problem" for finding in findings):
        return None
    try:
        connection = server.connect(autocommit=True)
    except FerrisError as error:
        yield _refused(error, server)
        return None
    try:
        yield from _described(connection, server, writes)
    except BaseException:
        connection.close()
        raise
    return connection


def _refused(error: FerrisError, server: Server) -> Finding:
    if error.__cause__ is None:  # not the driver's: the server answered, and we don't take it
        return problem("version", error, server)
    found = refusal(str(error.__cause__))
    return problem("connection" if found is None else found.check, error, server)


def _described(connection: Connection, server: Server, writes: bool) -> Iterator[Finding]:
    (row,) = connection.execute(_STATE).fetchall()
    role, database, standby, read_only = row
    host = f"{connection.info.host}:{connection.info.port}"
    yield _encryption(connection, dict(server.parameters).get("sslmode", "prefer"))
    by = "by password" if connection.pgconn.used_password else "without a password"
    yield Finding("authentication", "ok", f"the role {role} is let in {by}")
    yield Finding("version", "ok", f"PostgreSQL {in_words(connection.info.server_version)}")
    yield Finding("database", "ok", f"connected to {database} at {host}")
    kind = "a standby" if standby else "read-only" if read_only else "takes writes"
    if writes and (standby or read_only):
        fix = "name a host that takes writes; several may stand in one URI: h1,h2:5433"
        yield Finding("role of the server", "problem", f"{host} is {kind}", fix)
    else:
        verb = "" if kind == "takes writes" else "is "
        yield Finding("role of the server", "ok", f"{host} {verb}{kind}")


def _encryption(connection: Connection, sslmode: str) -> Finding:
    if connection.pgconn.ssl_in_use:
        checked = {
            "verify-full": "certificate and host name are checked",
            "verify-ca": "the certificate is checked, the host's name is not",
        }.get(sslmode, "whose certificate is not checked; sslmode=verify-full does")
        return Finding("encryption", "ok", f"SSL, {checked}")
    if _LOOPBACK.fullmatch(connection.info.host):
        return Finding("encryption", "ok", "none, within this machine")
    return Finding(
        "encryption",
        "warning",
        "none: passwords and rows can be read on the way",
        "switch SSL on in the server (ssl = on), then sslmode=verify-full&sslrootcert=FILE",
    )
