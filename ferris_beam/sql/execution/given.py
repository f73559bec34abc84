"""PCollections that are handed to SQL: which columns they have, and how they become batches."""

from __future__ import annotations

import datetime
from typing import Any, get_args, get_origin, get_type_hints
from weakref import WeakKeyDictionary

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import PCollection
from apache_beam.typehints.row_type import RowTypeConstraint

from ferris_beam.batches import Batch
from ferris_beam.errors import PlanError
from ferris_beam.transforms.reading import Reading
from ferris_beam.transforms.rows import CollectBatches

_known: WeakKeyDictionary[PCollection, pa.Schema] = WeakKeyDictionary()


def remember(pcoll: PCollection, schema: pa.Schema) -> None:
    """Keeps the schema of a result for those who go on with it."""
    _known[pcoll] = schema


def given_schema(name: str, pcoll: PCollection, schema: Any = None) -> pa.Schema:
    """The columns of ``pcoll``; `PlanError` where they can't be seen and weren't said."""
    if schema is not None:
        return pa.schema(schema)
    if pcoll in _known:
        return _known[pcoll]
    fn = getattr(pcoll.producer.transform, "fn", None)
    if isinstance(fn, Reading):
        return _read_schema(fn)
    fields = _fields_of(pcoll.element_type)
    if fields:
        return pa.schema(fields)
    raise PlanError(
        f"the columns of {name!r} can't be seen in its PCollection: say them, "
        f"fb.sql(…, {name}=…, schemas={{{name!r}: pyarrow.schema(…)}})"
    )


def _read_schema(read: Reading) -> pa.Schema:
    read.reader.open()
    try:
        schema = read.reader.schema()
    finally:
        read.reader.close()
    if read.residual.columns is None:
        return schema
    return pa.schema([schema.field(name) for name in read.residual.columns])


def _fields_of(kind: Any) -> list[tuple[str, Any]]:
    """The columns of rows of a NamedTuple class, or of ``beam.Row`` with known types; empty where
    it is neither, or a type says too little."""
    if isinstance(kind, RowTypeConstraint):
        named = dict(kind._fields)
    elif isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields"):
        named = get_type_hints(kind)
    else:
        return []
    fields = [(name, _type_of(hint)) for name, hint in named.items()]
    return [] if any(found is None for _, found in fields) else fields


def _type_of(hint: Any) -> pa.DataType | None:
    arguments = [each for each in get_args(hint) if each is not type(None)]
    if get_origin(hint) is list and arguments:
        item = _type_of(arguments[0])
        return None if item is None else pa.list_(item)
    return _TYPES.get(arguments[0] if len(arguments) == 1 else hint)


_TYPES: dict[Any, pa.DataType] = {
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
    bytes: pa.binary(),
    datetime.date: pa.date32(),
    datetime.datetime: pa.timestamp("us"),
}


def given_batches(name: str, pcoll: PCollection, schema: pa.Schema) -> PCollection:
    """``pcoll`` as batches; rows become some, without origin."""
    if pcoll.element_type is Batch:
        return pcoll
    collect = beam.ParDo(CollectBatches(schema)).with_output_types(Batch)
    return pcoll | f"{name}: Batches" >> collect
