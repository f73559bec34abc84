"""What the transforms of one pipeline know of each other.

Writes are applied after the Reads that feed them, but a Read must know its sinks: at the start it
asks their ledgers what is still missing. So each transform registers in a context of its pipeline,
and the DoFns carry that context; it is pickled when the pipeline starts, and arrives in the worker
as the plain `Run` that it has become by then.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any
from weakref import WeakKeyDictionary

import apache_beam as beam
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, StandardOptions

from ferris_beam.errors import PlanError
from ferris_beam.ledger import Identity, Path
from ferris_beam.transforms.data_plane import send_by_size_only
from ferris_beam.transforms.fingerprint import fingerprint
from ferris_beam.transforms.graph import LiveStage, Sink, Source, StageOutput
from ferris_beam.transforms.progress_options import ProgressOptions
from ferris_beam.transforms.promises import settled


@dataclass(frozen=True)
class Policy:
    """What to do with progress that is already there."""

    resume: bool = False
    rerun: bool = False
    reset: bool = False
    continue_changed: bool = False


@dataclass(frozen=True)
class Run:
    """One run of a pipeline, as its workers see it."""

    identity: Identity
    policy: Policy
    sources: tuple[Source, ...] = ()
    sinks: tuple[Sink, ...] = ()
    problems: tuple[str, ...] = ()
    stages: tuple[StageOutput, ...] = ()
    held: frozenset[str] = frozenset()
    """The labels of Reads that workers hold as a whole, beside the batches they pass on."""
    state_memory: int | None = None
    """Bytes of rows that may wait in memory for the end of a shuffle, where all workers are threads
    of one process; None where the runner keeps them."""
    started: str = ""
    """When the run started, RFC 3339."""
    varying: tuple[str, ...] = ()
    """The labels of steps whose results depend on the time at which a run started."""
    unpinned: tuple[str, ...] = ()
    """The labels of steps whose results depend on what a store holds when they ask it."""
    together: bool = False
    """Whether sinks end together, since a source can't be read twice (`promises`)."""
    live: tuple[LiveStage, ...] = ()
    """The stages over input that never ends."""

    def sink(self, label: str) -> Sink:
        return next(sink for sink in self.sinks if sink.label == label)

    def sinks_of(self, source: str) -> Iterator[tuple[Sink, list[Path] | None]]:
        """The sinks that a source reaches and the paths it takes; None: nobody counts them."""
        for sink in self.sinks:
            if sink.paths is None:
                yield sink, None
                continue
            paths = [path for path in sink.paths if path[0] == source]
            if paths:
                yield sink, paths

    def stages_of(self, source: str) -> Iterator[StageOutput]:
        """The stages that a source feeds."""
        return (stage for stage in self.stages if source in stage.reads)

    def live_of(self, source: str) -> Iterator[LiveStage]:
        """The stages over input that never ends which a source feeds."""
        return (stage for stage in self.live if source in stage.reads)

    def is_watched(self, stage: StageOutput) -> bool:
        """Whether sinks, or other stages, tell what of a stage's results is missing."""
        feeds = any(stage.label in other.stages for other in self.stages)
        return feeds or any(self.sinks_of(stage.label))


@dataclass(eq=False)
class PipelineContext:
    """The context of one `beam.Pipeline`; `PipelineContext.of` finds or makes it."""

    name: str
    run: str
    started: str
    policy: Policy
    demanded: str | None
    sources: list[Source] = field(default_factory=list)
    sinks: list[Sink] = field(default_factory=list)
    steps: list[Any] = field(default_factory=list)
    stages: list[StageOutput] = field(default_factory=list)
    live: list[LiveStage] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    varying: list[str] = field(default_factory=list)
    unpinned: list[str] = field(default_factory=list)
    state_memory: int | None = None
    local_secrets: list[str] = field(default_factory=list)
    unconsumed: dict[str, str] = field(default_factory=dict)
    runner: Callable[[], str] = str
    """The name of the runner, which may be chosen last of all."""

    @classmethod
    def of(cls, pipeline: beam.Pipeline) -> PipelineContext:
        context = _contexts.get(pipeline)
        if context is None:
            send_by_size_only()
            context = _contexts[pipeline] = cls._from(pipeline.options.view_as(ProgressOptions))
        return context

    @classmethod
    def _from(cls, options: ProgressOptions) -> PipelineContext:
        started = datetime.now(timezone.utc)
        run = f"{started:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        return cls(
            name=options.resume or options.name or run,
            run=run,
            started=started.isoformat(),
            policy=Policy(
                bool(options.resume), options.rerun, options.reset, options.continue_changed
            ),
            demanded=options.delivery,
            state_memory=options.state_memory << 20 if _in_one_process(options) else None,
            runner=lambda: options.view_as(StandardOptions).runner or "",
        )

    def add_sink(self, sink: Sink) -> None:
        """Registers a sink; its endpoint must be its own, since a ledger belongs to one sink."""
        for other in self.sinks:
            if other.place == sink.place:
                raise PlanError(
                    f"{other.label!r} and {sink.label!r} both write to {sink.place}: write a tuple "
                    "of both inputs once, (a, b) | fb.write(…)"
                )
        if self.demanded == "exactly_once" and sink.why_inexact:
            raise PlanError(
                f"delivery=exactly_once was asked for, but {sink.label!r} can only be at least "
                f"once: {sink.why_inexact}"
            )
        self.sinks.append(sink)

    @property
    def plan(self) -> str:
        """The fingerprint of the graph: what is read, done and written under which labels."""
        described = [f"{step.label}={step.description()}" for step in self.steps]
        return fingerprint(sorted(described))

    def as_run(self) -> Run:
        sinks, together = settled(self.sources, self.sinks, self.held)
        problems = [*self.unconsumed.values(), *self._loops(), *self._unconfirmed(sinks)]
        problems += self._never_fired()
        return Run(
            Identity(self.name, self.run, self.plan),
            self.policy,
            tuple(self.sources),
            tuple(sinks),
            (*problems, *self._weaker(sinks)),
            tuple(self.stages),
            frozenset(self.held),
            self.state_memory,
            self.started,
            tuple(self.varying),
            tuple(self.unpinned),
            together,
            tuple(self.live),
        )

    def _loops(self) -> Iterator[str]:
        """What would read its own output: a restart would read that, too."""
        for step in self.steps:
            for sink in self.sinks if hasattr(step, "reader") else ():
                if sink.writer.creates and step.reader.reads(sink.writer.creates):
                    yield (
                        f"{step.label!r} reads what {sink.label!r} writes: {sink.place} is among "
                        "the files or rows that it would find there. Write to another place, or "
                        "choose what is read by a narrower path"
                    )

    def _never_fired(self) -> Iterator[str]:
        """Stages over endless input on a runner that waits for the end of it."""
        if self.live and self.runner().rpartition(".")[2] == "FnApiRunner":
            yield (
                f"{self.live[0].label!r} puts results out while its input goes on, and FnApiRunner "
                "only when the input has ended: choose --runner=prism or "
                "--runner=LocalStreamingRunner, or a cluster"
            )

    def _weaker(self, sinks: Iterable[Sink]) -> Iterator[str]:
        """Sinks that can't keep the promise that was demanded."""
        for sink in sinks:
            weak = sink.promise in ("effectively_once", "at_least_once")
            if weak and self.demanded == "exactly_once":
                yield (
                    f"delivery=exactly_once was asked for, but {sink.label!r} can only be "
                    f"{sink.promise.replace('_', ' ')}: {sink.why}"
                )

    def _unconfirmed(self, all_sinks: Sequence[Sink]) -> Iterator[str]:
        """Sources that keep rows until sinks hold them, without a sink that can say so."""
        for source in self.sources:
            sinks = [sink for sink in all_sinks if source.label in sink.reads]
            if not source.confirms or (sinks and not any(sink.why_inexact for sink in sinks)):
                continue
            reasons = (sink.why_inexact for sink in all_sinks if sink.why_inexact)
            why = next(reasons, "no fb.write takes its batches")
            yield (
                f"{source.uri} keeps its changes until they are safe in all sinks, and nobody "
                f"could tell it: {why}. Write them by fb.write, with nothing but fb.MapBatches, "
                "fb.MapRows and SQL in between"
            )

    def __reduce__(self) -> tuple[Any, ...]:
        return _identity, (self.as_run(),)


def _in_one_process(options: PipelineOptions) -> bool:
    """Whether all workers are known to be threads of this process."""
    runner = options.view_as(StandardOptions).runner or ""
    mode = options.view_as(DirectOptions).direct_running_mode
    return runner.endswith("FnApiRunner") and mode != "multi_processing"


def _identity(run: Run) -> Run:
    return run


_contexts: WeakKeyDictionary[beam.Pipeline, PipelineContext] = WeakKeyDictionary()
