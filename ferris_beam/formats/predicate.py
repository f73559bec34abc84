"""What a condition on rows needs to know."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.errors import SchemaError


def columns_of(predicate: pc.Expression, schema: pa.Schema) -> list[str]:
    """The columns that the predicate refers to: those without which it makes no sense.

    Raises `SchemaError` where it refers to others, or compares what can't be compared.
    """
    problem = _problem(predicate, schema)
    if problem is not None:
        raise SchemaError(f"the condition {predicate} can't be applied: {problem}")
    return [
        name
        for at, name in enumerate(schema.names)
        if _problem(predicate, schema.remove(at)) is not None
    ]


def _problem(predicate: pc.Expression, schema: pa.Schema) -> str | None:
    try:
        schema.empty_table().filter(predicate)
    except (pa.ArrowException, NotImplementedError, TypeError) as error:
        return str(error).split("\n")[0]
    return None
