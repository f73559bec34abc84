"""Holding batches against an expected schema, column by column, a whole batch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from ferris_beam.batches.casting import ColumnCast, cast_column, explain, spoken
from ferris_beam.errors import SchemaError
from ferris_beam.formats.widening import widened_type
from ferris_beam.schemas.policies import Policies

Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class Checked:
    """The rows that go on, the rejected ones as (row, reason) by their number in the batch that was
    checked, in order, and how many rows were dropped."""

    records: pa.RecordBatch
    rejected: Sequence[tuple[int, str]] = ()
    dropped: int = 0


class SchemaCheck:
    """Checks batches against ``expected``; see `Policies` for what happens to differences.

    A type that the expected one holds in full is no difference (int32 for int64, a dictionary of
    texts for text, all null for anything): such columns are cast.
    """

    def __init__(self, expected: pa.Schema, policies: Policies) -> None:
        self.expected = expected
        self.policies = policies

    def __repr__(self) -> str:
        return f"SchemaCheck({self.expected.to_string()}, {self.policies})"

    def check(self, records: pa.RecordBatch) -> Checked:
        """Raises `SchemaError` where the policy for a difference is 'fail'."""
        if records.schema.equals(self.expected) and not _has_nulls(records):
            return Checked(records)
        _refuse_repeated(records.schema)
        work = _Work(records)
        for wanted in self.expected:
            at = records.schema.get_field_index(wanted.name)
            if at < 0:
                self._missing(work, wanted)
            else:
                self._found(work, wanted, records.column(at))
        self._extra(work)
        return work.result()

    # ── the kinds of difference ─────────────────────────────────────────────────────────────

    def _missing(self, work: _Work, wanted: pa.Field) -> None:
        reason = f"the column {wanted.name!r} is missing"
        match self.policies.missing:
            case "fail":
                raise SchemaError(f"{reason}; {work.columns()}")
            case "drop":
                work.drop(work.everywhere)
            case "dead_letter":
                work.reject(work.everywhere, reason)
            case "evolve":
                wanted = wanted.with_nullable(True)
        if self.policies.missing != "accept":
            work.keep(wanted, pa.nulls(work.rows, wanted.type))

    def _found(self, work: _Work, wanted: pa.Field, column: pa.Array) -> None:
        kept = wanted
        cast = _cast(column, wanted) if _holds(wanted.type, column.type) else None
        if cast is not None and not len(cast.bad):
            column = cast.column
        else:
            kept, column = self._changed(work, wanted, column)
        if not wanted.nullable and column.null_count:
            kept = self._nulls(work, kept, column)
        work.keep(kept, column)

    def _changed(
        self, work: _Work, wanted: pa.Field, column: pa.Array
    ) -> tuple[pa.Field, pa.Array]:
        policy = self.policies.changed
        if policy == "fail":
            raise SchemaError(
                f"the column {wanted.name!r} is {spoken(column.type)}, and {spoken(wanted.type)} "
                "is expected; change one of the two, or choose another policy for changed="
            )
        if policy == "accept":
            return wanted.with_type(column.type), column
        kept = wanted.with_type(_common(wanted, column.type)) if policy == "evolve" else wanted
        cast = _cast(column, kept)
        if policy == "drop":
            work.drop(_mask(work.rows, cast.bad))
        else:  # also where a wider type does not hold a value (an integer above 2**53 as a double)
            for failure in explain(column, cast.bad, kept):
                work.reject_row(failure.row, failure.reason)
        return kept, cast.column

    def _nulls(self, work: _Work, kept: pa.Field, column: pa.Array) -> pa.Field:
        nulls = column.is_null().to_numpy(zero_copy_only=False) & ~work.gone
        if not nulls.any():
            return kept
        reason = f"{kept.name}: null where a value is required"
        match self.policies.nulls:
            case "fail":
                raise SchemaError(f"{reason} (row {int(nulls.argmax()) + 1} of a batch)")
            case "drop":
                work.drop(nulls)
            case "dead_letter":
                work.reject(nulls, reason)
            case _:
                return kept.with_nullable(True)
        return kept

    def _extra(self, work: _Work) -> None:
        names = [name for name in work.records.schema.names if name not in self.expected.names]
        if names and self.policies.extra == "fail":
            raise SchemaError(
                f"{', '.join(map(repr, names))} {'is' if len(names) == 1 else 'are'} not expected; "
                f"expected are: {', '.join(self.expected.names)}"
            )
        for name in sorted(names) if self.policies.extra == "evolve" else names:
            at = work.records.schema.get_field_index(name)
            if self.policies.extra in ("accept", "evolve"):
                work.keep(work.records.schema.field(at), work.records.column(at))
            elif self.policies.extra == "dead_letter":
                valued = work.records.column(at).is_valid().to_numpy(zero_copy_only=False)
                work.reject(valued, f"the column {name!r} is not expected")


@dataclass
class _Work:
    """A batch while it is checked: the columns that go on, and the rows that don't."""

    records: pa.RecordBatch
    fields: list[pa.Field] = field(default_factory=list)
    arrays: list[pa.Array] = field(default_factory=list)
    reasons: dict[int, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rows: int = self.records.num_rows
        self.gone: Mask = np.zeros(self.rows, np.bool_)

    @property
    def everywhere(self) -> Mask:
        return np.ones(self.rows, np.bool_)

    def columns(self) -> str:
        return f"there are: {', '.join(self.records.schema.names)}"

    def keep(self, kept: pa.Field, array: pa.Array) -> None:
        self.fields.append(kept)
        self.arrays.append(array)

    def drop(self, rows: Mask) -> None:
        self.gone |= rows

    def reject(self, rows: Mask, reason: str) -> None:
        for row in np.flatnonzero(rows):
            self.reject_row(int(row), reason)

    def reject_row(self, row: int, reason: str) -> None:
        self.gone[row] = True
        self.reasons.setdefault(row, []).append(reason)

    def result(self) -> Checked:
        """A row that one difference rejects and another drops is rejected: it leaves a trace."""
        schema = pa.schema(self.fields, self.records.schema.metadata)
        arrays = self.arrays
        gone = int(self.gone.sum())
        if gone:
            kept = pa.array(np.flatnonzero(~self.gone))
            arrays = [array.take(kept) for array in arrays]
        rejected = [(row, "; ".join(self.reasons[row])) for row in sorted(self.reasons)]
        records = pa.RecordBatch.from_arrays(arrays, schema=schema)
        return Checked(records, rejected, gone - len(rejected))


def _has_nulls(records: pa.RecordBatch) -> bool:
    """Whether a column has nulls that must not."""
    return any(
        not known.nullable and column.null_count
        for known, column in zip(records.schema, records.columns, strict=True)
    )


def _refuse_repeated(schema: pa.Schema) -> None:
    repeated = sorted({name for name in schema.names if schema.names.count(name) > 1})
    if repeated:
        raise SchemaError(
            f"several columns are named {', '.join(map(repr, repeated))}; rename them"
        )


def _holds(wanted: pa.DataType, given: pa.DataType) -> bool:
    """Whether every value of ``given`` is one of ``wanted``, of the same kind."""
    if given == wanted or pt.is_null(given):
        return True
    if _is_text(wanted) != _is_text(given):
        return False
    try:
        return widened_type(wanted, given) == wanted
    except TypeError:
        return False


def _is_text(kind: pa.DataType) -> bool:
    plain = kind.value_type if pt.is_dictionary(kind) else kind
    return pt.is_string(plain) or pt.is_large_string(plain) or pt.is_string_view(plain)


def _cast(column: pa.Array, wanted: pa.Field) -> ColumnCast:
    """The column as the wanted type; all values are bad where there is no such cast."""
    try:
        return cast_column(column, wanted.type, name=wanted.name)
    except SchemaError:
        return ColumnCast(pa.nulls(len(column), wanted.type), np.flatnonzero(column.is_valid()))


def _common(wanted: pa.Field, given: pa.DataType) -> pa.DataType:
    try:
        return widened_type(wanted.type, given)
    except TypeError as error:
        raise SchemaError(
            f"the column {wanted.name!r}: {error}; choose another policy than evolve for changed="
        ) from None


def _mask(rows: int, chosen: Any) -> Mask:
    mask = np.zeros(rows, np.bool_)
    mask[chosen] = True
    return mask
