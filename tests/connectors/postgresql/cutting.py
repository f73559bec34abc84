"""A way to a server on which the answer to COMMIT is lost."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_COMMITTED = b"C\0\0\0\x0bCOMMIT\0"
"""CommandComplete of COMMIT: a transaction is over, and durable."""


class LosingProxy:
    """Clients connect to ``port``. While `losing`, the server's word that it has committed is
    kept from the client, and the connection is closed instead."""

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._losing = False
        self.lost = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @contextmanager
    def losing(self) -> Iterator[None]:
        self._losing = True
        try:
            yield
        finally:
            self._losing = False

    def close(self) -> None:
        """A thread that waits in accept is woken by the shutdown."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._upstream))
            for one, other, watched in ((client, server, False), (server, client, True)):
                threading.Thread(
                    target=self._forward, args=(one, other, watched), daemon=True
                ).start()

    def _forward(self, one: socket.socket, other: socket.socket, watched: bool) -> None:
        with suppress(OSError):
            while data := one.recv(1 << 16):
                if watched and self._losing and _COMMITTED in data:
                    self.lost += 1
                    break
                other.sendall(data)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
