"""From a URI's scheme to its connector: a lazy table of our own, and entry points of others.

A package adds a connector by an entry point of the group ``ferris_beam.connectors`` whose name is
the scheme and whose value is a `Connector`. Nothing is imported before its scheme is asked for.
"""

from __future__ import annotations

import difflib
from functools import cache, lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from ferris_beam.connector import Connector
from ferris_beam.errors import UnknownSchemeError

ENTRY_POINTS = "ferris_beam.connectors"

_BUILT_IN = {
    "file": "ferris_beam.connectors.file:CONNECTOR",
    "memory": "ferris_beam.connectors.memory:CONNECTOR",
}
_registered: dict[str, Connector] = {}


def register(connector: Connector) -> None:
    """Makes ``connector`` available in this process, before what is built in or installed."""
    for scheme in connector.schemes:
        _registered[scheme] = connector


def unregister(connector: Connector) -> None:
    for scheme in connector.schemes:
        _registered.pop(scheme, None)


def connector_for(scheme: str) -> Connector:
    """The connector of ``scheme``; raises `UnknownSchemeError` with the nearest ones."""
    if scheme in _registered:
        return _registered[scheme]
    if scheme in _BUILT_IN:
        return _load(_BUILT_IN[scheme])
    installed = _installed().get(scheme)
    if installed is not None:
        return installed.load()
    raise UnknownSchemeError(_unknown(scheme))


def connectors() -> list[Connector]:
    """All connectors, by name; each once, however many schemes it has."""
    found = {connector.name: connector for connector in map(connector_for, schemes())}
    return [found[name] for name in sorted(found)]


def schemes() -> list[str]:
    return sorted({*_registered, *_BUILT_IN, *_installed()})


@lru_cache(maxsize=1)
def _installed() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=ENTRY_POINTS)}


@cache
def _load(dotted: str) -> Connector:
    module, _, name = dotted.partition(":")
    return getattr(import_module(module), name)


def _unknown(scheme: str) -> str:
    known = schemes()
    near = difflib.get_close_matches(scheme, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    return (
        f"no connector for the scheme {scheme!r}{hint} There are: {', '.join(known)}. Others come "
        f"from packages with an entry point in the group {ENTRY_POINTS!r}"
    )
