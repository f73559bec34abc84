"""From a URI to its reader or writer: what commands look at, without Beam."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from ferris_beam.connector import Connector, Reader, Writer
from ferris_beam.options import resolve_endpoint
from ferris_beam.registry import connector_for
from ferris_beam.uri import Uri

if TYPE_CHECKING:
    from ferris_beam.options import Resolved


class Source(NamedTuple):
    """A source that commands read from."""

    connector: Connector
    resolved: Resolved
    reader: Reader

    @property
    def uri(self) -> str:
        return str(self.resolved.uri.without_options())


class Sink(NamedTuple):
    """A sink whose ledgers commands look at."""

    connector: Connector
    resolved: Resolved
    writer: Writer


def source_of(text: str) -> Source:
    """Touches nothing. Raises `ConfigurationError` with all that is wrong."""
    uri = Uri.parse(text)
    connector = connector_for(uri.scheme)
    resolved = resolve_endpoint(connector.source_options(), uri)
    return Source(connector, resolved, connector.reader(resolved.uri, resolved.options))


def sink_of(text: str) -> Sink:
    """Touches nothing. Raises `ConfigurationError` with all that is wrong."""
    uri = Uri.parse(text)
    connector = connector_for(uri.scheme)
    resolved = resolve_endpoint(connector.sink_options(), uri)
    return Sink(connector, resolved, connector.writer(resolved.uri, resolved.options))


@contextmanager
def opened(reader: Reader) -> Iterator[Reader]:
    try:
        reader.open()
        yield reader
    finally:
        reader.close()
