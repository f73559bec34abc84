"""Data pipelines on Apache Beam: one URI in, one URI out, Arrow batches between.

::

    import apache_beam as beam
    import ferris_beam as fb

    with beam.Pipeline() as p:
        orders = p | fb.read("file:///data/orders*.csv.gz?delimiter=;")
        orders | fb.write("file:///data/out/?format=parquet&partition_by=country")

Names are imported when they are first used: ``import ferris_beam`` loads neither Beam nor pyarrow.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_PUBLIC = {
    "Batch": "ferris_beam.batches",
    "CheckSchema": "ferris_beam.transforms",
    "DeadLetters": "ferris_beam.transforms",
    "MapBatches": "ferris_beam.transforms",
    "MapRows": "ferris_beam.transforms",
    "ProgressOptions": "ferris_beam.transforms",
    "Rows": "ferris_beam.transforms",
    "Uri": "ferris_beam.uri",
    "create_sink": "ferris_beam.transforms",
    "create_source": "ferris_beam.transforms",
    "errors": "ferris_beam.errors",
    "function": "ferris_beam.sql.functions",
    "launch": "ferris_beam.runners",
    "read": "ferris_beam.transforms:create_source",
    "register": "ferris_beam.registry",
    "sql": "ferris_beam.sql",
    "write": "ferris_beam.transforms:create_sink",
}

__all__ = [
    "Batch",
    "CheckSchema",
    "DeadLetters",
    "MapBatches",
    "MapRows",
    "ProgressOptions",
    "Rows",
    "Uri",
    "create_sink",
    "create_source",
    "errors",
    "function",
    "launch",
    "read",
    "register",
    "sql",
    "write",
]

if TYPE_CHECKING:
    from ferris_beam import errors
    from ferris_beam.batches import Batch
    from ferris_beam.registry import register
    from ferris_beam.runners import launch
    from ferris_beam.sql.execution.transform import sql
    from ferris_beam.sql.functions import function
    from ferris_beam.transforms import (
        CheckSchema,
        DeadLetters,
        MapBatches,
        MapRows,
        ProgressOptions,
        Rows,
        create_sink,
        create_source,
    )
    from ferris_beam.uri import Uri

    read = create_source
    write = create_sink


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'ferris_beam' has no attribute {name!r}")
    module, _, attribute = _PUBLIC[name].partition(":")
    if module == f"ferris_beam.{name}":
        return import_module(module)
    value = getattr(import_module(module), attribute or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
