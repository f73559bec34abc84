"""Batches to lines of text, column by column: for all that pyarrow's writer does not write."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from ferris_beam.errors import BadRecordError
from ferris_beam.formats.csv.date_format import DateFormat
from ferris_beam.formats.csv.style import Style

_TEXT = pa.large_string()


def lines_of(records: pa.RecordBatch, style: Style) -> bytes:
    """The rows as text in UTF-8, each with its line end. Raises `BadRecordError` for a text that
    can't be written without quotes where there are none."""
    if not records.num_rows:
        return b""
    columns = []
    for name, column in zip(records.schema.names, records.columns, strict=True):
        text = _text(column, style)
        is_text = pt.is_string(column.type) or pt.is_large_string(column.type)
        columns.append(_quoted(text, is_text, style, name, alone=records.num_columns == 1))
    null = style.null_value
    if len(columns) == 1 and not null:
        null = _lone_null(columns[0], style)
    return joined([pc.fill_null(column, _large(null)) for column in columns], style)


def _lone_null(column: pa.Array, style: Style) -> str:
    """A single column's null would be a blank line, which is no row."""
    if style.quoting == "none" and column.null_count:
        row = int(np.flatnonzero(column.is_null())[0])
        raise BadRecordError(
            "null in a single column would be a blank line; set null_value, or leave out quoting",
            "needs quotes",
            row,
        )
    return 2 * style.quote


def header_of(names: Iterable[str], style: Style) -> bytes:
    """The line of the columns' names; as minimally quoted as possible."""
    columns = []
    for name in names:
        text = pa.array([name], _TEXT)
        needed = pc.or_(_is_special(text, style), style.quoting not in ("minimal", "none"))
        columns.append(_enclosed(text, needed, style, name))
    if len(columns) == 1 and not columns[0][0].as_py() and style.quoting != "none":
        columns = [pa.array([2 * style.quote], _TEXT)]  # else it would be a blank line
    return joined(columns, style)


def joined(columns: list[pa.Array], style: Style) -> bytes:
    parts: list[pa.Array | pa.Scalar] = []
    for column in columns:
        parts += [column, _large(style.delimiter)]
    lines = _joined_texts(*parts[:-1], _large(style.line_end))
    _, offsets, text = lines.buffers()
    if text is None:
        return b""
    ends = np.frombuffer(offsets, np.int64)[lines.offset : lines.offset + len(lines) + 1]
    return bytes(memoryview(text)[int(ends[0]) : int(ends[-1])])


def _is_in(text: pa.Array, *values: str) -> pa.Array:
    return pc.is_in(text, pa.array(values, _TEXT))


def _large(text: str) -> pa.Scalar:
    return pa.scalar(text, _TEXT)


def _joined_texts(*parts: pa.Array | pa.Scalar) -> pa.Array:
    return pc.binary_join_element_wise(*parts, _large(""))


# ── values ──────────────────────────────────────────────────────────────────────────────────────


def _text(column: pa.Array, style: Style) -> pa.Array:
    kind = column.type
    if pt.is_duration(kind):
        column = column.cast(pa.int64())
    elif pt.is_date(kind) and style.date_format is not None:
        return _formatted(column.cast(pa.timestamp("s")), style.date_format)
    elif pt.is_timestamp(kind) and style.timestamp_format is not None:
        return _formatted(column, style.timestamp_format)
    text = column.cast(_TEXT)
    number = pt.is_floating(kind) or pt.is_decimal(kind)
    return pc.replace_substring(text, ".", style.decimal) if number else text


def _formatted(times: pa.Array, shape: DateFormat) -> pa.Array:
    """Times in a format, which are of UTC where they are of a zone. What the format lacks is left
    out."""
    utc = times.cast(pa.timestamp(times.type.unit))
    micros = pc.cast(pc.floor_temporal(utc, unit="microsecond"), pa.timestamp("us"), safe=False)
    seconds = pc.cast(pc.floor_temporal(micros, unit="second"), pa.timestamp("s"))
    parts = re.sub("%-?z", "Z", shape.text).split("%f")
    texts = [pc.strftime(seconds, part).cast(_TEXT) if part else _large("") for part in parts]
    if len(texts) == 1:
        return texts[0]
    fraction = pc.subtract(micros.cast(pa.int64()), pc.multiply(seconds.cast(pa.int64()), 10**6))
    digits = pc.ascii_lpad(fraction.cast(_TEXT), 6, "0")
    return _joined_texts(texts[0], digits, texts[1])


# ── quotes ──────────────────────────────────────────────────────────────────────────────────────


def _quoted(text: pa.Array, is_text: bool, style: Style, name: str, alone: bool) -> pa.Array:
    """The values as they stand in the file; nulls stay. ``alone``: an empty text would be a blank
    line."""
    everything = style.quoting == "all" or (style.quoting == "strings" and is_text)
    if everything:
        return _enclosed(text, pa.array(np.ones(len(text), np.bool_)), style, name)
    if not is_text and not style.may_be_in_values:
        return text
    needed = _is_special(text, style)
    if is_text:
        needed = pc.or_(needed, _is_in(text, style.null_value, *([""] if alone else [])))
    return _enclosed(text, needed, style, name)


def _is_special(text: pa.Array, style: Style) -> pa.Array:
    """Whether a value, as it is, would be read as something else."""
    marks = [re.escape(mark) for mark in (style.delimiter, style.quote, style.escape) if mark]
    return pc.match_substring_regex(text, f"{'|'.join(marks)}|\\r|\\n")


def _enclosed(text: pa.Array, needed: pa.Array, style: Style, name: str) -> pa.Array:
    """The values that need it in quotes; without quotes their characters escaped."""
    if not pc.any(needed).as_py():
        return text
    if style.quoting == "none":
        return _escaped(text, needed, style, name)
    inside = text
    if style.escape:
        inside = pc.replace_substring(inside, style.escape, 2 * style.escape)
    inside = pc.replace_substring(inside, style.quote, (style.escape or style.quote) + style.quote)
    return pc.if_else(needed, _joined_texts(_large(style.quote), inside, _large(style.quote)), text)


def _escaped(text: pa.Array, needed: pa.Array, style: Style, name: str) -> pa.Array:
    impossible = pc.and_(needed, _is_in(text, style.null_value, "")) if style.escape else needed
    rows = np.flatnonzero(impossible.fill_null(False))
    if len(rows):
        value = text[int(rows[0])].as_py()
        raise BadRecordError(
            f"column {name!r}: {value[:60]!r} can't be written without quotes; set quoting=minimal"
            + ("" if style.escape else ", or an escape character"),
            "needs quotes",
            int(rows[0]),
        )
    escaped = text
    for mark in (style.escape, style.delimiter, style.quote, "\r", "\n"):
        if mark:
            escaped = pc.replace_substring(escaped, mark, style.escape + mark)
    return escaped
