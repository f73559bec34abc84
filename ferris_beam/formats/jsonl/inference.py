"""The columns of JSON Lines and their types, from the lines of the first cell."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.json as pajson
import pyarrow.types as pt

from ferris_beam.formats.inference import ENOUGH, type_of_texts
from ferris_beam.formats.jsonl.parser import object_starts
from ferris_beam.formats.window import Block

_SAMPLE_LINES = 10_000


def infer_schema(block: Block) -> pa.Schema:
    """int64, double, bool, date32, timestamp in µs (of UTC where zones are given; in ns where µs
    don't do), lists and structs, else string; a key that only ever is null is a string."""
    if not len(object_starts(block)):
        return pa.schema([])
    try:
        table = _read_all(block)
    except (pa.ArrowInvalid, UnicodeDecodeError):
        table = _read_sample(block)
    fields = []
    for field in table.schema:
        texts = pt.is_string(field.type)
        kind = type_of_texts(table[field.name]) if texts else _settled(field.type)
        if kind is not None:
            fields.append(pa.field(field.name, kind))
    return pa.schema(fields)


def _read_all(block: Block) -> pa.Table:
    options = pajson.ReadOptions(use_threads=False, block_size=len(block) + 1)
    table = pajson.read_json(block.arrow(), read_options=options)
    as_texts = pa.schema([field.with_type(_without_times(field.type)) for field in table.schema])
    if as_texts == table.schema:
        return table
    parse = pajson.ParseOptions(explicit_schema=as_texts)
    return pajson.read_json(block.arrow(), read_options=options, parse_options=parse)


def _read_sample(block: Block) -> pa.Table:
    """The first lines, bad ones left out; a column of values that don't go together is text."""
    rows = [row for row in map(_parsed, block.copy().splitlines()[:_SAMPLE_LINES]) if row]
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: _column([row.get(name) for row in rows]) for name in names})


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _column(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        usual = _usual(values)
        if usual is not None:
            return usual
        if all(value is None or type(value) in (int, float) for value in values):
            return pa.array([None if value is None else float(value) for value in values])
        return pa.array([None if value is None else json.dumps(value) for value in values])


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


def _without_times(kind: pa.DataType) -> pa.DataType:
    """pyarrow takes dates, and times with a zone, for timestamps without: let them be texts."""
    if pt.is_timestamp(kind):
        return pa.string()
    if pt.is_list(kind):
        return pa.list_(_without_times(kind.value_type))
    if pt.is_struct(kind):
        return pa.struct([field.with_type(_without_times(field.type)) for field in kind])
    return kind


def _settled(kind: pa.DataType) -> pa.DataType | None:
    """The type with strings for what was always null; None for objects that were always empty."""
    if pt.is_null(kind):
        return pa.string()
    if pt.is_list(kind):
        items = _settled(kind.value_type)
        return None if items is None else pa.list_(items)
    if pt.is_struct(kind):
        fields = [(field.name, _settled(field.type)) for field in kind]
        kept = [pa.field(name, inner) for name, inner in fields if inner is not None]
        return pa.struct(kept) if kept else None
    return pa.int64() if pt.is_integer(kind) else kind
