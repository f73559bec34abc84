"""The factory: from a URI to a transform. Touches neither network nor disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.transforms.endpoint import Direction, Endpoint
from ferris_beam.transforms.read import Read
from ferris_beam.transforms.write import Write

if TYPE_CHECKING:
    from ferris_beam.transforms.dead_letters import DeadLetters

T = TypeVar("T", Read, Write)

_CACHED = 4096


def create_source(
    uri: Any,
    *,
    columns: Sequence[str] | None = None,
    predicate: pc.Expression | None = None,
    limit: int | None = None,
    rows: bool = False,
    schema: Any = None,
    dead_letters: DeadLetters | None = None,
    **options: Any,
) -> Read:
    """The transform that reads ``uri``; in pipelines also spelled `fb.read`.

    ``columns``, ``predicate`` (a `pyarrow.compute.Expression`) and ``limit`` are pushed down to the
    store as far as it can; ``rows=True`` gives dictionaries instead of batches, or instances of
    ``schema`` (a NamedTuple class or a `pyarrow.Schema`). Of batches ``schema`` declares columns
    and types: a `pyarrow.Schema`, a mapping, or a text like `id:int64,name:string`. All other
    keywords are options of the connector, as they could stand in the URI (`python -m ferris_beam
    describe SCHEME` lists them). Raises `ConfigurationError` with all problems at once.
    """
    if schema is not None and (not rows or isinstance(schema, (str, Mapping))):
        options["schema"], schema = schema, None
    read = _copy(_source(uri)) if not options and type(uri) is str else None
    if read is None:
        read = Read(Endpoint.of(uri, options, "source"))
    if columns is not None:
        read.columns = columns
    if predicate is not None:
        read.predicate = predicate
    if limit is not None:
        read.limit = limit
    if rows:
        read.rows = rows
    if schema is not None:
        read.row_schema = schema
    if dead_letters is not None:
        read.dead_letters = dead_letters
    return read


def create_sink(
    uri: Any,
    *,
    schema: pa.Schema | None = None,
    dead_letters: DeadLetters | None = None,
    **options: Any,
) -> Write:
    """The transform that writes to ``uri``; in pipelines also spelled `fb.write`.

    ``schema`` is that of rows, where the input is rows; all other keywords are options of the
    connector. Raises `ConfigurationError` with all problems at once.
    """
    return Write(Endpoint.of(uri, options, "sink"), schema=schema, dead_letters=dead_letters)


def _copy(prototype: T) -> T:
    """A transform of its own: only what can't change (the checked endpoint) is shared."""
    twin = object.__new__(type(prototype))
    twin.__dict__.update(prototype.__dict__)
    return twin


@lru_cache(maxsize=_CACHED)
def _source(uri: str) -> Read:
    return Read(_unresolved(uri, "source"))


def _unresolved(uri: str, direction: Direction) -> Endpoint:
    return Endpoint.of(uri, {}, direction)
