"""From a URI's scheme to its connector: a lazy table of our own, and entry points of others.

A package adds a connector by an entry point of the group ``ferris_beam.connectors`` whose name is
the scheme and whose value is a `Connector`. Nothing is imported before its scheme is asked for.

What is built in wins over what is installed, and what a program registers over both. A package that
is broken concerns its own schemes only: `unusable` says what is wrong with it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from ferris_beam.connector import Connector
from ferris_beam.errors import ConfigurationError, UnknownSchemeError

ENTRY_POINTS = "ferris_beam.connectors"

_BUILT_IN = {
    "file": "ferris_beam.connectors.file:CONNECTOR",
    "kafka": "ferris_beam.connectors.kafka:CONNECTOR",
    "memory": "ferris_beam.connectors.memory:CONNECTOR",
    "postgres": "ferris_beam.connectors.postgresql:CONNECTOR",
    "postgresql": "ferris_beam.connectors.postgresql:CONNECTOR",
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
    """The connector of ``scheme``; raises `UnknownSchemeError` with the nearest ones, and
    `ConfigurationError` where the package that has it can't be used."""
    if scheme in _registered:
        return _registered[scheme]
    if scheme in _BUILT_IN:
        return _load(_BUILT_IN[scheme])
    if scheme in _installed():
        return _load_installed(scheme)
    raise UnknownSchemeError(_unknown(scheme))


def connectors() -> list[Connector]:
    """All connectors that can be used, by name; each once, however many schemes it has."""
    found = {}
    for scheme in schemes():
        try:
            connector = connector_for(scheme)
        except ConfigurationError:
            continue  # `unusable` tells
        found[connector.name] = connector
    return [found[name] for name in sorted(found)]


def schemes() -> list[str]:
    return sorted({*_registered, *_BUILT_IN, *_installed()})


def unusable() -> Iterator[str]:
    """What is wrong with connectors of installed packages: a sentence for each."""
    for scheme, points in _installed().items():
        if scheme in _BUILT_IN:
            packages = " and ".join(map(_package, points))
            yield (
                f"the connector of {packages} for {scheme} is not used: that scheme is built in. "
                "ferris_beam.register(connector) puts it in its place in a program"
            )
            continue
        try:
            _load_installed(scheme)
        except ConfigurationError as error:
            yield error.message


@lru_cache(maxsize=1)
def _installed() -> dict[str, list[EntryPoint]]:
    """The entry points by scheme; more than one where packages are at odds."""
    found: dict[str, dict[tuple[str, str], EntryPoint]] = {}
    for point in entry_points(group=ENTRY_POINTS):
        # An editable install may list the same package twice.
        found.setdefault(point.name, {})[_package(point), point.value] = point
    return {scheme: [same[key] for key in sorted(same)] for scheme, same in sorted(found.items())}


@cache
def _load_installed(scheme: str) -> Connector:
    point, *others = _installed()[scheme]
    if others:
        packages = " and ".join(_package(each) for each in (point, *others))
        raise ConfigurationError(
            f"{packages} both have a connector for the scheme {scheme!r}; uninstall one of them"
        )
    try:
        connector = point.load()
    except Exception as error:  # whatever a foreign package raises when it is imported
        raise ConfigurationError(
            f"the connector for the scheme {scheme!r} comes from {_package(point)}, which can't be "
            f"imported ({point.value}: {type(error).__name__}: {error}); repair or uninstall it"
        ) from error
    if not isinstance(connector, Connector) or scheme not in connector.schemes:
        raise ConfigurationError(
            f"{_package(point)} has an entry point for the scheme {scheme!r}, but {point.value} is "
            f"no Connector that declares this scheme; repair or uninstall it"
        )
    return connector


def _package(point: EntryPoint) -> str:
    """Name and version of the package of an entry point."""
    return f"the package {point.dist.name} {point.dist.version}" if point.dist else point.value


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
