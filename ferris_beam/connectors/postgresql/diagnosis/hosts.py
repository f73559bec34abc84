"""Whether the hosts of a URI answer at all, before anybody speaks PostgreSQL to them."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

from ferris_beam.findings import Finding

_AT_ONCE = 8


def reached(hosts: tuple[tuple[str, int], ...], seconds: float) -> Iterator[Finding]:
    """One finding for each host; all are asked at once, and each has ``seconds`` to answer.

    A host that does not answer is a problem only where no other one does.
    """
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        answers = list(threads.map(lambda host: _answer(host[0], host[1], seconds), hosts))
    unreached: Literal["problem", "warning"]
    unreached = "problem" if all(fix for _, fix in answers) else "warning"
    for (name, port), (seen, fix) in zip(hosts, answers, strict=True):
        yield Finding("reachable", unreached if fix else "ok", f"{name}:{port} {seen}", fix)


def _answer(name: str, port: int, seconds: float) -> tuple[str, str]:
    """What was seen, and what mends it (empty: nothing need be)."""
    started = time.monotonic()
    try:
        with socket.create_connection((name, port), timeout=seconds):
            pass
    except socket.gaierror as error:
        return (
            f"has an unknown name ({error.strerror})",
            "check the host's name, or the name server",
        )
    except ConnectionRefusedError:
        return "refuses connections", "start the server, or check host and port"
    except TimeoutError:
        fix = (
            "check host, port and firewalls, and that the machine runs; connect_timeout=30s waits "
        )
        return f"does not answer within {seconds:g} s", fix + "longer"
    except OSError as error:
        return f"can't be reached ({error.strerror})", "check host, port and the network"
    return f"answers in {(time.monotonic() - started) * 1000:.0f} ms", ""
