"""The columns of JSON Lines and their types, from the lines of the first cell."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pajson
import pyarrow.types as pt

from ferris_beam.formats.inference import ENOUGH, type_of_texts
from ferris_beam.formats.jsonl.parser import object_starts
from ferris_beam.formats.widening import widened
from ferris_beam.formats.window import STEP, Block, Offsets

_SAMPLE_LINES = 10_000
_BEYOND_INT64 = float(1 << 63)
_BRACE = ord("{")
_WIDE = pa.decimal128(38, 0)

_DEEPEST = 48
"""Levels of nesting. Arrow's IPC, in which batches travel, refuses more than 64, and a list counts
for two."""


def infer_schema(block: Block) -> pa.Schema:
    """int64, double, bool, date32, timestamp in µs (of UTC where zones are given; in ns where µs
    don't do), lists and structs, else string. Integers beyond int64 are decimals. Without values a
    type is null, also inside of lists and structs (see `settled`)."""
    starts = object_starts(block)
    if not len(starts):
        return pa.schema([])
    table = None if _is_deep(block, starts) or _begins_oddly(block, starts) else _read_all(block)
    if table is None:
        table = _read_sample(block)
    names = [name for name in table.column_names if _may_be_named(name)]
    return pa.schema([(name, _type_of(table[name])) for name in names])


def merged(first: pa.Schema, more: pa.Schema) -> pa.Schema:
    """The columns of two samples, with types that hold the values of both. Where there is none (an
    object here, a text there), the type is the first sample's."""
    try:
        return widened(first, more)
    except TypeError:
        fitting = [field for field in more if _fits(first, field)]
        return widened(first, pa.schema(fitting))


def _fits(schema: pa.Schema, field: pa.Field) -> bool:
    try:
        widened(schema, pa.schema([field]))
    except TypeError:
        return False
    return True


def _may_be_named(name: str) -> bool:
    """Whether Arrow's C interface, through which the reader's columns come, can name a column."""
    return "\0" not in name


def settled(schema: pa.Schema) -> pa.Schema:
    """The schema with strings for what was always null, and maps for always empty objects."""
    return pa.schema([field.with_type(_settled(field.type)) for field in schema])


def _type_of(column: pa.ChunkedArray) -> pa.DataType:
    has_texts = pt.is_string(column.type) and column.null_count < len(column)
    return type_of_texts(column) if has_texts else column.type


def _begins_oddly(block: Block, starts: Offsets) -> bool:
    """Whether the first value is no object: a null there makes pyarrow 25 crash."""
    return not block.copy(int(starts[0]), int(starts[0]) + STEP).lstrip().startswith(b"{")


def _is_deep(block: Block, starts: Offsets) -> bool:
    """Whether a line may be nested deeper than `_DEEPEST`: pyarrow's parser is recursive, and a
    line of 20,000 brackets ends the process."""
    opening = np.flatnonzero((block.array() | 0x20) == _BRACE)  # [ and { differ in one bit
    lines = np.searchsorted(starts, opening, "right")
    return bool(len(lines)) and int(np.bincount(lines).max()) > _DEEPEST


def _read_all(block: Block) -> pa.Table | None:
    """None where pyarrow can't read it, or not without changing numbers."""
    options = pajson.ReadOptions(use_threads=False, block_size=len(block) + 1)
    try:
        table = pajson.read_json(block.arrow(), read_options=options)
        as_texts = pa.schema([field.with_type(_texts(field.type)) for field in table.schema])
        if as_texts != table.schema:
            parse = pajson.ParseOptions(explicit_schema=as_texts)
            table = pajson.read_json(block.arrow(), read_options=options, parse_options=parse)
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return None
    return None if any(map(_may_be_wide, table.columns)) else table


def _may_be_wide(column: pa.ChunkedArray) -> bool:
    """Whether doubles may have been integers beyond int64."""
    return pt.is_float64(column.type) and bool(
        pc.any(pc.greater_equal(pc.abs(column), _BEYOND_INT64)).as_py()
    )


def _read_sample(block: Block) -> pa.Table:
    """The first lines, bad ones left out; a column of values that don't go together is text."""
    rows = [row for row in map(_parsed, block.copy().splitlines()[:_SAMPLE_LINES]) if row]
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: _column([row.get(name) for row in rows]) for name in names})


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line.decode())
        json.dumps(value, ensure_ascii=False).encode()  # no halves of characters
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and _depth_fits(value) else None


def _depth_fits(value: Any) -> bool:
    """Whether it is nested no deeper than Arrow's own messages may be."""
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return True
    return False


def _column(values: list[Any]) -> pa.Array:
    try:
        array = pa.array(values)
        return array.cast(_WIDE) if pt.is_uint64(array.type) else array
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        wide = _wide_integers(values)
        usual = _usual(values) if wide is None else wide
        if usual is not None:
            return usual
        if all(value is None or type(value) in (int, float) for value in values):
            return pa.array([None if value is None else float(value) for value in values])
        return pa.array([None if value is None else json.dumps(value) for value in values])


def _wide_integers(values: list[Any]) -> pa.Array | None:
    """Integers beyond int64, of at most 38 digits."""
    if all(value is None or (type(value) is int and abs(value) < 10**38) for value in values):
        return pa.array(values, _WIDE)
    return None


def _usual(values: list[Any]) -> pa.Array | None:
    """The values without the few (1 - `ENOUGH`) of other kinds; None where the kinds are mixed."""
    counts = Counter(type(value) for value in values if value is not None)
    kind, count = counts.most_common(1)[0]
    if count < ENOUGH * counts.total():
        return None
    try:
        return pa.array([value if type(value) is kind else None for value in values])
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return None


def _texts(kind: pa.DataType) -> pa.DataType:
    """pyarrow takes dates, and times with a zone, for timestamps without: let them be texts."""
    if pt.is_timestamp(kind):
        return pa.string()
    if pt.is_list(kind):
        return pa.list_(_texts(kind.value_type))
    if pt.is_struct(kind):
        return pa.struct([field.with_type(_texts(field.type)) for field in kind])
    return kind


def _settled(kind: pa.DataType) -> pa.DataType:
    if pt.is_null(kind):
        return pa.string()
    if pt.is_list(kind):
        return pa.list_(_settled(kind.value_type))
    if pt.is_struct(kind) and not kind.num_fields:
        return pa.map_(pa.string(), pa.string())
    if pt.is_struct(kind):
        named = [field for field in kind if _may_be_named(field.name)]
        return pa.struct([field.with_type(_settled(field.type)) for field in named])
    return pa.int64() if pt.is_integer(kind) else kind
