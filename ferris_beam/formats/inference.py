"""Which texts are times: shared by the formats that know only texts."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

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
    try:
        texts.cast(kind)
    except pa.ArrowInvalid:
        return False
    return True
