"""What a condition on rows needs to know."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.acero as acero
import pyarrow.compute as pc

from ferris_beam.errors import SchemaError


def columns_of(predicate: pc.Expression, schema: pa.Schema) -> list[str]:
    """The columns that the predicate refers to: those without which it makes no sense.

    Raises `SchemaError` where it refers to others, or compares what can't be compared.
    """
    problem = _problem(predicate, schema)
    if problem is not None:
        raise SchemaError(f"the condition {predicate} can't be applied: {problem}")
    text = str(predicate)
    return [
        name
        for at, name in enumerate(schema.names)
        if name in text and _problem(predicate, schema.remove(at)) is not None
    ]


def _problem(predicate: pc.Expression, schema: pa.Schema) -> str | None:
    try:
        schema.empty_table().filter(predicate)
    except (pa.ArrowException, NotImplementedError, TypeError) as error:
        return str(error).split("\n")[0]
    return None


def mask_of(records: pa.RecordBatch, predicate: pc.Expression) -> pa.Array:
    """For which rows ``predicate`` is true, false or null.

    Only the mask is computed by Arrow's query engine: `RecordBatch.filter` would send the rows
    through it, at three times the cost for a batch of 64k.
    """
    source = acero.TableSourceNodeOptions(pa.Table.from_batches([records]))
    project = acero.ProjectNodeOptions([predicate], ["mask"])
    plan = acero.Declaration.from_sequence(
        [acero.Declaration("table_source", source), acero.Declaration("project", project)]
    )
    mask = plan.to_table(use_threads=False)["mask"]
    return pa.concat_arrays(mask.chunks) if mask.num_chunks else pa.array([], pa.bool_())
