"""Rules about several options of a model: conflicts, and what needs what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ferris_beam.options.problems import Problem

__all__ = ["Rule", "at_least_one", "exclusive", "requires"]


class Rule(Protocol):
    """Looks at options by name: at those given, and at all with their defaults.

    `effective` is None as long as more may come, from a connection or the environment.
    """

    def problem(
        self, given: Mapping[str, Any], effective: Mapping[str, Any] | None
    ) -> Problem | None: ...


def exclusive(*names: str) -> Rule:
    """At most one of these options."""
    return _Exclusive(names)


def at_least_one(*names: str) -> Rule:
    """One of these options must be there."""
    return _AtLeastOne(names)


def requires(name: str, *needed: str, **values: object) -> Rule:
    """An option that works only with others: `requires("slot", "publication", mode="cdc")`."""
    return _Requires(name, needed, tuple(values.items()))


def requires_either(name: str, **values: object) -> Rule:
    """An option that works only where one of others says this:
    `requires_either("slot", mode="cdc", cdc=True)`."""
    return _RequiresEither(name, tuple(values.items()))


def conflicts(name: str, **values: object) -> Rule:
    """An option that doesn't work where another says this: `conflicts("query", mode="cdc")`."""
    return _Conflicts(name, tuple(values.items()))


def is_set(values: Mapping[str, Any], name: str) -> bool:
    """Whether an option is there and not switched off."""
    return _lower(values.get(name)) not in ("none", "false", "")


def _lower(value: object) -> str:
    """As it may be written in a URI: what is given there has not been parsed yet."""
    return str(value).lower()


@dataclass(frozen=True)
class _Exclusive:
    names: tuple[str, ...]

    def problem(
        self, given: Mapping[str, Any], effective: Mapping[str, Any] | None
    ) -> Problem | None:
        names = [name for name in self.names if is_set(given, name)]
        if len(names) < 2:
            return None
        text = f"{' and '.join(names)} exclude each other; keep one of them"
        return Problem(text, "ConflictingParameters", names[0])


@dataclass(frozen=True)
class _AtLeastOne:
    names: tuple[str, ...]

    def problem(
        self, given: Mapping[str, Any], effective: Mapping[str, Any] | None
    ) -> Problem | None:
        if effective is None or any(is_set(effective, name) for name in self.names):
            return None
        text = f"one of {', '.join(self.names)} is needed; give it in the URI or in the call"
        return Problem(text, "MissingRequired", self.names[0])


@dataclass(frozen=True)
class _Requires:
    name: str
    needed: tuple[str, ...]
    values: tuple[tuple[str, object], ...]

    def problem(
        self, given: Mapping[str, Any], effective: Mapping[str, Any] | None
    ) -> Problem | None:
        if effective is None or not is_set(given, self.name):
            return None
        missing = [name for name in self.needed if not is_set(effective, name)]
        missing += [
            f"{name}={wanted}"
            for name, wanted in self.values
            if _lower(effective.get(name)) != _lower(wanted)
        ]
        if not missing:
            return None
        text = f"{self.name} works only with {' and '.join(missing)}; add that or leave it out"
        return Problem(text, "InvalidCombination", self.name)


@dataclass(frozen=True)
class _RequiresEither:
    name: str
    values: tuple[tuple[str, object], ...]

    def problem(
        self, given: Mapping[str, Any], effective: Mapping[str, Any] | None
    ) -> Problem | None:
        if effective is None or not is_set(given, self.name) or _says(effective, self.values):
            return None
        either = " or ".join(f"{name}={_lower(wanted)}" for name, wanted in self.values)
        text = f"{self.name} works only with {either}; add that or leave it out"
        return Problem(text, "InvalidCombination", self.name)


@dataclass(frozen=True)
class _Conflicts:
    name: str
    values: tuple[tuple[str, object], ...]

    def problem(
        self, given: Mapping[str, Any], effective: Mapping[str, Any] | None
    ) -> Problem | None:
        said = _says(given, self.values)
        if not is_set(given, self.name) or not said:
            return None
        text = f"{self.name} doesn't work with {said}; keep one of them"
        return Problem(text, "ConflictingParameters", self.name)


def _says(values: Mapping[str, Any], wanted: tuple[tuple[str, object], ...]) -> str:
    """The first of the wanted settings that is there, as it is written; empty: none."""
    found = (name for name, value in wanted if _lower(values.get(name)) == _lower(value))
    name = next(found, "")
    return f"{name}={_lower(values[name])}" if name else ""
