"""Casting between schemas: safe by default, and row by row where it can't be done at once.

A value that does not survive (not a number, out of range, with decimals lost, null where there
must be none) rejects its row and no other. A whole column is tried first; a column that fails is
halved until the bad rows are found, so that the good ones are cast by the same kernel either way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from ferris_beam.batches.rows import python_values
from ferris_beam.errors import SchemaError

Rows = np.ndarray[Any, np.dtype[np.int64]]
Kernel = Callable[[pa.Array], pa.Array]

_SHOWN = 60
_TIME = r"^\d\d:\d\d(:\d\d(\.\d+)?)?$"
_DECIMAL = r"^[+-]?0*(?P<whole>[0-9]*)[.]?(?P<fraction>[0-9]*)(?:[eE][+]?(?P<exponent>-?[0-9]+))?$"
_SHORT = 30
"""Texts so short have fewer digits than a decimal128 holds."""
_NO_ROWS: Rows = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class CastFailure:
    """Why a row was rejected; ``row`` counts from 0 in the batch before the cast."""

    row: int
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class Cast:
    """The rows that could be cast. ``kept`` are their numbers in the batch before the cast, None
    if those are all; ``failures`` are sorted by row, and a row may have several."""

    records: pa.RecordBatch
    kept: Rows | None = None
    failures: Sequence[CastFailure] = ()


class ColumnCast(NamedTuple):
    """A column after its cast, with nulls in the rows ``bad`` that could not be cast."""

    column: pa.Array
    bad: Rows


def cast_records(records: pa.RecordBatch, schema: pa.Schema, safe: bool = True) -> Cast:
    """``records`` with the columns of ``schema``, in its order and with its types.

    Columns are found by name; a missing one is null, others are dropped. ``safe=False`` lets
    numbers wrap and fractions be cut off. Raises `SchemaError` where a column that must not be null
    is missing or a type can't be cast to the other at all.
    """
    if records.schema.equals(schema, check_metadata=True) and _all_nullable(schema):
        return Cast(records)
    columns, failures = [], []
    for field in schema:
        column = _find(records, field)
        cast = cast_column(column, field.type, safe, field.name)
        columns.append(cast.column)
        failures += explain(column, cast.bad, field)
        if not field.nullable and cast.column.null_count > len(cast.bad):
            failures += _null_failures(field, cast)
    return _collect(columns, failures, schema, records.num_rows)


def cast_column(
    column: pa.Array, wanted: pa.DataType, safe: bool = True, name: str = "?"
) -> ColumnCast:
    """One column as another type; ``name`` is for the message of a `SchemaError`."""
    if column.type == wanted:
        return ColumnCast(column, _NO_ROWS)
    if pt.is_dictionary(column.type):
        column = column.dictionary_decode()
    kernel = _kernel(column.type, wanted, safe)
    try:
        return ColumnCast(kernel(column), _NO_ROWS)
    except pa.ArrowNotImplementedError as error:
        raise SchemaError(
            f"column {name!r}: {spoken(column.type)} can't be cast to {spoken(wanted)}; "
            "change one of the two schemas, or drop the column"
        ) from error
    except pa.ArrowInvalid:
        return (
            _by_values(column, kernel, wanted)
            if _is_text(column.type)
            else _by_halves(column, kernel, wanted)
        )


def explain(column: pa.Array, bad: Rows, field: pa.Field) -> list[CastFailure]:
    """The failures of the ``bad`` rows of ``column``, which could not become ``field``."""
    is_not = "is not" if _is_text(column.type) else "does not fit"
    wanted = spoken(field.type)
    return [
        CastFailure(int(row), field.name, f"{field.name}: {shown(column[row])} {is_not} {wanted}")
        for row in bad
    ]


def spoken(wanted: pa.DataType) -> str:
    """A type with its article: 'a double', 'an int64'."""
    text = str(wanted)
    return f"{'an' if text[0] in 'aeiou' else 'a'} {text}"


def shown(value: pa.Scalar) -> str:
    """A value for a message, cut to a reasonable length; texts in quotes."""
    text = _repr(value) if _is_text(value.type) or pt.is_nested(value.type) else _plain(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _repr(value: pa.Scalar) -> str:
    (found,) = python_values(pa.array([value]))
    try:
        return repr(found.decode() if isinstance(found, bytes) else found)
    except UnicodeDecodeError:
        return repr(found)


def _plain(value: pa.Scalar) -> str:
    """As Arrow writes it: Python has no date for some years, and no nanoseconds."""
    try:
        return str(value.cast(pa.string()).as_py())
    except pa.ArrowException:  # durations have no text in Arrow
        return str(value)


# ── finding the bad rows ────────────────────────────────────────────────────────────────────────


def _by_values(column: pa.Array, kernel: Kernel, wanted: pa.DataType) -> ColumnCast:
    """Casts each different text once: bad ones are often the same ('N/A', '-')."""
    encoded = column.dictionary_encode()
    values = _by_halves(encoded.dictionary, kernel, wanted)
    codes = encoded.indices
    bad = np.isin(codes.fill_null(-1).to_numpy(zero_copy_only=False), values.bad)
    return ColumnCast(values.column.take(codes), np.flatnonzero(bad))


def _by_halves(column: pa.Array, kernel: Kernel, wanted: pa.DataType) -> ColumnCast:
    pieces: list[pa.Array] = []
    bad: list[int] = []
    spans = [(0, len(column))]
    while spans:
        start, stop = spans.pop()
        try:
            pieces.append(kernel(_part(column, start, stop)))
        except pa.ArrowInvalid:
            if stop - start == 1:
                pieces.append(pa.nulls(1, wanted))
                bad.append(start)
            else:
                middle = (start + stop) // 2
                spans += [(middle, stop), (start, middle)]
    return ColumnCast(pa.concat_arrays(pieces), np.array(bad, np.int64))


def _part(column: pa.Array, start: int, stop: int) -> pa.Array:
    """Some rows. Nested ones are copied: Arrow casts all items behind a slice, not only its own."""
    if pt.is_nested(column.type):
        return column.take(pa.array(np.arange(start, stop)))
    return column.slice(start, stop - start)


# ── kernels ─────────────────────────────────────────────────────────────────────────────────────


def _kernel(given: pa.DataType, wanted: pa.DataType, safe: bool) -> Kernel:
    """What casts arrays of one type to the other, or raises `pa.ArrowInvalid`."""
    if pt.is_null(given):
        return lambda column: pa.nulls(len(column), wanted)
    if _is_text(given) and pt.is_time(wanted):
        return lambda column: _text_to_time(column, wanted)
    if _is_text(given) and pt.is_decimal(wanted):
        return lambda column: _text_to_decimal(column, wanted)
    if pt.is_decimal(given) and pt.is_decimal(wanted) and safe:
        return lambda column: _narrow_decimal(column, wanted)
    if pt.is_floating(given) and pt.is_floating(wanted) and safe:
        return lambda column: _narrow_float(column, wanted)
    return lambda column: column.cast(wanted, safe=safe)


def _narrow_float(column: pa.Array, wanted: pa.DataType) -> pa.Array:
    """Arrow turns what is too large into infinity without a word."""
    result = column.cast(wanted)
    overflow = pc.and_(pc.is_inf(result), pc.invert(pc.is_inf(column)))
    if pc.any(overflow).as_py():
        raise pa.ArrowInvalid(f"a value is too large for {wanted}")
    return result


def _narrow_decimal(column: pa.Array, wanted: pa.DataType) -> pa.Array:
    """Arrow lets what is too large for a decimal of fewer bits wrap around without a word."""
    result = column.cast(wanted)
    if wanted.bit_width < column.type.bit_width and not result.cast(column.type).equals(column):
        raise pa.ArrowInvalid(f"a value is too large for {wanted}")
    return result


def _text_to_decimal(column: pa.Array, wanted: pa.DataType) -> pa.Array:
    """Arrow lets texts of more digits than a decimal's bits hold wrap around, too."""
    texts = column.cast(pa.string())
    if _may_have_many_digits(texts) and not pc.all(_have_few_digits(texts, wanted)).as_py():
        raise pa.ArrowInvalid(f"a value has too many digits for {wanted}")
    return _narrow_decimal(texts.cast(pa.decimal256(76, wanted.scale)), wanted)


def _may_have_many_digits(texts: pa.Array) -> bool:
    longest = pc.max(pc.binary_length(texts)).as_py() or 0
    exponents = pc.match_substring(texts, "e", ignore_case=True)
    return longest > _SHORT or bool(pc.any(exponents).as_py())


def _have_few_digits(texts: pa.Array, wanted: pa.DataType) -> pa.Array:
    """Whether the digits, with those that an exponent adds, are at most what ``wanted`` has ahead
    of the point, and at most the 76 of a decimal256 in all."""
    parts = pc.extract_regex(texts, _DECIMAL)
    whole, fraction, exponent = (parts.field(name) for name in ("whole", "fraction", "exponent"))
    shift = pc.if_else(pc.less(pc.binary_length(exponent), 4), exponent, "999")
    shift = pc.if_else(pc.equal(shift, ""), "0", shift).cast(pa.int32())
    ahead = pc.add(pc.binary_length(whole), pc.max_element_wise(shift, 0))
    behind = pc.subtract(pc.binary_length(fraction), pc.min_element_wise(shift, 0))
    total = pc.add(ahead, pc.max_element_wise(behind, wanted.scale))
    fits = pc.and_(pc.less_equal(ahead, wanted.precision - wanted.scale), pc.less_equal(total, 76))
    return pc.or_kleene(pc.fill_null(fits, False), texts.is_null())


def _text_to_time(column: pa.Array, wanted: pa.DataType) -> pa.Array:
    """Arrow casts texts to timestamps but not to times of day."""
    texts = column.cast(pa.string())
    if pc.any(pc.invert(pc.match_substring_regex(texts, _TIME))).as_py():
        raise pa.ArrowInvalid("not a time of day")
    day = pc.binary_join_element_wise("1970-01-01", texts, "T")
    return day.cast(pa.timestamp(wanted.unit)).cast(wanted)


def _is_text(given: pa.DataType) -> bool:
    return (
        pt.is_string(given)
        or pt.is_large_string(given)
        or pt.is_binary(given)
        or pt.is_large_binary(given)
    )


# ── the batch ───────────────────────────────────────────────────────────────────────────────────


def _all_nullable(schema: pa.Schema) -> bool:
    return all(field.nullable for field in schema)


def _find(records: pa.RecordBatch, field: pa.Field) -> pa.Array:
    indices = records.schema.get_all_field_indices(field.name)
    if len(indices) > 1:
        raise SchemaError(f"there are {len(indices)} columns named {field.name!r}; rename them")
    if indices:
        return records.column(indices[0])
    if not field.nullable:
        raise SchemaError(
            f"the column {field.name!r} is missing and must not be null; there are: "
            f"{', '.join(records.schema.names)}"
        )
    return pa.nulls(records.num_rows, field.type)


def _null_failures(field: pa.Field, cast: ColumnCast) -> list[CastFailure]:
    nulls = np.flatnonzero(cast.column.is_null().to_numpy(zero_copy_only=False))
    reason = f"{field.name}: null where a value is required"
    return [CastFailure(int(row), field.name, reason) for row in np.setdiff1d(nulls, cast.bad)]


def _collect(
    columns: Sequence[pa.Array], failures: list[CastFailure], schema: pa.Schema, rows: int
) -> Cast:
    if not failures:
        return Cast(pa.RecordBatch.from_arrays(columns, schema=schema))
    failures.sort(key=lambda failure: failure.row)
    kept = np.delete(np.arange(rows), [failure.row for failure in failures])
    taken = [column.take(pa.array(kept)) for column in columns]
    return Cast(pa.RecordBatch.from_arrays(taken, schema=schema), kept, failures)
