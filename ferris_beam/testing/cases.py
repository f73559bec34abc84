"""What the author of a connector says about an endpoint, for the checks to try it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ferris_beam.connector import Connector, Reader, SinkFacts, SourceFacts, Writer
from ferris_beam.options import Options, Resolved, check, resolve_endpoint
from ferris_beam.registry import connector_for
from ferris_beam.uri import Uri

if TYPE_CHECKING:
    from ferris_beam.ledger import Identity


@dataclass(frozen=True, kw_only=True)
class EndpointCase:
    """What sources and sinks have in common.

    ``options`` are keywords as one would give them to `fb.read` and `fb.write`. ``secrets`` maps
    options to the values that this endpoint really wants, where it wants any; other secret
    options are tried with a made-up one. ``failing`` is a URI that can't be opened: a file that is
    not there, a port at which nobody listens.
    """

    uri: str
    options: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    failing: str = ""
    seed: int = 0

    @property
    def connector(self) -> Connector:
        return connector_for(Uri.parse(self.uri).scheme)

    @property
    def facts(self) -> SourceFacts | SinkFacts | None:
        raise NotImplementedError

    @property
    def model(self) -> type[Options]:
        raise NotImplementedError

    def endpoint(self, options: Mapping[str, Any]) -> Reader | Writer:
        raise NotImplementedError

    def at(self, uri: str) -> EndpointCase:
        """The same with another URI."""
        raise NotImplementedError

    def resolved(self, options: Mapping[str, Any] | None = None) -> Resolved:
        """URI and options as the engine resolves them; ``options`` win over the case's."""
        given = {**self.options, **self.secrets, **(options or {})}
        scrubbed, kept = check(self.model, Uri.parse(self.uri), given)
        return resolve_endpoint(self.model, scrubbed, kept)


@dataclass(frozen=True, kw_only=True)
class SourceCase(EndpointCase):
    """One source.

    ``uri``: what to read; a few dozen rows in several chunks, and where there are units in
    several of these, are best. ``expected``: its rows. The order counts where the source is
    ordered; types are the source's own to choose, values count. ``rejected``: how many rows can't
    be read and must be rejected. ``grow`` adds rows to an endless source and returns them.
    ``change`` replaces the content of a unit, keeping its name. ``patience`` is how many seconds
    reading an endless unit may take until it returns.
    """

    expected: pa.Table
    rejected: int = 0
    grow: Callable[[], pa.Table] | None = None
    change: Callable[[], None] | None = None
    patience: float = 20.0

    @property
    def facts(self) -> SourceFacts | None:
        return self.connector.source

    @property
    def model(self) -> type[Options]:
        return self.connector.source_options()

    def reader(self, options: Mapping[str, Any] | None = None) -> Reader:
        """A new reader, not yet opened."""
        return self.connector.reader(*self.resolved(options))

    def endpoint(self, options: Mapping[str, Any]) -> Reader:
        return self.reader(options)

    def at(self, uri: str) -> SourceCase:
        nothing = pa.table({})
        return SourceCase(uri=uri, options=self.options, secrets=self.secrets, expected=nothing)


def sample() -> pa.Table:
    """24 rows that most sinks can hold: numbers, texts, nulls."""
    numbers = list(range(24))
    return pa.table(
        {
            "id": pa.array(numbers, pa.int64()),
            "name": pa.array([None if n % 5 == 3 else f"name {n}" for n in numbers], pa.string()),
            "amount": pa.array([n / 4 for n in numbers], pa.float64()),
        }
    )


@dataclass(frozen=True, kw_only=True)
class SinkCase(EndpointCase):
    """One sink that holds nothing yet: make a new place for each check.

    ``read`` gives what the sink shows at this moment, read by other means than the connector's
    own where there are any; an empty table where nothing is there. ``table``: rows to write,
    24 by default. ``as_stored`` says what the store rightly makes of rows (CSV knows only texts).
    ``refused``: rows of the columns of ``table`` each of which the sink must refuse by a
    `BadRecordError`. ``interrupted`` is a context in which the sink's store fails in the midst of
    a commit: a connection that is cut, a disk that is full.
    """

    read: Callable[[], pa.Table]
    table: pa.Table = field(default_factory=sample)
    as_stored: Callable[[pa.Table], pa.Table] = lambda table: table
    refused: pa.Table | None = None
    interrupted: Callable[[], AbstractContextManager[None]] | None = None

    @property
    def facts(self) -> SinkFacts | None:
        return self.connector.sink

    @property
    def model(self) -> type[Options]:
        return self.connector.sink_options()

    def writer(self, options: Mapping[str, Any] | None = None) -> Writer:
        """A new writer, not yet opened."""
        return self.connector.writer(*self.resolved(options))

    def opened(self, identity: Identity) -> Writer:
        """A new writer, opened."""
        writer = self.writer()
        writer.open(identity)
        return writer

    def endpoint(self, options: Mapping[str, Any]) -> Writer:
        return self.writer(options)

    def at(self, uri: str) -> SinkCase:
        return SinkCase(uri=uri, options=self.options, secrets=self.secrets, read=self.read)
