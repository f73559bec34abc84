"""A URI and its options, checked but not yet resolved: what the factory makes transforms of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from ferris_beam.connector import Connector, Reader, Writer
from ferris_beam.options import Options, Resolved, check, resolve_endpoint
from ferris_beam.registry import connector_for
from ferris_beam.transforms.fingerprint import fingerprint
from ferris_beam.uri import Uri

Direction = Literal["source", "sink"]


@dataclass(frozen=True)
class Endpoint:
    """One end of a pipeline. Options given in the URI or by keyword are validated at once;
    connections, environment and defaults are filled in when the transform is applied."""

    connector: Connector
    uri: Uri
    arguments: Mapping[str, Any] = field(default_factory=dict)
    direction: Direction = "source"

    @classmethod
    def of(cls, uri: Any, arguments: Mapping[str, Any], direction: Direction) -> Endpoint:
        """Raises `UriError`, `UnknownSchemeError` or `ConfigurationErrors`."""
        parsed = Uri.of(uri)
        connector = connector_for(parsed.scheme)
        endpoint = cls(connector, parsed, arguments, direction)
        scrubbed, kept = check(endpoint.model, parsed, arguments)
        return cls(connector, scrubbed, kept, direction)

    @property
    def model(self) -> type[Options]:
        if self.direction == "source":
            return self.connector.source_options()
        return self.connector.sink_options()

    def resolved(self) -> Resolved:
        """The complete URI and options: reads the connections' file and the environment."""
        return resolve_endpoint(self.model, self.uri, self.arguments)

    @cached_property
    def display(self) -> str:
        """The URI as it was given, for labels: without options and secrets."""
        return str(self.uri.without_options())

    def reader(self, resolved: Resolved) -> Reader:
        return self.connector.reader(resolved.uri, resolved.options)

    def writer(self, resolved: Resolved) -> Writer:
        return self.connector.writer(resolved.uri, resolved.options)


def shown(resolved: Resolved) -> str:
    """The complete URI for people: without options and secrets."""
    return str(resolved.uri.without_options())


def plan_of(resolved: Resolved) -> str:
    """What of an endpoint decides the result: with other tuning it is still the same plan."""
    options = resolved.options
    deciding = options.model_dump(mode="json", exclude=set(options.tuning))
    return fingerprint([str(resolved.uri.without_options()), repr(sorted(deciding.items()))])
