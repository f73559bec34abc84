"""What texts stand for: shared by the formats that know only texts.

A broken row here and there must not turn a column of numbers into text. So a type also holds where
at least `ENOUGH` of the sampled values have it; the others are rejected rows then, not silence.
"""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

ENOUGH = 0.99
"""The share of a sample's values (nulls not counted) that decides a column's type."""

_FEW = 64
_SOME = 4_096

_ZONE = "(Z|[+-][0-9]{2}:?[0-9]{2})"
_TIME = "^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?"

PATTERNS: dict[pa.DataType, str] = {
    pa.date32(): "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    pa.timestamp("us"): f"{_TIME}$",
    pa.timestamp("us", "UTC"): f"{_TIME}{_ZONE}$",
    pa.int64(): "^-?(0|[1-9][0-9]{0,17})$",
    pa.float64(): "^[+-]?((0|[1-9][0-9]*)([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$",
    pa.bool_(): "^(true|false|True|False|TRUE|FALSE)$",
}
"""How the values of a type are written. What is an int64 is a double as well."""

_DATE = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


def type_of_texts(texts: pa.ChunkedArray) -> pa.DataType:
    """date32 or a timestamp (µs; ns where µs don't do; of UTC where zones are given) if all texts
    are ISO 8601, else string."""
    if texts.null_count == len(texts):
        return pa.string()
    if pc.all(pc.match_substring_regex(texts, _DATE)).as_py():
        candidates: list[pa.DataType] = [pa.date32()]
    else:
        candidates = [pa.timestamp(unit, zone) for unit in ("us", "ns") for zone in (None, "UTC")]
    return next((kind for kind in candidates if can_cast(texts, kind)), pa.string())


def can_cast(texts: pa.Array | pa.ChunkedArray, kind: pa.DataType) -> bool:
    """Tries a few first: Arrow's cast of texts goes on after a failure, and each failure makes a
    message (for 4 MiB of lines 20 ms in all)."""
    try:
        texts.slice(0, _FEW).cast(kind)
        texts.cast(kind)
    except pa.ArrowInvalid:
        return False
    return True


def matches(texts: pa.Array | pa.ChunkedArray, pattern: str) -> int:
    """How many texts match."""
    return pc.sum(pc.match_substring_regex(texts, pattern)).as_py() or 0


def counts_of(texts: pa.Array | pa.ChunkedArray) -> Counter[pa.DataType]:
    """How many texts are values of each type. Where texts repeat, each is looked at once: six
    patterns cost ten times as much as telling which texts there are."""
    some = texts.slice(0, _SOME)
    if pc.count_distinct(some).as_py() * 2 > len(some):
        return Counter({kind: matches(texts, pattern) for kind, pattern in PATTERNS.items()})
    different, counts = pc.value_counts(texts).flatten()
    found = {
        kind: counts.filter(pc.match_substring_regex(different, pattern))
        for kind, pattern in PATTERNS.items()
    }
    return Counter({kind: pc.sum(fitting).as_py() or 0 for kind, fitting in found.items()})


def usual(counts: Counter[pa.DataType], values: int) -> pa.DataType:
    """The type that all but a few of so many values have; string if there is none."""
    kinds = (kind for kind in PATTERNS if counts[kind] >= ENOUGH * values > 0)
    return next(kinds, pa.string())


def mostly(texts: pa.Array | pa.ChunkedArray) -> pa.DataType:
    """The type that all but a few of the texts have; string if there is none."""
    return usual(counts_of(texts), len(texts) - texts.null_count)
