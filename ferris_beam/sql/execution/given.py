"""PCollections that are handed to SQL: which columns they have, and how they become batches."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import PCollection

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


def given_batches(name: str, pcoll: PCollection, schema: pa.Schema) -> PCollection:
    """``pcoll`` as batches; rows become some, without origin."""
    if pcoll.element_type is Batch:
        return pcoll
    collect = beam.ParDo(CollectBatches(schema)).with_output_types(Batch)
    return pcoll | f"{name}: Batches" >> collect
