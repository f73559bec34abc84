"""Why a connection was not made: libpq's own errors, which have no SQLSTATE, by their texts.

The texts are those of src/interfaces/libpq and of the server's ClientAuthentication and
InitPostgres (src/backend/libpq/auth.c, src/backend/utils/init/postinit.c), in English: a server
that speaks another language is told only with the text it sends.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """``check`` is what `doctor` calls it; ``passing``, another try may succeed."""

    check: str
    text: re.Pattern[str]
    fix: str
    passing: bool = False


def _refusal(check: str, text: str, fix: str, passing: bool = False) -> Refusal:
    return Refusal(check, re.compile(text), fix, passing)


PASSWORD = "the password is wrong: give password=env:NAME or the variable PGPASSWORD"
ACCESS = "pg_hba.conf lets this role not in from here: check user, database and sslmode"
DATABASE = "the database does not exist: the URI's path names it"
_AUTHORITY = "give the certificate of the authority that signed the server's: sslrootcert=FILE"

# In this order: of several hosts, one that refuses the role says more than one that is down; and
# where encryption failed and the server then refused to go on without, the first says more.
REFUSALS = (
    _refusal("authentication", "password authentication failed", PASSWORD),
    _refusal(
        "authentication",
        "no password supplied",
        "the server wants a password: give password=env:NAME or the variable PGPASSWORD",
    ),
    _refusal(
        "authentication",
        'role ".*" does not exist|role ".*" is not permitted to log in',
        "the URI's user, or PGUSER, names the role; CREATE ROLE name LOGIN makes one",
    ),
    _refusal("authentication", "authentication failed", ACCESS),
    _refusal("database", 'database ".*" does not exist', DATABASE),
    _refusal(
        "database",
        "permission denied for database",
        "the role may not connect to this database: GRANT CONNECT ON DATABASE name TO role",
    ),
    _refusal(
        "replication",
        "start WAL sender|must be superuser or replication role",
        "changes are read by roles with REPLICATION: ALTER ROLE name REPLICATION",
    ),
    _refusal(
        "encryption",
        "server does not support SSL",
        "the server has no SSL: sslmode=disable, or switch it on there",
    ),
    _refusal("encryption", "certificate verify failed", _AUTHORITY),
    _refusal(
        "encryption", "root certificate file .* does not exist", f"{_AUTHORITY}, or a laxer sslmode"
    ),
    _refusal(
        "encryption",
        "server certificate for .* does not match host name",
        "the certificate is for another host: name the host as it does, or use sslmode=verify-ca",
    ),
    _refusal("encryption", "weak sslmode", "sslrootcert=system needs sslmode=verify-full"),
    _refusal(
        "encryption",
        "(certificate|private key) file",
        "check sslcert, sslkey and sslrootcert; a key must be readable by its owner only",
    ),
    _refusal("access", r"no pg_hba\.conf entry|pg_hba\.conf rejects", ACCESS),
    _refusal(
        "reachable",
        "invalid response to SSL negotiation|expected authentication request from server",
        "what listens there is no PostgreSQL server: check host and port",
    ),
    _refusal(
        "reachable",
        "unsupported startup parameter",
        "a pooler stands in between, and ours are settings of a session: connect to the server "
        "itself, or set ignore_startup_parameters=options in PgBouncer",
    ),
    _refusal(
        "role of the server",
        r"session is (not )?read-only|server is (not )?in hot standby mode",
        "no host is of the kind that is wanted: target_session_attrs for a source; a sink needs "
        "one that takes writes",
        passing=True,
    ),
    _refusal(
        "connections",
        "too many (connections|clients)|connection slots are reserved",
        "close idle connections, take fewer with pool_size=, or raise the limit "
        "(max_connections, ALTER ROLE name CONNECTION LIMIT)",
        passing=True,
    ),
    _refusal(
        "reachable",
        "database system is (starting up|shutting down|in recovery mode|not yet accepting)",
        "wait until the server takes connections, then start again",
        passing=True,
    ),
    _refusal(
        "reachable",
        "Connection refused",
        "nothing listens there: start the server, or check host and port",
        passing=True,
    ),
    _refusal(
        "reachable",
        "failed to resolve host|could not translate host name",
        "no such host is known: check its name, or the name server",
        passing=True,
    ),
    _refusal(
        "reachable",
        "timeout expired|timed out|No route to host|Network is unreachable",
        "no answer in time: check host, port and firewalls, and that the server runs; "
        "connect_timeout=30s waits longer",
        passing=True,
    ),
)


def refusal(text: str) -> Refusal | None:
    """What a message of libpq means; None where it isn't one of a refused connection."""
    return next((each for each in REFUSALS if each.text.search(text)), None)


_ATTEMPT = re.compile(
    r"- host: '(?P<host>[^']*)', port: '?(?P<port>\d*)'?(?:, hostaddr: '[^']*')?: (?P<why>.*)"
)
_NOISE = re.compile(
    r"^connection (?:failed|is bad): "
    r'|connection to server at ".*?"(?: \(.*?\))?, port \d+ failed: '
    r"|FATAL: +"
    r"|Is the server running on that host and accepting TCP/IP connections\?"
)


def in_one_line(text: str) -> str:
    """A message of the driver without what the user knows already: each host that was tried, and
    why it was not taken."""
    attempts = [match for line in text.splitlines() if (match := _ATTEMPT.match(line))]
    if attempts:
        each = (f"{found['host']}:{found['port']}: {_plain(found['why'])}" for found in attempts)
        return "; ".join(dict.fromkeys(each))
    return _plain(text)


def _plain(text: str) -> str:
    lines = (_NOISE.sub("", line).strip() for line in text.splitlines())
    return " · ".join(line for line in lines if line)
