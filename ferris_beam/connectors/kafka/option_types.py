"""Types and rules of the options of the Kafka connector."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator

from ferris_beam.connectors.kafka.starting import parse_start, parse_until
from ferris_beam.options import InWords, Problem

SecurityProtocol: TypeAlias = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism: TypeAlias = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
SourceFormat: TypeAlias = Literal["json", "avro", "protobuf", "csv", "string", "bytes"]
SinkFormat: TypeAlias = Literal["json", "avro", "protobuf", "string", "bytes"]
SystemColumn: TypeAlias = Literal["key", "headers", "timestamp", "partition", "offset", "topic"]


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from None
    return value


def _function(value: Any) -> str:
    """``module:name``, of a function too that can be imported by it."""
    if callable(value):
        name = getattr(value, "__qualname__", "")
        if not name or "<" in name:
            raise ValueError("a function that can't be imported")
        return f"{value.__module__}:{name}"
    if not isinstance(value, str) or not re.fullmatch(r"[\w.]+:[\w.]+", value):
        raise ValueError("no function")
    return value


def _message(value: Any) -> str:
    """The full name of a message, or ``module:name`` of its class."""
    if isinstance(value, str) and ":" not in value:
        if not re.fullmatch(r"\w+(\.\w+)*", value):
            raise ValueError("no name of a message")
        return value
    return _function(value)


def _parsed_start(value: str) -> str:
    parse_start(value)
    return value


def _parsed_until(value: str) -> str:
    parse_until(value)
    return value


Pattern: TypeAlias = Annotated[str, AfterValidator(_pattern), InWords("a regular expression")]
Function: TypeAlias = Annotated[
    str, BeforeValidator(_function), InWords("a function, as package.module:name")
]
MessageName: TypeAlias = Annotated[
    str,
    BeforeValidator(_message),
    InWords("a message's full name, as shop.Order, or a class, as package.module:Class"),
]
StartText: TypeAlias = Annotated[
    str,
    AfterValidator(_parsed_start),
    InWords(
        "earliest, latest, group, a time such as 2024-01-31T12:00:00Z, or offsets as 0:100,1:0"
    ),
]
UntilText: TypeAlias = Annotated[
    str,
    AfterValidator(_parsed_until),
    InWords("now, or a time such as 2024-01-31T12:00:00Z"),
]


@dataclass(frozen=True)
class Same:
    """Two names of one option: given both, they must say the same."""

    name: str
    other: str

    def problem(
        self, given: Mapping[str, Any], effective: Mapping[str, Any] | None
    ) -> Problem | None:
        first, second = given.get(self.name), given.get(self.other)
        if first is None or second is None or first == second:
            return None
        text = f"{self.name} and {self.other} are one option with two values; keep one of them"
        return Problem(text, "ConflictingParameters", self.name)


@dataclass(frozen=True)
class OnlyWith:
    """An option that means something to some formats only."""

    name: str
    formats: tuple[str, ...]

    def problem(
        self, given: Mapping[str, Any], effective: Mapping[str, Any] | None
    ) -> Problem | None:
        if effective is None or given.get(self.name) is None:
            return None
        if effective.get("format") in self.formats:
            return None
        formats = " or ".join(f"format={name}" for name in self.formats)
        text = f"{self.name} works only with {formats}; add that or leave it out"
        return Problem(text, "InvalidCombination", self.name)


class KeyFormat:
    """Says what a column holds, which must be there."""

    def problem(
        self, given: Mapping[str, Any], effective: Mapping[str, Any] | None
    ) -> Problem | None:
        if effective is None or given.get("key_format") is None:
            return None
        if "key" in effective.get("metadata", ()):
            return None
        text = "key_format works only with metadata=key; add that or leave it out"
        return Problem(text, "InvalidCombination", "key_format")
