"""Sources and sinks of a connector as what commands and pages show of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ferris_beam.connector import Connector

if TYPE_CHECKING:
    from ferris_beam.options import OptionRow, Options


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A connector's source or sink. ``model`` gives its options, imported when it is called."""

    direction: str
    unit: str
    delivery: str
    model: Callable[[], type[Options]]

    def options(self, scheme: str) -> list[OptionRow]:
        """Every option, as it is for URIs of ``scheme``."""
        from ferris_beam.options import describe

        return describe(self.model(), scheme)


def endpoints(connector: Connector) -> Iterator[Endpoint]:
    """What the connector has of a source and a sink."""
    source, sink = connector.source, connector.sink
    if source is not None:
        yield Endpoint("source", source.unit, source.delivery, connector.source_options)
    if sink is not None:
        yield Endpoint("sink", sink.unit, sink.delivery, connector.sink_options)


def in_uri(row: OptionRow) -> str:
    """An option's example as it stands in a URI; empty where it has none."""
    from ferris_beam.uri_syntax import UNSAFE_IN_OPTION, encode

    return "" if row.example is None else f"{row.name}={encode(row.example, UNSAFE_IN_OPTION)}"
