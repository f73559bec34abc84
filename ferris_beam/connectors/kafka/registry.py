"""The schema registry, by the protocol of Confluent's: schemas by id, the latest of a subject.

https://docs.confluent.io/platform/current/schema-registry/develop/api.html. Messages begin with a
zero byte and the id of their schema in four bytes, the highest first.
"""

from __future__ import annotations

import base64
import json
import ssl
import struct
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ferris_beam.connectors.kafka.options import ConnectionOptions
from ferris_beam.errors import (
    ConfigurationError,
    FatalError,
    FerrisError,
    TransientError,
    UnreachableError,
)
from ferris_beam.options import Secret
from ferris_beam.redaction import redact

HEADER = 5
"""Bytes before the content of a message."""

_MAGIC = b"\0"
_CONTENT = "application/vnd.schemaregistry.v1+json"
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _CONFLICT = 401, 403, 404, 409
_FORGOTTEN = 30.0
"""After so many seconds an id that was not there is asked for again."""


def header_of(id: int) -> bytes:
    return _MAGIC + struct.pack(">I", id)


def id_of(header: bytes) -> int | None:
    """The id in the first bytes of a message; None where these are no header."""
    if len(header) < HEADER or header[:1] != _MAGIC:
        return None
    return int(struct.unpack(">I", header[1:HEADER])[0])


@dataclass(frozen=True)
class Registered:
    """A schema as it is registered. ``references`` are the schemas that it names, by the name."""

    id: int
    kind: str
    text: str
    references: Mapping[str, Registered]


class NoSuchSchemaError(FerrisError):
    """There is no schema of this id, or no such subject."""


class Registry:
    """Pickles without secrets and without what it remembers. One thread uses it at a time."""

    def __init__(self, options: ConnectionOptions) -> None:
        if options.schema_registry is None:
            raise ConfigurationError(
                "this format needs schema_registry=, the URL of the registry that has the schemas"
            )
        self._urls = [url.strip().rstrip("/") for url in options.schema_registry.split(",")]
        self._user = options.schema_registry_user
        self._password: Secret | None = options.schema_registry_password
        self._authorities = options.schema_registry_ca_location
        self._timeout = options.request_timeout.total_seconds()
        self._ttl = options.schema_registry_ttl.total_seconds()
        self._forget()

    def _forget(self) -> None:
        self._by_id: dict[int, Registered] = {}
        self._missing: dict[int, float] = {}
        self._latest: dict[str, tuple[float, Registered]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_by_id": {}, "_missing": {}, "_latest": {}}

    @property
    def display(self) -> str:
        return redact(self._urls[0])

    def schema(self, id: int) -> Registered:
        """Raises `NoSuchSchemaError` where there is none."""
        found = self._by_id.get(id)
        if found is None:
            if time.monotonic() < self._missing.get(id, 0.0):
                raise NoSuchSchemaError(f"{self.display} has no schema {id}")
            try:
                found = self._registered(id, self._ask("GET", f"/schemas/ids/{id}"))
            except NoSuchSchemaError:
                self._missing[id] = time.monotonic() + _FORGOTTEN
                raise
            self._by_id[id] = found
        return found

    def latest(self, subject: str) -> Registered:
        """Raises `NoSuchSchemaError` where nothing is registered under the subject."""
        until, found = self._latest.get(subject, (0.0, None))
        if found is None or time.monotonic() >= until:
            document = self._ask("GET", f"/subjects/{quote(subject, safe='')}/versions/latest")
            found = self._registered(int(document["id"]), document)
            self._latest[subject] = (time.monotonic() + self._ttl, found)
        return found

    def register(self, subject: str, text: str, kind: str) -> int:
        """The schema's id; registers it where it is new. Raises `ConfigurationError` where the
        registry refuses it."""
        path = f"/subjects/{quote(subject, safe='')}/versions"
        document = {"schema": text} if kind == "AVRO" else {"schema": text, "schemaType": kind}
        return int(self._ask("POST", path, document)["id"])

    def _registered(self, id: int, document: Mapping[str, Any]) -> Registered:
        references = {
            each["name"]: self._version(each["subject"], each["version"])
            for each in document.get("references") or ()
        }
        kind = document.get("schemaType") or "AVRO"
        return Registered(id, kind, document["schema"], references)

    def _version(self, subject: str, version: int) -> Registered:
        path = f"/subjects/{quote(subject, safe='')}/versions/{version}"
        document = self._ask("GET", path)
        return self._registered(int(document["id"]), document)

    # ── HTTP ────────────────────────────────────────────────────────────────────────────────

    def _ask(self, method: str, path: str, document: Any = None) -> Any:
        """The answer of the first registry that answers."""
        for url in self._urls[:-1]:
            try:
                return self._ask_one(url, method, path, document)
            except UnreachableError:
                continue
        return self._ask_one(self._urls[-1], method, path, document)

    def _ask_one(self, url: str, method: str, path: str, document: Any) -> Any:
        body = None if document is None else json.dumps(document).encode()
        headers = {"Content-Type": _CONTENT, "Accept": _CONTENT}
        if self._user is not None:
            secret = self._password.resolve() if self._password is not None else ""
            word = base64.b64encode(f"{self._user}:{secret}".encode()).decode()
            headers["Authorization"] = f"Basic {word}"
        request = urllib.request.Request(url + path, body, headers, method=method)
        where = f"the schema registry {redact(url)}"
        try:
            with urllib.request.urlopen(
                request, timeout=self._timeout, context=self._context(url)
            ) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise _refusal(error, where) from None
        except ValueError as error:
            raise ConfigurationError(
                f"{where} answers with something else than JSON ({error}); check schema_registry="
            ) from error
        except OSError as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, ssl.SSLCertVerificationError):
                raise ConfigurationError(
                    f"{where}: {reason}\ncheck schema_registry_ca_location"
                ) from error
            raise UnreachableError(
                f"{where} can't be reached: {reason}\ncheck schema_registry=, and that it runs"
            ) from error

    def _context(self, url: str) -> ssl.SSLContext | None:
        if not url.startswith("https:"):
            return None
        return ssl.create_default_context(cafile=self._authorities)


def _refusal(error: urllib.error.HTTPError, where: str) -> FerrisError:
    """What an answer that is no success means."""
    said = _message(error.read())
    if error.code == _NOT_FOUND:
        return NoSuchSchemaError(f"{where}: {said}")
    if error.code in (_UNAUTHORIZED, _FORBIDDEN):
        return ConfigurationError(
            f"{where} refuses the user: {said}\ncheck schema_registry_user and "
            "schema_registry_password"
        )
    if error.code == _CONFLICT or error.code == 422:
        return ConfigurationError(
            f"{where} refuses the schema: {said}\nchange the columns so that it is compatible, or "
            "the subject's compatibility"
        )
    if error.code >= 500 or error.code == 429:
        return TransientError(f"{where} fails: {error.code} {said}")
    return FatalError(f"{where}: {error.code} {said}")


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body[:200].decode("utf-8", "replace") or "no reason given"


def subjects_of(topics: Sequence[str]) -> list[str]:
    """The subjects under which the values of topics are registered by default."""
    return [f"{topic}-value" for topic in topics]
