"""Notices when something is opened, listed, connected or started, by Python's audit events.

https://docs.python.org/3/library/audit_events.html. Drivers written in C that open files or sockets
themselves raise none of these: what they do goes unnoticed.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ferris_beam.testing.checks import demand

_TOUCHING = frozenset(
    {
        "open",
        "os.listdir",
        "os.mkdir",
        "os.remove",
        "os.rename",
        "os.rmdir",
        "os.scandir",
        "os.system",
        "shutil.rmtree",
        "socket.bind",
        "socket.connect",
        "socket.getaddrinfo",
        "sqlite3.connect",
        "subprocess.Popen",
        "tempfile.mkdtemp",
        "tempfile.mkstemp",
        "urllib.Request",
    }
)
_IMPORTED = (".py", ".pyc", ".so", ".pyd")
_watched = threading.local()
_installed = threading.Lock()
_hooks: list[Any] = []


@contextmanager
def touching_nothing(what: str) -> Iterator[None]:
    """Fails where this thread touches the disk or the network within; imports don't count."""
    with _installed:
        if not _hooks:  # a hook stays for the life of the process
            _hooks.append(_record)
            sys.addaudithook(_record)
    events: list[str] = []
    _watched.events = events
    try:
        yield
    finally:
        _watched.events = None
    demand(not events, f"{what} touched the outside: {', '.join(events)}")


def _record(event: str, arguments: tuple[Any, ...]) -> None:
    events = getattr(_watched, "events", None)
    if events is None or event not in _TOUCHING:
        return
    subject = arguments[-1] if event == "socket.connect" else arguments[0] if arguments else ""
    if not str(subject).endswith(_IMPORTED):
        events.append(f"{event}({subject!r})")
