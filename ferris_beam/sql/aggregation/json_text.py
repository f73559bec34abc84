"""Values as JSON (RFC 8259), one text each."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def json_texts(values: pa.Array) -> pa.Array:
    """NULL, NaN and infinities are ``null``; times and binary values are texts."""
    kind = values.type
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_decimal(kind):
        return pc.fill_null(values.cast(pa.string()), "null").cast(pa.large_string())
    if pa.types.is_floating(kind):
        finite = pc.if_else(pc.is_finite(values), values, pa.scalar(None, kind))
        return pc.fill_null(finite.cast(pa.string()), "null").cast(pa.large_string())
    if pa.types.is_temporal(kind) and not pa.types.is_duration(kind):
        texts = values.cast(pa.string())
        quoted = pc.binary_join_element_wise('"', texts, '"', "")
        return pc.fill_null(quoted, "null").cast(pa.large_string())
    encoded = values if pa.types.is_nested(kind) else values.dictionary_encode()
    if isinstance(encoded, pa.DictionaryArray):
        texts = pa.array([_json(value) for value in encoded.dictionary.to_pylist()], pa.string())
        return pc.fill_null(texts.take(encoded.indices), "null").cast(pa.large_string())
    return pa.array([_json(value) for value in values.to_pylist()], pa.large_string())


def _json(value: Any) -> str:
    return json.dumps(value, default=str, ensure_ascii=False, separators=(",", ":"))
