"""PostgreSQL servers, each in a folder of its own, stopped by their own pid."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import conninfo

from tests.services import certificates, processes
from tests.services.postgresql_binaries import binaries

SUPERUSER = "postgres"
_SETTINGS: dict[str, object] = {
    "wal_level": "logical",
    "max_wal_senders": 50,
    "max_replication_slots": 50,
    "max_connections": 200,
    # Tests ask what a killed server kept, never what a machine without power kept. But
    # synchronous_commit stays on: without it, decoding of changes stalls.
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "log_timezone": "UTC",
    "timezone": "Europe/Berlin",  # a client that leaves it to the server is found out
}


class PostgresqlServer:
    """One cluster; the role ``postgres`` is its superuser.

    ``password``: every role needs a password (scram), the superuser's is this one. ``access``:
    lines of pg_hba.conf instead. ``ssl``: the server has a certificate for localhost, signed by
    the authority in ``certificate_authority``. ``settings`` are those of postgresql.conf.
    """

    def __init__(
        self,
        version: str = "18",
        *,
        password: str | None = None,
        access: Sequence[str] = (),
        ssl: bool = False,
        **settings: object,
    ) -> None:
        self.version = version
        self.binaries = binaries(version)
        self.password = password
        self.port = processes.free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="ferris-postgresql-"))
        self.folder.chmod(0o755)
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self._initialise()
        self._allow(access or [f"host all,replication all 127.0.0.1/32 {self._method}"])
        self.configure(**{**_SETTINGS, **settings}, **(self._certify() if ssl else {}))

    @property
    def certificate_authority(self) -> Path:
        return self.folder / "authority.crt"

    @property
    def _method(self) -> str:
        return "trust" if self.password is None else "scram-sha-256"

    def start(self) -> None:
        """Returns when the server takes connections."""
        command = [self.binaries / "postgres", "-D", self.data, "-p", str(self.port)]
        self._process = processes.start(command, self.log, ending="INT", unprivileged=True)
        processes.wait_ready(self._process, self._ready, self.log)

    def stop(self) -> None:
        """A fast shutdown: connections are cut, all is written."""
        if self._process is not None:
            processes.end(self._process, signal.SIGINT)
            self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def kill(self) -> None:
        """SIGKILL for the postmaster and all its children, as if the machine had gone."""
        if self._process is not None:
            processes.kill(self._process)
            self._process = None

    def remove(self) -> None:
        """Stops it and removes its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def configure(self, **settings: object) -> None:
        """Adds lines to postgresql.conf, read at the next start."""
        with open(self.data / "postgresql.conf", "a") as file:
            for name, value in settings.items():
                text = str(value).replace("'", "''")
                file.write(f"{name} = '{text}'\n")

    def dsn(self, database: str = SUPERUSER, **parameters: Any) -> str:
        """libpq's connection string for the superuser."""
        where = {"host": "127.0.0.1", "port": self.port, "user": SUPERUSER, "dbname": database}
        return conninfo.make_conninfo(**{**where, "password": self.password, **parameters})

    def connect(self, database: str = SUPERUSER, **parameters: Any) -> psycopg.Connection[Any]:
        """A connection of the superuser, in autocommit mode."""
        return psycopg.connect(self.dsn(database, **parameters), autocommit=True)

    def _ready(self) -> bool:
        try:
            with self.connect(connect_timeout=5) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _initialise(self) -> None:
        self.data.mkdir()
        secret = self.folder / "password"
        secret.write_text(self.password or "unused")
        for path in (self.data, secret):
            self._give_away(path)
        command = [self.binaries / "initdb", "-D", self.data, "-U", SUPERUSER, "--no-sync"]
        command += ["-E", "UTF8", "--locale=C", "-A", self._method, f"--pwfile={secret}"]
        processes.run(command, unprivileged=True)
        secret.unlink()

    def _allow(self, lines: Sequence[str]) -> None:
        (self.data / "pg_hba.conf").write_text("\n".join(lines) + "\n")

    def _certify(self) -> dict[str, str]:
        issuer = certificates.authority(self.folder)
        made = certificates.certificate(self.folder, issuer, "server")
        for suffix in (".crt", ".key"):
            path = self.data / f"server{suffix}"
            shutil.move(made.with_suffix(suffix), path)
            path.chmod(0o600)
            self._give_away(path)
        return {"ssl": "on", "ssl_cert_file": "server.crt", "ssl_key_file": "server.key"}

    def _give_away(self, path: Path) -> None:
        if os.getuid() == 0:
            shutil.chown(path, processes.ACCOUNT)


@contextmanager
def running(version: str = "18", **settings: Any) -> Iterator[PostgresqlServer]:
    """A server that runs inside the ``with`` and is removed after it."""
    server = PostgresqlServer(version, **settings)
    try:
        server.start()
        yield server
    finally:
        server.remove()
