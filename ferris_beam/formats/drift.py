"""The one schema of units that are read together, and what of it a single unit has.

``schema=`` declares it. Else it is the first unit's whose rows tell its types, and the others must
have the same columns; with ``schema_drift=union`` it is what holds the columns and values of all.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pyarrow as pa

from ferris_beam.errors import SchemaError
from ferris_beam.formats.base import ByteSource, Discovery, Format
from ferris_beam.formats.columns import check_repeated, quoted
from ferris_beam.formats.options import ReadOptions
from ferris_beam.formats.types import schema_of, with_types
from ferris_beam.formats.widening import holds, widened, widened_type

_MOST_THREADS = 8


def common_schema(
    units: Sequence[str], discover: Callable[[str], Discovery], options: ReadOptions, what: str
) -> pa.Schema:
    """The schema of the rows of all units, which ``discover`` opens by name.

    Raises `SchemaError` where there is none, naming ``what`` or the units that disagree.
    """
    if options.declared_schema is not None:
        return schema_of(options.declared_schema)
    if options.schema_drift == "union":
        with closing(_in_parallel(discover, units)) as discoveries:
            return _union(zip(units, discoveries, strict=True), options, what)
    return settle(map(discover, units), what)


def _in_parallel(
    discover: Callable[[str], Discovery], units: Sequence[str]
) -> Generator[Discovery, None, None]:
    """What is in each unit, in order, by as many threads as Arrow would use: a look at 4 MiB of
    text takes about 50 ms, most of it outside of Python's lock."""
    pool = ThreadPoolExecutor(min(pa.cpu_count(), _MOST_THREADS))
    try:
        yield from pool.map(discover, units)
    finally:
        pool.shutdown(cancel_futures=True)


def settle(discoveries: Iterable[Discovery], what: str) -> pa.Schema:
    """The schema of units that have the same columns: the first one whose rows tell its types,
    else the first one with columns. Raises `SchemaError` where there is none, naming ``what``."""
    schema: pa.Schema | None = None
    for found in discoveries:
        if found.certain:
            return found.schema
        if schema is None and len(found.schema):
            schema = found.schema
    if schema is None:
        raise _no_columns(what)
    return schema


def _union(
    discoveries: Iterable[tuple[str, Discovery]], options: ReadOptions, what: str
) -> pa.Schema:
    """The columns of all units, those of the first one first, each of the narrowest type that
    holds all its values."""
    schema = pa.schema([])
    seen_in: dict[str, str] = {}
    for at, (unit, found) in enumerate(discoveries):
        added = _known_types(found, options)
        try:
            schema = widened(schema, added) if at else added
        except TypeError as error:
            names = [name for name in added.names if not _fit(schema, added, name)]
            first = seen_in[names[0]]
            raise SchemaError(
                f"{first} and {unit} can't be read together: {error}; read them on their own, or "
                f"say by types={names[0]}:… or schema= what the column is to be"
            ) from None
        for name in added.names:
            seen_in.setdefault(name, unit)
    if not len(schema):
        raise _no_columns(what)
    return with_types(_without_nulls(schema), options.types, what)


def _known_types(found: Discovery, options: ReadOptions) -> pa.Schema:
    """The schema with null for types that nothing told: they give way to any other."""
    told = set(found.schema.names) if found.certain else set(options.types)
    return pa.schema(
        [
            field if field.name in told - found.unknown else field.with_type(pa.null())
            for field in found.schema
        ]
    )


def _without_nulls(schema: pa.Schema) -> pa.Schema:
    return pa.schema(
        [
            field.with_type(pa.string()) if pa.types.is_null(field.type) else field
            for field in schema
        ]
    )


def _fit(left: pa.Schema, right: pa.Schema, name: str) -> bool:
    if name not in left.names:
        return True
    try:
        widened_type(left.field(name).type, right.field(name).type)
    except TypeError:
        return False
    return True


# ── one unit ────────────────────────────────────────────────────────────────────────────────────


def may_differ(options: ReadOptions) -> bool:
    """Whether a unit's columns may be others than those that are read."""
    return options.declared_schema is not None or options.schema_drift == "union"


def with_names(options: ReadOptions) -> ReadOptions:
    """Of files without a header a declared schema also names the columns, in their order."""
    if options.declared_schema is None or options.header or options.columns is not None:
        return options
    return options.model_copy(update={"columns": tuple(options.declared_schema)})


def file_schema(
    format: Format, source: ByteSource, schema: pa.Schema, options: ReadOptions
) -> pa.Schema:
    """The columns of a unit with the types of ``schema``, of which it may lack some or have more.

    Raises `SchemaError` where a declared column is missing, unless ``schema_drift=union``.
    """
    names = format.names(source, options)
    if not names:  # rows with any columns, or no row at all
        return schema
    check_repeated(source.name, names)
    missing = [name for name in schema.names if name not in set(names)]
    if missing and options.schema_drift == "refuse":
        raise SchemaError(
            f"{source.name}: schema= names {quoted(missing)}, which it has not; there are: "
            f"{', '.join(names)}. Correct schema=, or set schema_drift=union to read null"
        )
    known = set(schema.names)
    return pa.schema(
        [schema.field(name) if name in known else (name, pa.string()) for name in names]
    )


def with_own_types(format: Format, source: ByteSource, options: ReadOptions) -> ReadOptions:
    """The options without ``types`` of columns that a unit lacks, where it may lack some."""
    if not options.types or options.schema_drift != "union":
        return options
    names = format.names(source, options)
    if names is None:
        return options
    own = {name: kind for name, kind in options.types.items() if name in set(names)}
    return options.model_copy(update={"types": own})


def check_types(unit: str, found: pa.Schema, schema: pa.Schema) -> None:
    """Raises `SchemaError` where a column of a unit whose file tells its types has values that
    those of the first unit may not hold."""
    for field in found:
        at = schema.get_field_index(field.name)
        if at < 0 or holds(schema.field(at).type, field.type):
            continue
        raise SchemaError(
            f"{unit}: its column {field.name!r} is {field.type}, and {schema.field(at).type} in "
            "the first file; set schema_drift=union to read all files with a type that holds both, "
            f"or schema= to say which"
        )


def _no_columns(what: str) -> SchemaError:
    return SchemaError(f"{what}: has no columns; it is empty, or holds no row that can be read")
