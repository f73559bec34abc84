"""Keys that no column stands for: their values must not be lost without a word.

Looking at every key would cost more than parsing. Instead the keys of a block are counted: a colon
behind a quote or a blank is one, or it is in a text, so that there are at most as many as such
colons (`_colons`). There are at least as many as values were read that aren't null (`_values`).
Where both numbers are equal, after the members that are null are taken off, nothing else can be
there. Else, that is for duplicate keys and some texts, every line is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from ferris_beam.formats.jsonl.representation import is_list, items_of
from ferris_beam.formats.window import Block

_AT_A_TIME = 1 << 18
"""Bytes to compare at a time: they stay in the processor's cache."""

_COLON, _QUOTE = b':"'
_NULL, _BLANK_NULL = (int.from_bytes(text, "little") for text in (b":nul", b": nu"))
_ESCAPED_QUOTE = re.compile(rb'(?<!\\)(?:\\\\)*\\":(?!nul| nu)')


def may_hold_others(block: Block, columns: Iterable[pa.ChunkedArray | pa.Array]) -> bool:
    """Whether there may be values besides those of ``columns``, which are all that was read."""
    others = _colons(block) - sum(_values(column) for column in columns)
    if others:
        others -= _nulls(block)
    if others and b'\\":' in block:
        others -= len(_ESCAPED_QUOTE.findall(block.view()))
    return others != 0


def unknown_keys(value: Any, kind: pa.DataType, path: str = "") -> Iterator[str]:
    """The keys in a parsed value that the type has no place for, as paths; without those of null,
    and without what does not fit the type at all."""
    if isinstance(value, dict) and pt.is_struct(kind):
        for key, inner in value.items():
            at = kind.get_field_index(key)
            if at >= 0:
                yield from unknown_keys(inner, kind.field(at).type, f"{path}{key}.")
            elif inner is not None:
                yield f"{path}{key}"
    elif isinstance(value, dict) and pt.is_map(kind):
        for inner in value.values():
            yield from unknown_keys(inner, kind.item_type, path)
    elif isinstance(value, list) and is_list(kind):
        for inner in value:
            yield from unknown_keys(inner, kind.value_type, path)


def _colons(block: Block) -> int:
    """Colons behind a quote, an exclamation mark, a blank or a control character. Every key's is
    one of them; most others are in texts."""
    text = block.array()
    found = 0
    for at in range(0, len(text) - 1, _AT_A_TIME):
        colons = text[at + 1 : at + 1 + _AT_A_TIME] == _COLON
        colons &= text[at : at + len(colons)] <= _QUOTE
        found += int(np.count_nonzero(colons))
    return found


def _nulls(block: Block) -> int:
    """Those of the same colons that are followed by null, or by a blank and null."""
    text = block.array()
    found = 0
    for offset in range(4):
        words = text[offset : offset + (len(text) - offset) // 4 * 4].view("<u4")
        for at in range(0, len(words), _AT_A_TIME // 4):
            some = words[at : at + _AT_A_TIME // 4]
            colons = np.flatnonzero((some == _NULL) | (some == _BLANK_NULL)) + at
            before = text[np.maximum(colons * 4 + offset - 1, 0)]
            found += int(np.count_nonzero(before <= _QUOTE))
    return found


def _values(column: pa.ChunkedArray | pa.Array) -> int:
    """The members of objects that were read and aren't null, the column itself included."""
    return len(column) - column.null_count + sum(map(_members, _chunks(column)))


def _chunks(column: pa.ChunkedArray | pa.Array) -> list[pa.Array]:
    return column.chunks if isinstance(column, pa.ChunkedArray) else [column]


def _members(array: pa.Array) -> int:
    """The same of what is inside of the values."""
    if pt.is_struct(array.type):
        return sum(map(_values, array.flatten()))
    if pt.is_map(array.type):
        items = items_of(array)
        return len(items) - items.null_count + _members(items)
    if is_list(array.type):
        return _members(array.flatten())
    return 0


def infinite_rows(column: pa.Array) -> list[int]:
    """The rows of a column of floats that are, or of a nested one that may be, infinite."""
    if pt.is_floating(column.type):
        found = np.flatnonzero(pc.is_inf(column).fill_null(False).to_numpy(zero_copy_only=False))
        return [int(row) for row in found]
    return list(range(len(column))) if _holds_infinity(column) else []


def _holds_infinity(array: pa.Array) -> bool:
    if pt.is_floating(array.type):
        return bool(pc.any(pc.is_inf(array)).as_py())
    if pt.is_struct(array.type):
        return any(map(_holds_infinity, array.flatten()))
    if pt.is_map(array.type):
        return _holds_infinity(items_of(array))
    return is_list(array.type) and _holds_infinity(array.flatten())
