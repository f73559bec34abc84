"""Write: any connector's Writer as a Beam sink that commits rows, progress and rejects together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import PCollection
from apache_beam.transforms.window import GlobalWindows

from ferris_beam.batches import Batch
from ferris_beam.connector import Receipt
from ferris_beam.errors import PlanError
from ferris_beam.options import Resolved
from ferris_beam.transforms.context import PipelineContext
from ferris_beam.transforms.endpoint import Endpoint, plan_of, shown
from ferris_beam.transforms.finish import Finish
from ferris_beam.transforms.graph import Sink
from ferris_beam.transforms.lineage import Lineage, lineage, united
from ferris_beam.transforms.operator import apply_operator
from ferris_beam.transforms.rows import CollectBatches
from ferris_beam.transforms.write_fn import WriteDoFn

if TYPE_CHECKING:
    from ferris_beam.transforms.dead_letters import DeadLetters


class Write(beam.PTransform):
    """Writes to a sink (`fb.write`, `create_sink`).

    Input: a PCollection, or a tuple of several, of Batch, `pyarrow.RecordBatch` or Table, or rows
    (dict, ``beam.Row``, named tuple). Batches that come from an `fb.read` by transforms of this
    package are written exactly once, also over restarts; behind a foreign transform, or for rows,
    it is at least once, and the pipeline option ``--delivery=exactly_once`` refuses that.

    Output: PCollection[Receipt], one for each commit.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        schema: pa.Schema | None = None,
        dead_letters: DeadLetters | None = None,
        role: str = "data",
        stream: str = "",
    ) -> None:
        super().__init__()
        self.endpoint = endpoint
        self.stream = stream
        self.schema = schema
        self.dead_letters = dead_letters
        self.role = role

    def default_label(self) -> str:
        return f"Write({self.endpoint.display})"

    def expand(self, inputs: PCollection | tuple[PCollection, ...]) -> PCollection:
        """Each input has a step of its own, fused with what feeds it: a Flatten in front would
        make some runners hold all batches before the first is written."""
        pcolls = _as_tuple(self.label, inputs)
        context = PipelineContext.of(pcolls[0].pipeline)
        resolved = self.endpoint.resolved()
        writer = self.endpoint.writer(resolved)
        writer.stream = self.stream
        bounded = all(pcoll.is_bounded for pcoll in pcolls)
        if writer.needs_end and not bounded:
            raise PlanError(
                f"{self.endpoint.display} can't take input that never ends: {writer.needs_end}"
            )
        writer.endless = not bounded
        came_by = united([lineage(pcoll) for pcoll in pcolls], self.label)
        why_inexact = _why_inexact(came_by, context)
        steps = [
            self._step(context, pcoll, f"Write{number or ''}", resolved)
            for number, pcoll in enumerate(pcolls)
        ]
        label = steps[0].operator.label
        for step in steps:
            step.operator.sink = label
            context.steps.append(step.operator)
        paths = None if why_inexact else came_by.paths
        context.local_secrets += resolved.options.local_secrets
        context.add_sink(
            Sink(
                label,
                self.endpoint.connector.name,
                shown(resolved),
                writer.place,
                writer,
                paths,
                why_inexact,
                self.role,
                came_by.reads,
            )
        )
        receipts = steps[0].receipts
        if len(steps) > 1:
            receipts = tuple(step.receipts for step in steps) | "Receipts" >> beam.Flatten()
        if bounded:
            _ = receipts | "Finish" >> Finish(context, label)
        return receipts

    def _step(
        self, context: PipelineContext, pcoll: PCollection, name: str, resolved: Resolved
    ) -> _Step:
        batches = _in_global_window(pcoll, name)
        if lineage(pcoll).foreign or context.demanded == "at_least_once":
            collect = beam.ParDo(CollectBatches(self.schema)).with_output_types(Batch)
            batches = batches | f"{name}/Collect" >> collect
        operator = WriteDoFn(
            context,
            self.endpoint.connector.name,
            shown(resolved),
            plan_of(resolved),
            self.dead_letters is None,
            self.role,
        )
        outputs = apply_operator(batches, operator, name, main_type=Receipt)
        if self.dead_letters is not None:
            self.dead_letters.add(outputs.rejects)
        return _Step(operator, outputs.main)


class _Step(NamedTuple):
    operator: WriteDoFn
    receipts: PCollection


def _as_tuple(label: str, inputs: Any) -> tuple[PCollection, ...]:
    pcolls = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    if not pcolls or not all(isinstance(pcoll, PCollection) for pcoll in pcolls):
        raise PlanError(f"{label} writes PCollections; it can't be the first transform")
    return pcolls


def _in_global_window(pcoll: PCollection, name: str) -> PCollection:
    if isinstance(pcoll.windowing.windowfn, GlobalWindows):
        return pcoll
    return pcoll | f"{name}/GlobalWindow" >> beam.WindowInto(GlobalWindows())


def _why_inexact(came_by: Lineage, context: PipelineContext) -> str:
    """Why intervals can't be committed with the rows; empty: they can."""
    if context.demanded == "at_least_once":
        return "--delivery=at_least_once was asked for"
    if came_by.foreign:
        return (
            f"{' and '.join(repr(name) for name in sorted(set(came_by.foreign)))} drops the origin "
            "of batches; fb.MapBatches and fb.MapRows keep it"
        )
    sources = [source for source in context.sources if source.label in came_by.reads]
    for source in sources:
        if source.ordered and came_by.shuffled:
            return (
                f"{came_by.shuffled[0]!r} shuffles the batches of {source.uri}, which must be "
                "committed in order"
            )
    return ""
