"""Columns of units that are read together: which are there, and which are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa

from ferris_beam.errors import SchemaError


def check_names(path: str, found: Sequence[str], expected: Sequence[str]) -> None:
    """Raises `SchemaError` where the columns of ``path`` aren't the expected ones, in whatever
    order, or a name is there twice."""
    check_repeated(path, found)
    if set(found) == set(expected):
        return
    missing = [name for name in expected if name not in set(found)]
    extra = [name for name in found if name not in set(expected)]
    parts = [f"lacks {quoted(missing)}"] if missing else []
    parts += [f"has {quoted(extra)} besides"] if extra else []
    raise SchemaError(
        f"{path}: its columns differ from those of the first file: it {' and '.join(parts)}. "
        "Set schema_drift=union to read the columns of all files (null where one lacks them), or "
        "schema= to say which ones"
    )


def check_repeated(path: str, found: Sequence[str]) -> None:
    """Raises `SchemaError` where a name is there twice."""
    repeated = [name for name, count in Counter(found).items() if count > 1]
    if repeated:
        raise SchemaError(f"{path}: has several columns named {quoted(repeated)}; rename them")


def projected(schema: pa.Schema, columns: Sequence[str] | None) -> pa.Schema:
    """The fields of ``columns``, in this order; at least one, to know how many rows there are."""
    if columns is None:
        return schema
    wanted = list(dict.fromkeys(columns))
    known = set(schema.names)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise SchemaError(f"no column {quoted(unknown)}; there are: {', '.join(schema.names)}")
    return pa.schema([schema.field(name) for name in wanted] or [schema.field(0)])


def quoted(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names)
