"""Rows as texts of JSON, such as PostgreSQL's own json_populate_record takes back.

Numbers that JSON's readers might round, and what JSON doesn't have, are texts: decimals, NaN and
the infinities, binary as ``\\x`` and hexadecimal digits, times as ISO 8601.
"""

from __future__ import annotations

import io
import json
from collections.abc import Collection

import arro3.io
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

Mask = npt.NDArray[np.bool_]


def json_texts(
    records: pa.RecordBatch, there: Mask, unsent: Mask, documents: Collection[str] = ()
) -> pa.Array:
    """One text for each row, NULL where ``there`` says so; the columns of ``unsent`` (bool[columns,
    rows]) are left out of it: rows that lack the same ones are written together. ``documents`` are
    columns whose values are JSON already."""
    if unsent.any():
        texts = _texts_by_pattern(records, unsent, documents)
    else:
        texts = _texts(records, documents)
    return pc.if_else(pa.array(there), texts, pa.scalar(None, pa.string()))


def _texts_by_pattern(
    records: pa.RecordBatch, unsent: Mask, documents: Collection[str]
) -> pa.Array:
    patterns, which = np.unique(unsent.T, axis=0, return_inverse=True)
    which = which.reshape(-1)
    parts, rows = [], []
    for number, pattern in enumerate(patterns):
        found = np.flatnonzero(which == number)
        kept = [name for name, left in zip(records.schema.names, pattern, strict=True) if not left]
        parts.append(_texts(records.select(kept).take(pa.array(found)), documents))
        rows.append(found)
    order = np.argsort(np.concatenate(rows), kind="stable")
    return pa.concat_arrays(parts).take(pa.array(order))


def _texts(records: pa.RecordBatch, documents: Collection[str]) -> pa.Array:
    inside = [name for name in records.schema.names if name in documents]
    if not inside:
        return _lines(records)
    plain = records.select([name for name in records.schema.names if name not in documents])
    parts: list[pa.Array | str] = [pc.utf8_slice_codeunits(_lines(plain), 0, -1)]
    for number, name in enumerate(inside):
        comma = "," if number or plain.num_columns else ""
        # Between JSON's tokens a line may end; within them it can't.
        value = pc.replace_substring_regex(records.column(name), "[\r\n]", " ")
        parts += [f"{comma}{json.dumps(name)}:", pc.fill_null(value, "null")]
    return pc.binary_join_element_wise(*parts, "}", "")


def _lines(records: pa.RecordBatch) -> pa.Array:
    count = records.num_rows
    if not records.num_columns:
        return pa.array(["{}"] * count, pa.string())
    names = records.schema.names
    table = pa.table([_plain(column) for column in records.columns], names=names)
    target = io.BytesIO()
    arro3.io.write_ndjson(table, target, explicit_nulls=True)
    lines = np.frombuffer(target.getvalue(), np.uint8)
    ends = np.flatnonzero(lines == ord("\n")).astype(np.int64)
    lengths = np.diff(ends, prepend=-1) - 1
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    texts = lines[lines != ord("\n")]
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(texts)]
    return pa.Array.from_buffers(pa.string(), count, buffers)


def _plain(column: pa.Array) -> pa.Array:
    """As JSON can hold it without a loss, and PostgreSQL read it."""
    kind = column.type
    if pt.is_decimal(kind):
        return column.cast(pa.string())
    if pt.is_binary(kind):
        return _hexadecimal(column)
    if pt.is_floating(kind) and not pc.all(pc.is_finite(column), min_count=0).as_py():
        return _floats(column)
    if pt.is_interval(kind):
        return pa.array([_interval(value) for value in column.to_pylist()], pa.string())
    return column


def _floats(column: pa.Array) -> pa.Array:
    """As texts where one of them is no number of JSON's."""
    texts = column.cast(pa.string())
    for value, name in ((float("inf"), "Infinity"), (float("-inf"), "-Infinity")):
        texts = pc.if_else(pc.equal(column, value), name, texts)
    return pc.if_else(pc.is_nan(column), "NaN", texts)


def _hexadecimal(column: pa.Array) -> pa.Array:
    values = [None if v is None else "\\x" + v.hex() for v in column.to_pylist()]
    return pa.array(values, pa.string())


def _interval(value: tuple[int, int, int] | None) -> str | None:
    if value is None:
        return None
    months, days, nanoseconds = value
    return f"{months} months {days} days {nanoseconds // 1000} microseconds"
