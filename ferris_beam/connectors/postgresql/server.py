"""Where a server is and how it is reached."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg
from psycopg import conninfo

from ferris_beam.connectors.postgresql.failures import explained
from ferris_beam.connectors.postgresql.options import ConnectionOptions
from ferris_beam.errors import ConfigurationError
from ferris_beam.options import Secret
from ferris_beam.uri import Uri

LEAST_VERSION = 140000
_DEFAULT_PORT = 5432
_KEEPALIVE = {
    # A peer that is gone without a word is noticed within about 20 seconds.
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}


@dataclass(frozen=True)
class Server:
    """One database, at one of several hosts. Pickles without secrets; connects in the worker."""

    hosts: tuple[tuple[str, int], ...]
    database: str
    user: str | None
    password: Secret | None
    parameters: tuple[tuple[str, str], ...]
    statement_timeout: timedelta
    attributes: str = "any"

    @classmethod
    def of(cls, uri: Uri, options: ConnectionOptions, attributes: str = "any") -> Server:
        """Raises `ConfigurationError` where the URI names no database.

        ``attributes`` is libpq's target_session_attrs: which of several hosts is taken.
        """
        database = uri.path.strip("/")
        if not database or "/" in database:
            raise ConfigurationError(
                "a PostgreSQL URI names one database, as postgresql://host/database?table=orders"
            )
        hosts = tuple((host.name, host.port or _DEFAULT_PORT) for host in uri.hosts)
        given = ("sslmode", "sslrootcert", "sslcert", "sslkey", "application_name")
        parameters = {name: getattr(options, name) for name in given}
        parameters["connect_timeout"] = str(max(1, round(options.connect_timeout.total_seconds())))
        kept = tuple((name, value) for name, value in parameters.items() if value)
        return cls(
            hosts or (("localhost", _DEFAULT_PORT),),
            database,
            options.user,
            options.password,
            kept,
            options.statement_timeout,
            attributes,
        )

    @property
    def display(self) -> str:
        """In one spelling and without secrets: ``postgresql://localhost:5432/shop``."""
        hosts = ",".join(
            f"[{name}]:{port}" if ":" in name else f"{name}:{port}" for name, port in self.hosts
        )
        return f"postgresql://{hosts}/{self.database}"

    def dsn(self, **parameters: Any) -> str:
        """libpq's connection string, with the password: for drivers, never for messages."""
        secret = self.password.resolve() if self.password is not None else None
        timeout = round(self.statement_timeout.total_seconds() * 1000)
        settings = f"-c statement_timeout={timeout} -c TimeZone=UTC -c DateStyle=ISO -c "
        settings += "IntervalStyle=postgres -c extra_float_digits=3 -c client_encoding=UTF8"
        found = {
            "host": ",".join(name for name, _ in self.hosts),
            "port": ",".join(str(port) for _, port in self.hosts),
            "dbname": self.database,
            "user": self.user,
            "password": secret,
            "target_session_attrs": self.attributes,
            "options": settings,
            **_KEEPALIVE,
            **dict(self.parameters),
            **parameters,
        }
        return conninfo.make_conninfo(
            **{name: value for name, value in found.items() if value is not None}
        )

    def connect(self, *, autocommit: bool = False, **parameters: Any) -> psycopg.Connection[Any]:
        """A new connection; ``parameters`` are libpq's, such as ``replication="database"``.

        Raises what `explained` makes of the driver's errors.
        """
        with explained(self.display):
            connection = psycopg.connect(self.dsn(**parameters), autocommit=autocommit)
        version = connection.info.server_version
        if version < LEAST_VERSION:
            connection.close()
            raise ConfigurationError(
                f"{self.display}: the server is PostgreSQL {in_words(version)}\n"
                f"upgrade it to PostgreSQL {in_words(LEAST_VERSION)} or later"
            )
        return connection


def in_words(version: int) -> str:
    """libpq's number of a version: of 180001 it is 18.1, of 140000 14."""
    major, minor = divmod(version, 10_000)
    return f"{major}.{minor}" if minor else str(major)
