"""Rows at the edges: dictionaries and named tuples in, dictionaries and beam.Row out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.types as pt

from ferris_beam.errors import BadRecordError, SchemaError


def to_rows(records: pa.RecordBatch) -> list[dict[str, Any]]:
    """A dictionary for each row. Of columns with equal names the last one wins.

    Times that Python has no type for (nanoseconds, years above 9999) are texts, durations of
    nanoseconds are integers; where pandas is installed, nanoseconds are its types.
    """
    try:
        return records.to_pylist()
    except (ValueError, OverflowError):
        columns = [python_values(column) for column in records.columns]
        names = records.schema.names
        return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def python_values(column: pa.Array) -> list[Any]:
    """The values of a column as Python's, see `to_rows`."""
    try:
        return column.to_pylist()
    except (ValueError, OverflowError):
        return column.cast(_python_type(column.type)).to_pylist()


def _python_type(kind: pa.DataType) -> pa.DataType:
    """``kind`` with texts for times, also within lists, structs and maps."""
    if pt.is_duration(kind):
        return pa.int64()
    if pt.is_temporal(kind):
        return pa.string()
    if pt.is_struct(kind):
        return pa.struct([field.with_type(_python_type(field.type)) for field in kind])
    if pt.is_map(kind):
        return pa.map_(_python_type(kind.key_type), _python_type(kind.item_type))
    if pt.is_list(kind) or pt.is_large_list(kind) or pt.is_fixed_size_list(kind):
        return pa.list_(_python_type(kind.value_type))
    return kind


def from_rows(rows: Iterable[Any], schema: pa.Schema | None = None) -> pa.RecordBatch:
    """Rows (mappings, beam.Row, named tuples, dataclasses) as one batch.

    Without ``schema`` the columns are those of all rows in order of appearance, types inferred.
    Raises `SchemaError` where the types of a column can't be united, or `BadRecordError` (with the
    row's index) for a row that does not fit the given schema.
    """
    mappings = [as_mapping(row) for row in rows]
    if schema is None:
        return _inferred(mappings)
    try:
        return pa.RecordBatch.from_pylist(mappings, schema=schema)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        raise _bad_row(mappings, schema) from None


def as_mapping(row: Any) -> Mapping[str, Any]:
    if isinstance(row, Mapping):
        return row
    if hasattr(row, "_asdict"):
        return row._asdict()
    if hasattr(row, "as_dict"):
        return row.as_dict()
    if hasattr(row, "__dict__"):
        return {name: value for name, value in vars(row).items() if not name.startswith("_")}
    raise SchemaError(
        f"a row is a dictionary, beam.Row, named tuple or dataclass, not {type(row).__name__}"
    )


def _inferred(rows: Sequence[Mapping[str, Any]]) -> pa.RecordBatch:
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = []
    for name in names:
        try:
            columns.append(pa.array([row.get(name) for row in rows]))
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise SchemaError(
                f"column {name!r} holds values of different types ({error}); give a schema="
            ) from error
    return pa.RecordBatch.from_arrays(columns, names=names)


def _bad_row(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> BadRecordError:
    for index, row in enumerate(rows):
        try:
            pa.RecordBatch.from_pylist([row], schema=schema)
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            return BadRecordError(f"row {index} does not fit the schema: {error}", "type", index)
    return BadRecordError("the rows do not fit the schema together", "type")
