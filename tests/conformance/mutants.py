"""Connectors with one fault each, and the check that must find it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from ferris_beam import registry
from ferris_beam.connector import Connector, Reader, Writer
from ferris_beam.testing import Check, ConformanceError, NotApplicable

Kind = TypeVar("Kind", bound=type)


@dataclass(frozen=True)
class Mutant:
    """A broken class; ``caught_by`` is the name of the check that is meant for it."""

    broken: type
    caught_by: str
    uri: str
    case: Mapping[str, Any] = field(default_factory=dict)

    def connector(self, sound: Connector) -> Connector:
        """The sound connector's declaration, with the broken class."""
        place = f"{self.broken.__module__}:{self.broken.__qualname__}"
        if issubclass(self.broken, Reader):
            assert sound.source is not None
            return replace(sound, source=replace(sound.source, reader=place))
        assert issubclass(self.broken, Writer)
        assert sound.sink is not None
        return replace(sound, sink=replace(sound.sink, writer=place))


MUTANTS: list[Mutant] = []


def mutant(caught_by: str, uri: str, **case: Any) -> Callable[[Kind], Kind]:
    """Declares a class as a mutant; ``case`` are further arguments of its case."""

    def declare(broken: Kind) -> Kind:
        MUTANTS.append(Mutant(broken, caught_by, uri, case))
        return broken

    return declare


def caught(
    connector: Connector, checks: tuple[Check[Any], ...], case: Callable[[], Any]
) -> dict[str, str]:
    """The names of the checks that fail, with what they say; each gets a case of its own."""
    registry.register(connector)
    failed = {}
    try:
        for check in checks:
            try:
                check(case())
            except ConformanceError as error:
                failed[check.name] = str(error)
            except NotApplicable:
                continue
    finally:
        registry.unregister(connector)
    return failed
