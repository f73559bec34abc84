"""Toxiproxy: a TCP proxy that cuts, slows and half-opens connections when it is told.

https://github.com/Shopify/toxiproxy: the program is built by Go; its HTTP interface is spoken here.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.services import cache, processes
from tests.services.tiers import FULL, tool

_VERSION = "v2.12.0"


class Proxy:
    """One way to a server; clients connect to ``port``."""

    def __init__(self, interface: str, upstream: int) -> None:
        self.port = processes.free_port()
        self._name = f"to-{upstream}-{self.port}"
        self._interface = interface
        self._call(
            "POST",
            "/proxies",
            name=self._name,
            listen=f"127.0.0.1:{self.port}",
            upstream=f"127.0.0.1:{upstream}",
            enabled=True,
        )

    def cut(self) -> None:
        """Closes all connections; new ones are refused until `restore`."""
        self._call("POST", f"/proxies/{self._name}", enabled=False)

    def restore(self) -> None:
        self._call("POST", f"/proxies/{self._name}", enabled=True)

    def interrupt(self) -> None:
        """Closes all connections; new ones are taken."""
        self.cut()
        self.restore()

    @contextmanager
    def slow(self, kilobytes_per_second: int) -> Iterator[None]:
        """What the server sends comes at this rate."""
        with self._toxic("bandwidth", "downstream", rate=kilobytes_per_second):
            yield

    @contextmanager
    def late(self, milliseconds: int) -> Iterator[None]:
        """What the server sends comes that much later."""
        with self._toxic("latency", "downstream", latency=milliseconds):
            yield

    @contextmanager
    def half_open(self, stream: str = "downstream") -> Iterator[None]:
        """Connections stay open, but nothing comes through: ``downstream`` from the server,
        ``upstream`` to it. At the end of the block they are closed."""
        with self._toxic("timeout", stream, timeout=0):
            yield

    @contextmanager
    def limited(self, count: int, stream: str = "downstream") -> Iterator[None]:
        """Each connection is closed after so many bytes: an answer, such as that of a COMMIT,
        gets lost behind the deed."""
        with self._toxic("limit_data", stream, bytes=count):
            yield

    @contextmanager
    def _toxic(self, kind: str, stream: str, **attributes: int) -> Iterator[None]:
        path = f"/proxies/{self._name}/toxics"
        self._call("POST", path, name=kind, type=kind, stream=stream, attributes=attributes)
        try:
            yield
        finally:
            self._call("DELETE", f"{path}/{kind}")

    def _call(self, method: str, path: str, **document: Any) -> None:
        _request(method, self._interface + path, document)


class Toxiproxy:
    """The program; `proxy` opens a way to a port of this machine."""

    def __init__(self) -> None:
        port = processes.free_port()
        self._interface = f"http://127.0.0.1:{port}"
        self._folder = Path(tempfile.mkdtemp(prefix="ferris-toxiproxy-"))
        log = self._folder / "log"
        program = [_binary(), "-host", "127.0.0.1", "-port", str(port)]
        self._process = processes.start(program, log)
        processes.wait_ready(self._process, self._ready, log)

    def proxy(self, upstream: int) -> Proxy:
        return Proxy(self._interface, upstream)

    def stop(self) -> None:
        processes.end(self._process)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _ready(self) -> bool:
        try:
            _request("GET", f"{self._interface}/version")
        except OSError:
            return False
        return True


@contextmanager
def running() -> Iterator[Toxiproxy]:
    """A Toxiproxy that runs inside the ``with``."""
    started = Toxiproxy()
    try:
        yield started
    finally:
        started.stop()


def _binary() -> Path:
    go = tool("go", FULL, "Toxiproxy")

    def build(folder: Path) -> None:
        package = f"github.com/Shopify/toxiproxy/v2/cmd/server@{_VERSION}"
        subprocess.run(
            [go, "install", "-trimpath", "-ldflags", "-s -w", package],
            check=True,
            cwd="/",
            env={**os.environ, "GOBIN": str(folder), "GOFLAGS": "-mod=mod"},
            timeout=600,
        )

    return cache.once(f"toxiproxy-{_VERSION}", build) / "server"


def _request(method: str, url: str, document: dict[str, Any] | None = None) -> None:
    """Raises with Toxiproxy's own words where it refuses."""
    body = json.dumps(document).encode() if document else None
    headers = {"Content-Type": "application/json", "User-Agent": "ferris-beam-tests"}
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10):
            return
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{method} {url}: {error.read().decode()}") from error
