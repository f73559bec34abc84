"""What a SQL text says: one frozen dataclass for each kind of statement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlglot import exp

Emit = Literal["final", "changes"]
Span = tuple[int, int]
"""Offsets of the first character and of the one behind the last, in the whole text."""


@dataclass(frozen=True)
class Endpoint:
    """A quoted URI with the options of its WITH clause, each with the span of its name."""

    uri: str
    span: Span
    options: Mapping[str, Any] = field(default_factory=dict)
    option_spans: Mapping[str, Span] = field(default_factory=dict)


@dataclass(frozen=True)
class Watermark:
    """``WATERMARK FOR column AS column - INTERVAL …``; ``delay`` is what is subtracted."""

    column: str
    delay: exp.Expression | None


@dataclass(frozen=True)
class ColumnDefinition:
    """A declared column; ``type`` as it was written (`ferris_beam.formats.types` reads it)."""

    name: str
    type: str
    nullable: bool
    span: Span


@dataclass(frozen=True)
class CreateStream:
    """``CREATE STREAM|TABLE name AS query [EMIT …] [INTO 'uri'] [WITH (…)]``, and
    ``INSERT INTO 'uri' query``, whose ``name`` is empty."""

    name: str
    query: exp.Query
    sink: Endpoint | None
    emit: Emit | None
    options: Mapping[str, Any]
    span: Span
    option_spans: Mapping[str, Span] = field(default_factory=dict)
    is_table: bool = False
    windows: Mapping[str, Any] = field(default_factory=dict)
    """What ``WITH (…)`` says of windows over input that never ends, and where."""
    window_spans: Mapping[str, Span] = field(default_factory=dict)


@dataclass(frozen=True)
class DeclareStream:
    """``CREATE STREAM|TABLE name (column TYPE, …, WATERMARK …) FROM 'uri' [WITH (…)]``."""

    name: str
    columns: tuple[ColumnDefinition, ...]
    source: Endpoint
    watermark: Watermark | None
    span: Span
    is_table: bool = False


@dataclass(frozen=True)
class Select:
    """A query on its own: its result is printed."""

    query: exp.Query
    emit: Emit | None
    span: Span


@dataclass(frozen=True)
class Describe:
    """``DESCRIBE 'uri' [WITH (…)]``, ``DESCRIBE name``: the columns and their types."""

    target: str
    is_uri: bool
    span: Span
    options: Mapping[str, Any] = field(default_factory=dict)
    option_spans: Mapping[str, Span] = field(default_factory=dict)


@dataclass(frozen=True)
class ShowStreams:
    """``SHOW STREAMS`` and ``SHOW TABLES``."""

    tables_only: bool
    span: Span


@dataclass(frozen=True)
class Explain:
    """``EXPLAIN [ANALYZE] statement``."""

    statement: CreateStream | Select
    analyze: bool
    span: Span


Statement = CreateStream | DeclareStream | Select | Describe | ShowStreams | Explain
