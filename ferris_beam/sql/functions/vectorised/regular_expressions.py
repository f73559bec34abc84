"""All matches of a pattern, and the parts between them, as lists."""

from __future__ import annotations

import re
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.sql.functions.vectorised.groups import per_distinct, per_value

TEXTS = pa.list_(pa.string())
TEXT_TEXT = (pa.string(), pa.string())
TEXT_TEXT_INTEGER = (pa.string(), pa.string(), pa.int64())


def extract_all(text: pa.Array, pattern: pa.Array, group: pa.Array) -> pa.Array:
    """The group (0: the whole) of all matches; an empty text for one that took no part."""
    return per_value(
        pattern,
        TEXTS,
        lambda one, texts, groups: per_value(
            groups, TEXTS, lambda number, inner: _matches(inner, one, number), texts
        ),
        text,
        group,
    )


def split(text: pa.Array, pattern: pa.Array) -> pa.Array:
    """The parts between matches (RE2)."""
    return per_value(pattern, TEXTS, lambda one, texts: _split(texts, one), text)


def _split(text: pa.Array, pattern: str) -> pa.Array:
    return pc.split_pattern_regex(text, pattern)


def _matches(text: pa.Array, pattern: str, group: int) -> pa.Array:
    compiled = _compiled(pattern)
    if not 0 <= group <= compiled.groups:
        raise ValueError(f"the pattern {pattern!r} has {compiled.groups} groups, not {group}")
    return per_distinct(
        text, TEXTS, lambda value: [found[group] or "" for found in compiled.finditer(value)]
    )


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"the pattern {pattern!r} is wrong: {error}") from None
