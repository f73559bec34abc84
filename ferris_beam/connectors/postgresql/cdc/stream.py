"""COPY BOTH: the messages of a replication slot, and what is confirmed of them.

Source: https://www.postgresql.org/docs/current/protocol-replication.html. Version 1 of pgoutput is
asked for: the server then keeps a large transaction on its own disk and sends it when it has
committed, so that nothing is held here that may yet be rolled back, and memory is bounded since
chunks end in the midst of a transaction. Streaming (version 2) would make every client spill, and
undo, by itself.
"""

from __future__ import annotations

import re
import select
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg
from psycopg import sql
from psycopg.pq import ExecStatus

from ferris_beam.connectors.postgresql.cdc.positions import EPOCH_MICROSECONDS, format_lsn
from ferris_beam.connectors.postgresql.cdc.results import error_of
from ferris_beam.connectors.postgresql.failures import of_driver
from ferris_beam.connectors.postgresql.server import Server
from ferris_beam.errors import ConfigurationError, TransientError

HEADER = 25
"""Bytes in front of pgoutput's message: 'w', its LSN, the log's end, the server's clock."""

_WAL, _KEEPALIVE = ord("w"), ord("k")
_LONGEST_STATUS_SECONDS = 10.0
_LEAST_SILENCE_SECONDS = 60.0
_ACTIVE = re.compile(r"is active for PID (?P<pid>[0-9]+)")


@dataclass
class Messages:
    """Messages one behind the other, as the server sent them; ``lengths`` of each in bytes."""

    data: bytearray = field(default_factory=bytearray)
    lengths: list[int] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.lengths)


class ReplicationStream:
    """An open slot. One thread reads; another, of its own, tells the server every few seconds what
    is confirmed, so that it does not hang up while sinks are slow and nobody reads.

    ``reached`` is the end of the log as the server last said: all transactions that committed
    before it were sent. ``clock`` is the server's, in microseconds since 1970.
    """

    def __init__(
        self, server: Server, slot: str, publication: str, start: int, confirmed: int
    ) -> None:
        """Streams what committed at ``start`` or later; the server keeps all from ``confirmed`` on,
        until more is confirmed. Raises what `explained` makes of errors, a `TransientError` where
        the slot is in use."""
        self.display = server.display
        self.confirmed = confirmed
        self.reached = 0
        self.clock = 0
        self._connection = server.connect(autocommit=True, replication="database")
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._failure = ""
        try:
            timeout = self._sender_timeout()
            self._start(slot, publication, start)
        except BaseException:
            self._connection.close()
            raise
        self._silence = max(_LEAST_SILENCE_SECONDS, 2 * timeout)
        self._heard = time.monotonic()
        self._asked = 0.0
        every = min(_LONGEST_STATUS_SECONDS, timeout / 3) if timeout else _LONGEST_STATUS_SECONDS
        self._keeper = threading.Thread(
            target=self._keep_alive, args=(every,), name=f"slot {slot}", daemon=True
        )
        self._keeper.start()

    def _sender_timeout(self) -> float:
        """The server's wal_sender_timeout in seconds; 0: it waits for ever."""
        result = self._connection.pgconn.exec_(b"SHOW wal_sender_timeout")
        if result.status != ExecStatus.TUPLES_OK:
            raise of_driver(error_of(result), self.display)
        return _seconds((result.get_value(0, 0) or b"0").decode())

    def _start(self, slot: str, publication: str, start: int) -> None:
        statement = sql.SQL(
            "START_REPLICATION SLOT {} LOGICAL {} (proto_version '1', publication_names {}, "
            "binary 'true')"
        ).format(
            sql.Identifier(slot),
            sql.SQL(format_lsn(start)),
            sql.Literal(_quoted(publication)),
        )
        pgconn = self._connection.pgconn
        result = pgconn.exec_(statement.as_string(None).encode())
        if result.status != ExecStatus.COPY_BOTH:
            raise of_driver(error_of(result), self.display)
        pgconn.nonblocking = 1

    @property
    def server_process(self) -> int:
        """The server's process that serves this stream, and holds the slot."""
        return self._connection.pgconn.backend_pid

    # ── reading ─────────────────────────────────────────────────────────────────────────────

    def receive(self, messages: Messages, rows: int, nbytes: int) -> bool:
        """Adds what is in the buffers, until there are ``rows`` messages or ``nbytes`` bytes;
        False where nothing was left and nothing came. Does not wait."""
        before = len(messages.lengths)
        with self._lock:
            while len(messages.lengths) < rows and len(messages.data) < nbytes:
                self._take(messages, rows, nbytes)
                if not self._readable(0):
                    break
                self._consume()
        if len(messages.lengths) > before:
            self._heard = time.monotonic()
            self._asked = 0.0
            return True
        self._check_silence()
        return False

    def _take(self, messages: Messages, rows: int, nbytes: int) -> None:
        """The messages that libpq holds already."""
        data, lengths = messages.data, messages.lengths
        receive, remember = self._connection.pgconn.get_copy_data, lengths.append
        try:
            while len(lengths) < rows and len(data) < nbytes:
                length, message = receive(1)
                if length > 0:
                    if message[0] == _WAL:
                        data += message
                        remember(length)
                    else:
                        self._note(bytes(message))
                elif length == 0:
                    return
                else:
                    self._ended()
        except psycopg.Error as error:
            raise of_driver(error, self.display) from error

    def _note(self, message: bytes) -> None:
        """A keepalive: the end of the log, the clock, whether an answer is wanted at once."""
        if message[0] != _KEEPALIVE:
            return
        end, clock, wanted = struct.unpack_from("!QqB", message, 1)
        self.reached = max(self.reached, end)
        self.clock = clock + EPOCH_MICROSECONDS
        self._heard = time.monotonic()
        self._asked = 0.0
        if wanted:
            self._put_status(False)

    def _ended(self) -> None:
        result = self._connection.pgconn.get_result()
        if result is not None and result.status == ExecStatus.FATAL_ERROR:
            raise of_driver(error_of(result), self.display)
        raise TransientError(f"{self.display}: the server ended the stream of changes")

    def wait(self, seconds: float) -> None:
        """Until something arrives, or for so long."""
        self._readable(seconds)

    def _readable(self, seconds: float) -> bool:
        socket = self._connection.pgconn.socket
        poll = select.poll()
        poll.register(socket, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def _consume(self) -> None:
        try:
            self._connection.pgconn.consume_input()
        except psycopg.Error as error:
            raise TransientError(f"{self.display}: the stream of changes broke: {error}") from error

    def _check_silence(self) -> None:
        """A server that doesn't answer for longer than it would wait itself is gone."""
        if self._failure:
            raise TransientError(f"{self.display}: {self._failure}")
        if self._asked and time.monotonic() - max(self._asked, self._heard) > self._silence:
            raise TransientError(
                f"{self.display}: the server has been silent for {self._silence:.0f} s, although "
                "it was asked to answer"
            )

    # ── telling the server ──────────────────────────────────────────────────────────────────

    def confirm(self, lsn: int) -> None:
        """The server need not send again what committed before ``lsn``."""
        if lsn > self.confirmed:
            self.confirmed = lsn
            self.tell()

    def tell(self, ask: bool = False) -> None:
        """Sends a status; with ``ask`` the server says at once how far it is."""
        with self._lock:
            self._put_status(ask)
        if ask and not self._asked:
            self._asked = time.monotonic()

    def _put_status(self, ask: bool) -> None:
        now = time.time_ns() // 1000 - EPOCH_MICROSECONDS
        lsn = self.confirmed
        status = struct.pack("!cQQQqB", b"r", lsn, lsn, lsn, now, ask)
        pgconn = self._connection.pgconn
        try:
            pgconn.put_copy_data(status)
            pgconn.flush()
        except psycopg.Error as error:
            raise TransientError(f"{self.display}: the stream of changes broke: {error}") from error

    def _keep_alive(self, every: float) -> None:
        while not self._closed.wait(every):
            try:
                self.tell()
            except Exception as error:
                self._failure = f"the stream of changes broke: {error}"
                return

    def close(self) -> None:
        """Hangs up; the server frees the slot when it notices, which it does at once."""
        self._closed.set()
        with self._lock, suppress(psycopg.Error):
            self._connection.close()
        self._keeper.join(timeout=1)


_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}


def _seconds(setting: str) -> float:
    """``1min`` or ``500ms``, as SHOW says it; a bare number is 0 or milliseconds."""
    digits = setting.rstrip("abcdefghijklmnopqrstuvwxyz")
    return float(digits) * _UNITS[setting[len(digits) :] or "ms"]


def _quoted(name: str) -> str:
    """pgoutput splits publication_names as a list of SQL's identifiers."""
    return '"' + name.replace('"', '""') + '"'


def open_stream(
    server: Server, slot: str, publication: str, start: int, confirmed: int, patience: float
) -> ReplicationStream:
    """Waits up to ``patience`` seconds for a slot that another process still holds: the server
    may take a moment to notice that a killed client is gone. Then it is a `ConfigurationError`."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return ReplicationStream(server, slot, publication, start, confirmed)
        except TransientError as error:
            active = _ACTIVE.search(str(error))
            if active is None:
                raise
            if time.monotonic() > deadline:
                raise _in_use(server, slot, active["pid"]) from error
            time.sleep(0.1)


def _in_use(server: Server, slot: str, pid: str) -> ConfigurationError:
    return ConfigurationError(
        f"{server.display}: the slot {slot!r} is in use by the server's process {pid}: another "
        "pipeline reads it. Stop that one, or give this one a slot of its own with slot=. If its "
        f"machine is gone, run:\n    SELECT pg_terminate_backend({pid});"
    )
