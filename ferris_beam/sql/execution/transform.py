"""`fb.sql`: a SQL text as a PTransform, over URIs and PCollections together."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import PBegin, PCollection

from ferris_beam.batches import Batch
from ferris_beam.errors import ConfigurationError, PlanError
from ferris_beam.sql.execution.given import given_batches, given_schema, remember
from ferris_beam.sql.execution.program import Built, run_program
from ferris_beam.sql.functions import UserFunction, using
from ferris_beam.sql.pipeline_options import refuse_pipeline_options
from ferris_beam.sql.plan.catalog import Catalog
from ferris_beam.sql.plan.program import Program, plan_program
from ferris_beam.sql.syntax import parse, replace_variables
from ferris_beam.sql.text import SqlText

if TYPE_CHECKING:
    from ferris_beam.transforms.dead_letters import DeadLetters


class Sql(beam.PTransform):
    """The statements of ``text``, in one pipeline::

        revenue = p | fb.sql("SELECT country, SUM(amount) AS total FROM orders GROUP BY country",
                             orders=orders)

    Applied to a pipeline; or to a PCollection, which the text calls ``input``; or to a dictionary
    of PCollections by name. ``relations`` are further PCollections by the names that the text has
    for them: of Batch, `pyarrow.RecordBatch`, or of rows. ``schemas`` tells their columns
    (`pyarrow.Schema`) where that can't be seen: `fb.read`, `fb.sql` and named tuples say it
    themselves. ``functions`` are user functions (`fb.function`). ``variables`` replace ``${name}``
    in the text, as those of the environment do (`ferris_beam.sql.syntax.variables`).

    Output: PCollection[Batch] of the last statement, if it is a query or a stream without INTO;
    else the PCollection[Receipt] of what it writes. Statements with INTO are written, exactly once
    where `fb.read` and `fb.write` are. Rows that can't be read, computed or written go to
    ``dead_letters``; without it the first one stops the job. Raises `SqlError` when it is applied.
    """

    def __init__(
        self,
        text: str,
        *,
        schemas: Mapping[str, pa.Schema] | None = None,
        functions: Iterable[UserFunction] = (),
        variables: Mapping[str, str] | None = None,
        dead_letters: DeadLetters | None = None,
        **relations: PCollection,
    ) -> None:
        super().__init__()
        self.text = replace_variables(SqlText(text), os.environ, variables)
        self.schemas = dict(schemas or {})
        self.functions = tuple(functions)
        self.dead_letters = dead_letters
        self.relations = relations

    def default_label(self) -> str:
        return "Sql"

    def _extract_input_pvalues(self, pvalueish: Any) -> tuple[Any, dict[str, Any]]:
        """The PCollections of ``relations`` are inputs like those that it is applied to."""
        pvalueish, inputs = super()._extract_input_pvalues(pvalueish)
        return pvalueish, {**inputs, **self.relations}

    def expand(self, applied_to: PBegin | PCollection | Mapping[str, PCollection]) -> PCollection:
        with using(self.functions):
            return self._applied({**_named(applied_to), **self.relations}, applied_to)

    def _applied(self, relations: Mapping[str, PCollection], applied_to: Any) -> PCollection:
        pipeline = self._pipeline(applied_to, relations)
        schemas = {
            name: given_schema(name, pcoll, self.schemas.get(name))
            for name, pcoll in relations.items()
        }
        statements = parse(self.text)
        refuse_pipeline_options(statements, self.text)
        program = plan_program(statements, self.text, Catalog(schemas))
        if not program.outputs:
            raise PlanError(f"{self.label}: the text holds nothing to compute")
        given = {
            name: given_batches(name, pcoll, schemas[name]) for name, pcoll in relations.items()
        }
        built = run_program(
            pipeline, program, given=given, text=self.text, dead_letters=self.dead_letters
        )
        return self._result(program, built)

    @staticmethod
    def _pipeline(applied_to: Any, relations: Mapping[str, PCollection]) -> beam.Pipeline:
        for pcoll in relations.values():
            return pcoll.pipeline
        return applied_to.pipeline

    @staticmethod
    def _result(program: Program, built: Built) -> PCollection:
        last = list(built.results)[-1]
        if last in built.receipts:
            return built.receipts[last]
        streams = built.results[last]
        result = streams[0] if len(streams) == 1 else streams | "Result" >> beam.Flatten()
        result.element_type = Batch
        remember(result, program.outputs[-1].node.schema)
        return result


def sql(text: str, **arguments: Any) -> Sql:
    """See `Sql`."""
    return Sql(text, **arguments)


def _named(applied_to: Any) -> Mapping[str, PCollection]:
    if isinstance(applied_to, PBegin):
        return {}
    if isinstance(applied_to, PCollection):
        return {"input": applied_to}
    if isinstance(applied_to, Mapping):
        return applied_to
    raise ConfigurationError(
        "fb.sql is applied to a pipeline, a PCollection, or a dictionary of PCollections by name"
    )
