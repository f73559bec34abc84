"""How many rows a source may hold, from what it says of its size."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from ferris_beam.connector import Split

_TEXT_BYTES = 12
_NESTED_BYTES = 48
_COMPRESSION = 4.0
"""By how much text shrinks, roughly, when it is compressed, and columns do in Parquet."""
_COMPRESSED = ("gzip", "bzip2", "zstd", "lz4", "snappy", "brotli", "xz", "parquet")


def size_of(splits: Iterable[Split]) -> tuple[float | None, str]:
    """The bytes of all splits as stored, and their format; None where one doesn't tell."""
    total, described = 0.0, ""
    for split in splits:
        if split.size is None:
            return None, split.format
        total += split.size
        described = split.format
    return total, described


def rows_of(nbytes: float | None, described: str, schema: pa.Schema) -> float | None:
    """An estimate of the rows in so many bytes of ``described`` ('csv, gzip'); to choose between
    plans, so the order of magnitude is what counts."""
    if nbytes is None:
        return None
    kept = described.lower()
    factor = _COMPRESSION if any(name in kept for name in _COMPRESSED) else 1.0
    return nbytes * factor / max(1.0, sum(width(field.type) for field in schema))


def width(kind: pa.DataType) -> float:
    """The bytes that a value of this type takes, roughly."""
    if pa.types.is_dictionary(kind):
        return width(kind.value_type)
    if pa.types.is_nested(kind):
        return _NESTED_BYTES
    try:
        return max(1.0, kind.bit_width / 8)
    except ValueError:
        return _TEXT_BYTES
