"""What a copy would do: its own graph, built and not run, and what its ends say of themselves.

Nothing is written: sources are listed and sampled, sinks are asked without being opened.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

from ferris_beam.cli.copying import checked, copy
from ferris_beam.cli.opening import Source, opened, source_of
from ferris_beam.cli.sample import SAMPLE_ROWS, Extent, Sample, sample
from ferris_beam.connector import Holding, Outline, Split
from ferris_beam.errors import ConfigurationError, IdentityError
from ferris_beam.ledger import LedgerState
from ferris_beam.runners.choice import choose
from ferris_beam.runners.construction import new_pipeline
from ferris_beam.runners.launch import announcement, delivery
from ferris_beam.transforms.claims import FinishedError, decide
from ferris_beam.transforms.context import PipelineContext, Run
from ferris_beam.transforms.graph import Sink

State = Literal["new", "resume", "finished", "refused", "unknown"]


@dataclass(frozen=True, slots=True)
class Reading:
    """The source: all of it, its columns before and after ``--columns``, the first rows."""

    source: Source
    extent: Extent
    schema: pa.Schema
    sample: Sample
    limit: int | None


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the identity stands: ``why`` says what that means. Of ``splits`` so many are done."""

    state: State
    why: str
    rows: int = 0
    splits_done: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a copy would do. ``problems`` keep it from starting; ``outlines`` are by the
    labels of the sinks."""

    run: Run
    reading: Reading
    outlines: Mapping[str, Outline]
    announced: Mapping[str, str]
    delivery: tuple[str, str]
    progress: Progress
    problems: list[str] = field(default_factory=list)

    @property
    def sinks(self) -> Sequence[Sink]:
        return self.run.sinks


def plan_of(arguments: argparse.Namespace) -> Plan:
    """Raises `ConfigurationError` with all that is wrong with the command line, and whatever
    keeps the source from being read."""
    options = checked(arguments)
    with new_pipeline(options) as pipeline:
        choice = choose(options)
        copy(pipeline, arguments)
        run = PipelineContext.of(pipeline).as_run()
    reading = _reading(arguments)
    records = reading.sample.records
    outlines = {
        sink.label: sink.writer.outline(records) for sink in run.sinks if sink.role == "data"
    }
    progress = _progress(run, reading.extent.splits)
    problems = [] if progress.state != "refused" else [progress.why]
    if progress.state in ("new", "unknown"):
        problems += [outline.problem for outline in outlines.values() if outline.problem]
    for outline in outlines.values():
        problems += [f"{name}: {why}" for name, why in outline.refused.items()]
    if reading.sample.rejects and not arguments.dead_letters:
        reject = reading.sample.rejects[0]
        problems.append(
            f"the row at {reject.place} is rejected ({reject.reason}), which stops the copy; say "
            "where rejected rows go: --dead-letters URI"
        )
    return Plan(
        run, reading, outlines, announcement(choice, run), delivery(run), progress, problems
    )


def _reading(arguments: argparse.Namespace) -> Reading:
    source = source_of(arguments.source)
    limit = arguments.limit
    reader, residual = source.reader.pushdown(arguments.columns, None, limit)
    with opened(reader):
        schema = reader.schema()
        extent = Extent(list(reader.splits({})))
        rows = min(SAMPLE_ROWS, limit or SAMPLE_ROWS)
        found = sample(reader, extent.splits, schema, residual, rows)
    return Reading(source, extent, found.records.schema, found, limit)


# ── progress ────────────────────────────────────────────────────────────────────────────────────


def _progress(run: Run, splits: Sequence[Split]) -> Progress:
    """What `claim` would decide, judged by the ledgers as they stand."""
    try:
        holdings = {sink.label: sink.writer.holdings() for sink in run.sinks}
    except ConfigurationError as error:
        return Progress("unknown", error.message)
    ledgers = {label: _ledger(found, run.identity.name) for label, found in holdings.items()}
    rows = sum(ledgers[sink.label].rows for sink in run.sinks if sink.role == "data")
    try:
        decision = decide(run, ledgers)
    except FinishedError as finished:
        return Progress("finished", finished.message, rows, len(splits))
    except IdentityError as refused:
        return Progress("refused", refused.message, rows)
    current = {
        label: state if state.generation == decision.generation else LedgerState()
        for label, state in ledgers.items()
    }
    if not any(state.epoch for state in current.values()):
        again = any(state.epoch for state in ledgers.values())
        return Progress("new", "from zero, once more" if again else "nothing is committed yet")
    done = sum(_is_done(run, current, split) for split in splits)
    return Progress("resume", "the rest of an unfinished run", rows, done)


def _ledger(holdings: Mapping[str, Holding], name: str) -> LedgerState:
    return holdings[name].ledger if name in holdings else LedgerState()


def _is_done(run: Run, ledgers: Mapping[str, LedgerState], split: Split) -> bool:
    """Whether every sink holds all of a split."""
    return all(
        paths is not None
        and not any(ledgers[sink.label].missing(path, split.interval) for path in paths)
        for sink, paths in run.sinks_of(run.sources[0].label)
    )
