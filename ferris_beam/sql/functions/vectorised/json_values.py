"""Values taken out of JSON documents, and documents built of values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.sql.functions.paths import steps
from ferris_beam.sql.functions.vectorised.documents import (
    MISSING,
    at,
    is_document,
    parsed,
    written,
)
from ferris_beam.sql.functions.vectorised.groups import per_value

_TEXT = pa.string()
TEXTS = pa.list_(_TEXT)
_DUCKDB_TYPES: dict[type, str] = {str: "VARCHAR", dict: "OBJECT", list: "ARRAY"}
_POSTGRESQL_TYPES: dict[type, str] = {str: "string", dict: "object", list: "array"}


def taking(returns: pa.DataType, convert: Callable[[Any], Any]) -> Callable[..., pa.Array]:
    """A function of documents and paths: what ``convert`` makes of the value there (None: NULL).

    Where there is no value ``convert`` isn't asked, and the result is NULL.
    """

    def take(documents: pa.Array, paths: pa.Array) -> pa.Array:
        return per_value(
            paths, returns, lambda path, rows: _taken(rows, path, returns, convert), documents
        )

    return take


def _taken(
    documents: pa.Array, path: str, returns: pa.DataType, convert: Callable[[Any], Any]
) -> pa.Array:
    way = steps(path)
    if len(way) == 1 and isinstance(way[0], str):
        key = way[0]
        found = [
            each.get(key, MISSING) if isinstance(each, dict) else MISSING
            for each in parsed(documents)
        ]
    else:
        found = [at(each, way) for each in parsed(documents)]
    return pa.array([None if each is MISSING else convert(each) for each in found], returns)


def as_text(value: Any) -> str | None:
    """A text as it is, null as NULL, all else as JSON."""
    if isinstance(value, str) or value is None:
        return value
    return written(value)


def scalar_text(value: Any) -> str | None:
    """A text, a number, true or false; NULL for objects and arrays."""
    return None if isinstance(value, (dict, list)) else as_text(value)


def nested_text(value: Any) -> str | None:
    """An object or an array; NULL for all else."""
    return written(value) if isinstance(value, (dict, list)) else None


def keys(value: Any) -> list[str] | None:
    return list(value) if isinstance(value, dict) else None


def elements(value: Any) -> list[str] | None:
    return [written(item) for item in value] if isinstance(value, list) else None


def element_texts(value: Any) -> list[str | None] | None:
    return [as_text(item) for item in value] if isinstance(value, list) else None


def length(value: Any) -> int:
    """As DuckDB counts: 0 for what is no array."""
    return len(value) if isinstance(value, list) else 0


def duckdb_type(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return "NULL" if value is None else "BOOLEAN"
    if isinstance(value, int):
        return "BIGINT" if value < 0 else "UBIGINT"
    return _DUCKDB_TYPES.get(type(value), "DOUBLE")


def postgresql_type(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return "null" if value is None else "boolean"
    return _POSTGRESQL_TYPES.get(type(value), "number")


def exists(documents: pa.Array, paths: pa.Array) -> pa.Array:
    """Whether there is a value, if only null."""
    return per_value(
        paths,
        pa.bool_(),
        lambda path, rows: pa.array(
            [at(each, steps(path)) is not MISSING for each in parsed(rows)],
            mask=pc.is_null(rows).to_numpy(zero_copy_only=False),
        ),
        documents,
    )


def valid(texts: pa.Array) -> pa.Array:
    """Whether each text is a document."""
    return pa.array(
        [None if text is None else is_document(text) for text in texts.to_pylist()], pa.bool_()
    )


def quoted(texts: pa.Array) -> pa.Array:
    """Texts as JSON's; NULL as null."""
    encoded = texts.dictionary_encode()
    values = [orjson.dumps(text).decode("utf-8") for text in encoded.dictionary.to_pylist()]
    return pc.fill_null(pa.array(values, _TEXT).take(encoded.indices), "null")


def raw(texts: pa.Array) -> pa.Array:
    """Texts that are JSON already (numbers); NULL, NaN and infinities, which it lacks, as null."""
    finite = pc.match_substring_regex(texts, "^-?[0-9]|^true$|^false$")
    return pc.fill_null(pc.if_else(finite, texts, pa.scalar("null")), "null")


def array_of(items: pa.Array) -> pa.Array:
    """Lists of JSON texts as JSON arrays; NULL as null."""
    inner = pc.binary_join(items, ",")
    return pc.fill_null(pc.binary_join_element_wise("[", inner, "]", ""), "null")


def object_of(names: pa.Array, values: pa.Array) -> pa.Array:
    """Lists of texts and of JSON texts as JSON objects; NULL as null."""
    flat = pc.binary_join_element_wise(quoted(names.flatten()), values.flatten(), ":")
    offsets = pa.array(
        [0, *pc.cumulative_sum(pc.fill_null(pc.list_value_length(names), 0)).to_pylist()]
    )
    pairs = pa.ListArray.from_arrays(offsets.cast(pa.int32()), flat)
    whole = pc.binary_join_element_wise("{", pc.binary_join(pairs, ","), "}", "")
    return pc.if_else(pc.is_null(names), pa.scalar("null"), whole)
