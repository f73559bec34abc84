"""EXPLAIN of a pipeline that is built: its plans, its transforms, its guarantee."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ferris_beam.runners.launch import delivery
from ferris_beam.sql.explain import explain_program, kinds, measures_of
from ferris_beam.transforms.context import PipelineContext, Run
from ferris_beam.transforms.meter import tally

if TYPE_CHECKING:
    import apache_beam as beam

    from ferris_beam.monitoring import Report
    from ferris_beam.sql.execution.program import Built
    from ferris_beam.sql.plan import Program


def explanation(
    program: Program, built: Built, pipeline: beam.Pipeline | None, report: Report | None = None
) -> str:
    """The plans of ``program`` as ``built`` in ``pipeline``; ``report`` is that of a run, whose
    counts are shown with the plans."""
    assert pipeline is not None
    run = PipelineContext.of(pipeline).as_run()
    counted = tally(report.run) if report else {}
    return explain_program(
        program,
        built.plans,
        transforms=_transforms(run, built),
        delivery=_guarantee(run),
        measures=measures_of(counted, {**built.tables, **built.labels}),
    )


def _transforms(run: Run, built: Built) -> dict[str, str]:
    """Reads, what is computed, Writes: by label."""
    return {
        **{source.label: "Read" for source in run.sources},
        **{label: kinds(nodes) for label, nodes in built.labels.items()},
        **{sink.label: "Write" for sink in run.sinks},
    }


def _guarantee(run: Run) -> str:
    if not run.sinks:
        return "nothing is written: the result is shown when all of it is there"
    kind, why = delivery(run)
    return f"{kind.replace('_', ' ')}: {why}"
