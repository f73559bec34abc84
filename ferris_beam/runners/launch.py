"""Launching a pipeline: what it is about to do in three lines, then progress, then a report."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, get_args

import apache_beam as beam
import pyarrow as pa
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions

from ferris_beam.errors import FatalError, FerrisError, PlanError, find_in_text
from ferris_beam.monitoring.progress import Progress
from ferris_beam.monitoring.report import Report
from ferris_beam.monitoring.terminal import show_start
from ferris_beam.runners.cached_views import CachedViews
from ferris_beam.runners.choice import Choice, choose
from ferris_beam.runners.construction import new_pipeline
from ferris_beam.runners.features import features_of
from ferris_beam.runners.gate import check, limits
from ferris_beam.runners.options import RunnerOptions
from ferris_beam.runners.signals import stopped_by_signals
from ferris_beam.runners.worker_output import all_logs_shown, worker_tracebacks_held_back
from ferris_beam.transforms.claims import FinishedError, claim
from ferris_beam.transforms.context import PipelineContext, Run
from ferris_beam.transforms.graph import Promise
from ferris_beam.transforms.meter import tally
from ferris_beam.transforms.operator import failure_of, recorded
from ferris_beam.transforms.stopping import StoppedError, is_stopping

_STRENGTHS = get_args(Promise)


def launch(
    build: Callable[[beam.Pipeline], Any],
    options: PipelineOptions | None = None,
    *,
    quiet: bool = False,
) -> Report:
    """Builds a pipeline by ``build(pipeline)``, runs it and reports what it did.

    Raises `ConfigurationError` before anything starts, or the `FerrisError` that stopped the run;
    it carries the report as ``report``. A pipeline that is finished already is not run again: its
    report says so.

    SIGINT and SIGTERM stop a run of this process: sinks commit what was read, the report's status
    is 'stopped'. A second signal kills the process.
    """
    options = CachedViews.of(options or PipelineOptions())
    choice = choose(options)
    with new_pipeline(options) as pipeline:
        build(pipeline)
        return _launched(pipeline, choice.settled(pipeline), options, quiet)


def _launched(
    pipeline: beam.Pipeline, choice: Choice, options: PipelineOptions, quiet: bool
) -> Report:
    context = PipelineContext.of(pipeline)
    checked = options.view_as(RunnerOptions)
    needed = features_of(pipeline)
    check(choice.runner, needed, checked.allow_unverified)
    _refuse_local_secrets(context, choice)
    run = context.as_run()
    if not quiet:
        told = "; ".join(limits(choice.runner, needed))
        show_start(announcement(choice, run) | ({"limits": told} if told else {}))
    began = time.monotonic()
    if choice.in_process:
        try:
            claim(run)
        except FinishedError as finished:
            return _finished(finished, run, choice, quiet)
    try:
        metrics = _run(pipeline, run, choice, quiet)
    except FinishedError as finished:  # found by workers in other processes
        return _finished(finished, run, choice, quiet)
    except StoppedError as stopped:
        if not quiet:
            print(stopped, file=sys.stderr)
        counted, seconds = tally(run.identity.run), time.monotonic() - began
        return Report.of(counted, run, choice.runner, delivery(run)[0], seconds, "stopped")
    except FerrisError as error:
        error.report = Report.of(  # type: ignore[attr-defined]
            tally(run.identity.run),
            run,
            choice.runner,
            delivery(run)[0],
            time.monotonic() - began,
            "failed",
            error.message,
        )
        raise
    seconds = time.monotonic() - began
    return Report.of(metrics, run, choice.runner, delivery(run)[0], seconds)


def _finished(finished: FinishedError, run: Run, choice: Choice, quiet: bool) -> Report:
    if not quiet:
        print(finished, file=sys.stderr)
    return Report.of({}, run, choice.runner, delivery(run)[0], 0, "already finished")


def _refuse_local_secrets(context: PipelineContext, choice: Choice) -> None:
    """A literal secret stays in this process; workers elsewhere could not open the connection."""
    if context.local_secrets and not choice.in_process:
        names = sorted(set(context.local_secrets))
        raise PlanError(
            f"{', '.join(names)} was given literally, and {choice.runner} works in other "
            f"processes: export a variable where the workers run, and write {names[0]}=env:NAME"
        )


def announcement(choice: Choice, run: Run) -> dict[str, str]:
    """What is about to happen: runner and why, delivery and why, identity."""
    kind, why = delivery(run)
    identity = run.identity
    named = identity.name != identity.run
    who = (
        f"{identity.name} (run {identity.run}; started again, it goes on where it stopped)"
        if named
        else f"run {identity.run} (--resume {identity.run} goes on with it)"
    )
    return {
        "runner": choice.line,
        "delivery": f"{kind.replace('_', ' ')}: {why}",
        "identity": who,
    }


def delivery(run: Run) -> tuple[str, str]:
    """The guarantee of the whole plan, which is that of its weakest sink, and the reason."""
    if not run.sinks:
        return "at_least_once", "nothing is written to a sink that keeps a ledger"
    weakest = max(run.sinks, key=lambda sink: _STRENGTHS.index(sink.promise))
    if weakest.promise != "exactly_once":
        return weakest.promise, f"{weakest.uri}: {weakest.why}"
    why = "sources can be read again, and each sink commits rows and progress together"
    if run.varying:
        why += f"; what {run.varying[0]!r} takes from the clock is later in rows of a later start"
    if run.unpinned:
        why += _of_lookups(run)
    if run.live:
        why += _of_windows(run)
    return "exactly_once", why


def _of_windows(run: Run) -> str:
    """How windows over endless input come to be exactly once, and for which rows."""
    partitions = run.live[0].partitions
    return (
        f"; {run.live[0].label!r} commits final windows by ticks of event time, in {partitions} "
        "partitions, and a restart reads from the oldest row of an open window on; whether a row "
        "that comes behind the watermark is counted may differ then"
    )


def _of_lookups(run: Run) -> str:
    """What a store that is asked for keys, as it is at that moment, takes from the guarantee."""
    found = (
        f"; {run.unpinned[0]!r} looks rows up as they are at that moment: each sink gets its rows "
        "once, but two sinks, or a restart, may find other values"
    )
    stages = {stage.label for stage in run.stages}
    if any(path[0] in stages for sink in run.sinks for path in sink.paths or ()):
        found += "; where these decide a group, a restart may count a row twice or not at all"
    return found


def _stopped(run: Run) -> FerrisError:
    """What a stop comes to: no failure where the input never ends, else there is something left."""
    name = run.identity.name
    how = "the same command" if name != run.identity.run else f"--resume {name}"
    if any(not source.bounded for source in run.sources):
        return StoppedError(f"stopped; what was read is committed, {how} goes on from there")
    return FatalError(f"interrupted before the end; what was committed stays, {how} goes on")


@contextmanager
def _arrow_threads(options: PipelineOptions) -> Iterator[None]:
    """Arrow has as many threads as the runner; readers read ahead where there is more than one."""
    before = pa.cpu_count()
    pa.set_cpu_count(max(1, options.view_as(DirectOptions).direct_num_workers))
    try:
        yield
    finally:
        pa.set_cpu_count(before)


def _is_verbose(options: PipelineOptions) -> bool:
    return bool(options.view_as(RunnerOptions).verbose)


def _run(pipeline: beam.Pipeline, run: Run, choice: Choice, quiet: bool) -> Any:
    """Runs the pipeline to its end and returns its metrics."""
    stoppable = stopped_by_signals(run.identity.run) if choice.stops else nullcontext()
    threads = _arrow_threads(pipeline.options) if choice.in_process else nullcontext()
    try:
        silent = quiet or not choice.in_process
        shown = Progress(run.identity.run, quiet=silent)
        logs = all_logs_shown() if _is_verbose(pipeline.options) else worker_tracebacks_held_back()
        serving = choice.serving(pipeline.options, run.identity, quiet)
        with stoppable, threads, logs, serving, shown:
            result = pipeline.run()
            result.wait_until_finish()
            return result.metrics() if choice.counts else tally(run.identity.run)
    except KeyboardInterrupt:  # before the run began, or on a runner in other processes
        with recorded(run.identity.run):
            raise FatalError(
                f"interrupted; what was committed stays. --resume {run.identity.name} (or the "
                "same command with --name) goes on"
            ) from None
    except StoppedError as error:
        raise _stopped(run) from error
    except Exception as error:
        known = failure_of(run.identity.run)
        if isinstance(known, FerrisError):
            raise known from error
        if known is None and is_stopping(run.identity.run):
            raise _stopped(run) from error
        if isinstance(error, FerrisError):
            raise
        found = find_in_text(str(error))
        if found is not None:
            raise found from error
        raise known if isinstance(known, Exception) else error from None
