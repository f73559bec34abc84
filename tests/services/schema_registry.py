"""A schema registry that speaks the protocol of Confluent's: Apicurio's, which keeps nothing."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.services import processes
from tests.services.kafka_binaries import java, registry_jar

_JVM = ["-Xms64m", "-Xmx320m", "-XX:+UseSerialGC"]


class SchemaRegistry:
    """``url`` is what clients are given."""

    def __init__(self) -> None:
        self.port = processes.free_port()
        self.url = f"http://127.0.0.1:{self.port}/apis/ccompat/v7"
        self._folder = Path(tempfile.mkdtemp(prefix="ferris-registry-"))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers; an empty store, as each time."""
        jar, log = registry_jar(), self._folder / "log"
        places = ["-Dquarkus.http.host=127.0.0.1", f"-Dquarkus.http.port={self.port}"]
        command = [java("a schema registry"), *_JVM, *places, "-jar", jar]
        self._process = processes.start(command, log)
        processes.wait_ready(self._process, self._ready, log)
        # Confluent's default; this one's is NONE.
        self.call("PUT", "/config", {"compatibility": "BACKWARD"})

    def stop(self) -> None:
        if self._process is not None:
            processes.end(self._process, signal.SIGKILL)
            self._process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def register(
        self,
        subject: str,
        schema: Any,
        kind: str = "AVRO",
        references: Sequence[dict[str, Any]] = (),
    ) -> int:
        """The id of a schema, registered under a subject."""
        text = schema if isinstance(schema, str) else json.dumps(schema)
        document: dict[str, Any] = {"schema": text, "schemaType": kind}
        if references:
            document["references"] = list(references)
        made = self.call("POST", f"/subjects/{subject}/versions", document)
        return int(made["id"])

    def call(self, method: str, path: str, document: Any = None) -> Any:
        body = None if document is None else json.dumps(document).encode()
        headers = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.read().decode()}") from error

    def _ready(self) -> bool:
        try:
            self.call("GET", "/subjects")
        except (OSError, RuntimeError):
            return False
        return True


@contextmanager
def running() -> Iterator[SchemaRegistry]:
    """A registry that runs inside the ``with``."""
    registry = SchemaRegistry()
    try:
        registry.start()
        yield registry
    finally:
        registry.remove()
