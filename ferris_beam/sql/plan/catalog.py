"""What names and URIs stand for: schemas are discovered once, streams are kept by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import pyarrow as pa

from ferris_beam.connector import Split
from ferris_beam.errors import ConfigurationError, ConfigurationErrors, FerrisError, SqlError
from ferris_beam.sql.kernel.types import spoken
from ferris_beam.sql.nodes import Lookup
from ferris_beam.sql.plan.declared import declared_schema
from ferris_beam.sql.plan.durations import duration
from ferris_beam.sql.plan.estimates import rows_of, size_of
from ferris_beam.sql.statements import DeclareStream, Endpoint, Span
from ferris_beam.sql.text import SqlText, did_you_mean
from ferris_beam.transforms.endpoint import Endpoint as SourceEndpoint
from ferris_beam.transforms.event_time import EventTime

T = TypeVar("T")


@dataclass(frozen=True)
class Source:
    """A URI whose columns are known; sizes are what it says of itself, where it does."""

    endpoint: SourceEndpoint
    schema: pa.Schema
    bounded: bool = True
    rows: float | None = None
    nbytes: float | None = None
    lookup: Lookup | None = None
    event_time: EventTime | None = None
    """What the WATERMARK of a stream declares, whose source never ends."""


@dataclass(frozen=True)
class Entry:
    """What a name stands for: ``source``, columns declared over a URI; else a stream's result, or
    a PCollection that was handed in (``given``). ``time`` is the column of its WATERMARK."""

    name: str
    schema: pa.Schema
    source: Source | None = None
    given: bool = False
    bounded: bool = True
    is_table: bool = False
    time: str = ""


class Catalog:
    """The names of a program and the sources of its URIs. ``given`` are the schemas of
    PCollections by name. What is asked of a URI is kept: the store is touched once.

    ``discover`` opens a source; tests put another in its place.
    """

    def __init__(
        self,
        given: Mapping[str, pa.Schema] | None = None,
        discover: Callable[[SourceEndpoint], Source] | None = None,
    ) -> None:
        self._discover = discover or discovered
        self._sources: dict[tuple[str, str], Source] = {}
        self._entries = {
            name: Entry(name, schema, given=True) for name, schema in (given or {}).items()
        }

    @property
    def entries(self) -> tuple[Entry, ...]:
        """In the order in which they were defined."""
        return tuple(self._entries.values())

    def find(self, name: str) -> Entry | None:
        """What ``name`` stands for: exactly, else by letters of another case."""
        if name in self._entries:
            return self._entries[name]
        folded = [each for each in self.entries if each.name.lower() == name.lower()]
        return folded[0] if len(folded) == 1 else None

    def require(self, name: str, span: Span | None, text: SqlText) -> Entry:
        """Raises `SqlError` where nothing has this name."""
        entry = self.find(name)
        if entry is None:
            names = [each.name for each in self.entries]
            hint = did_you_mean(name, names) or "a file or store is named by its URI in quotes"
            raise text.error(f"there is no stream or table {name!r}", span, hint)
        return entry

    def define(self, entry: Entry, span: Span, text: SqlText) -> None:
        """Takes up a name; `SqlError` where it is taken."""
        if self.find(entry.name) is not None:
            raise text.error(f"{entry.name!r} is defined already", span, "choose another name")
        self._entries[entry.name] = entry

    def declare(self, statement: DeclareStream, text: SqlText) -> Entry:
        """Takes up ``CREATE STREAM name (columns …) FROM 'uri'``."""
        source = self._declared_source(statement, text)
        time = self._watermark(statement, source, text)
        if time and not source.bounded:
            source = replace(source, event_time=EventTime(time, _delay(statement, text)))
        entry = Entry(
            statement.name,
            source.schema,
            source,
            bounded=source.bounded,
            is_table=statement.is_table,
            time=time,
        )
        self.define(entry, statement.span, text)
        return entry

    def source(self, endpoint: Endpoint, text: SqlText) -> Source:
        """What stands behind a URI and its options; discovered now, if it is asked for the first
        time. Raises `SqlError` at the URI, or at the option that is wrong."""
        key = (endpoint.uri, repr(sorted(endpoint.options.items())))
        if key not in self._sources:

            def discover() -> Source:
                options = dict(endpoint.options)
                return self._discover(SourceEndpoint.of(endpoint.uri, options, "source"))

            self._sources[key] = pointing(endpoint, text, discover)
        return self._sources[key]

    def _declared_source(self, statement: DeclareStream, text: SqlText) -> Source:
        if not statement.columns:
            return self.source(statement.source, text)
        schema, endpoint = declared_schema(statement.columns, text), statement.source
        if "schema" in endpoint.options:
            raise text.error(
                f"{statement.name} declares its columns, so schema= has no place",
                endpoint.option_spans.get("schema", statement.span),
            )
        if takes_schema(endpoint, text):
            columns = {field.name: str(field.type) for field in schema}
            options = {**endpoint.options, "schema": columns}
            return self.source(replace(endpoint, options=options), text)
        return self._checked(statement, schema, text)

    def _checked(self, statement: DeclareStream, schema: pa.Schema, text: SqlText) -> Source:
        """A source that knows its columns itself: the declared ones must be what it has."""
        source = self.source(statement.source, text)
        for column, field in zip(statement.columns, schema, strict=True):
            if field.name not in source.schema.names:
                near = did_you_mean(field.name, source.schema.names)
                raise text.error(
                    f"{statement.source.uri} has no column {field.name!r}", column.span, near
                )
            found = source.schema.field(field.name).type
            if found != field.type:
                raise text.error(
                    f"{field.name} is {spoken(found)} in {statement.source.uri}, "
                    f"not {spoken(field.type)}",
                    column.span,
                    "declare the type it has, and cast it in the query",
                )
        return replace(source, schema=schema)

    def _watermark(self, statement: DeclareStream, source: Source, text: SqlText) -> str:
        watermark = statement.watermark
        if watermark is None:
            return ""
        if watermark.column not in source.schema.names:
            near = did_you_mean(watermark.column, source.schema.names)
            message = f"WATERMARK: there is no column {watermark.column!r}"
            raise text.error(message, statement.span, near)
        kind = source.schema.field(watermark.column).type
        if not pa.types.is_timestamp(kind):
            raise text.error(
                f"WATERMARK needs a timestamp, and {watermark.column} is {spoken(kind)}",
                statement.span,
            )
        return watermark.column


def _delay(statement: DeclareStream, text: SqlText) -> int:
    """By how many microseconds the watermark is behind; `SqlError` where it isn't."""
    assert statement.watermark is not None
    if statement.watermark.delay is None:
        return 0
    length = duration(statement.watermark.delay, text)
    if length.months or length.micros < 0:
        raise text.error(
            "the delay of a watermark is a fixed length, not below zero", statement.watermark.delay
        )
    return length.micros


def takes_schema(endpoint: Endpoint, text: SqlText) -> bool:
    """Whether the connector can be told its columns with ``schema=``."""

    def fields() -> Any:
        found = SourceEndpoint.of(endpoint.uri, dict(endpoint.options), "source")
        return found.model.model_fields

    return any(
        name == "schema" or getattr(field, "alias", None) == "schema"
        for name, field in pointing(endpoint, text, fields).items()
    )


def discovered(endpoint: SourceEndpoint) -> Source:
    """Opens a source and asks for its columns and, where it ends, for its size."""
    reader = endpoint.reader(endpoint.resolved())
    splits: list[Split] = []
    reader.open()
    try:
        schema = reader.schema()
        if reader.bounded:
            splits = list(reader.splits({}))
    finally:
        reader.close()
    nbytes, described = size_of(splits) if reader.bounded else (None, "")
    lookup = Lookup(reader.lookup_cache, reader.lookup_seconds) if reader.looks_up else None
    rows = rows_of(nbytes, described, schema)
    return Source(endpoint, schema, reader.bounded, rows, nbytes, lookup)


def pointing(endpoint: Endpoint, text: SqlText, action: Callable[[], T]) -> T:
    """What ``action`` returns; its errors as `SqlError` that points at the URI or the option."""
    try:
        return action()
    except SqlError:
        raise
    except ConfigurationErrors as error:
        problems = "\n".join(f"- {problem}" for problem in error.problems)
        span = _option_span(endpoint, error.problems) or endpoint.span
        raise text.error(error.headline, span, problems) from error
    except ConfigurationError as error:
        raise _with_hint(error, endpoint, text) from error
    except FerrisError as error:
        raise _with_hint(error, endpoint, text) from error


def _with_hint(error: FerrisError, endpoint: Endpoint, text: SqlText) -> SqlError:
    first, _, rest = error.message.partition("\n")
    return text.error(first, endpoint.span, rest)


def _option_span(endpoint: Endpoint, problems: tuple[str, ...]) -> Span | None:
    if len(problems) != 1:
        return None
    for name, span in endpoint.option_spans.items():
        if name in problems[0].split(":")[0]:
            return span
    return None
