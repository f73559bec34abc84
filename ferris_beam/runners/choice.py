"""Which runner runs a pipeline, and why.

Beam's own default, DirectRunner, is a switch that first tries to download Prism and falls back to
FnApiRunner. Without a network that hangs; so FnApiRunner is pinned unless a flag says otherwise,
with threads, since Arrow releases the interpreter's lock.

FnApiRunner runs input that never ends up to the first shuffle: copies are exact there, but windows
never fire. So a pipeline that shuffles such input or keeps state of it goes to a runner that does
this live: to Prism, where there is one on this machine, else to the one in this process.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import apache_beam as beam
from apache_beam.options.pipeline_options import (
    DirectOptions,
    PipelineOptions,
    PortableOptions,
    StandardOptions,
)
from apache_beam.runners import create_runner

from ferris_beam.errors import ConfigurationError
from ferris_beam.ledger import Identity
from ferris_beam.runners import local_streaming, prism
from ferris_beam.runners.capabilities import FLINK, FN_API, PRISM, STREAMING
from ferris_beam.runners.features import Feature, features_of
from ferris_beam.runners.flink.defaults import BEAMS_NAME, choose_flink, is_flink, set_defaults
from ferris_beam.runners.gate import can_run

DEFAULT = FN_API
_LOCAL = "local"
_IN_PROCESS = {DEFAULT, "DirectRunner", "BundleBasedDirectRunner", "SwitchingDirectRunner"}
_PRISM_NAMES = {"prism", "PrismRunner"}
_BEAMS_NAMES = {
    PRISM: "PortableRunner",  # its job server is started here, not by Beam
    STREAMING: "ferris_beam.runners.local_streaming.LocalStreamingRunner",
    FLINK: BEAMS_NAME,
}
_MOST_THREADS = 16
_ONE_THREAD = "1 thread"
_LIVE = "the input never ends, and what is made of it is wanted before"


@dataclass(frozen=True, slots=True)
class Choice:
    """The runner's name, whether its workers live in this process, and a line that says why.

    ``open`` is true while the pipeline may still decide it; ``program`` is a job server to start.
    """

    runner: str
    in_process: bool
    line: str
    open: bool = False
    program: Path | None = None

    def settled(self, pipeline: beam.Pipeline) -> Choice:
        """The choice once the pipeline is built, which is told its runner."""
        needed = features_of(pipeline)
        chosen = self
        if self.open and not can_run(DEFAULT, needed):
            chosen = _live(pipeline.options, needed) or self
        if chosen.runner == PRISM:
            return _settled_on_prism(chosen, pipeline, Feature.ENDLESS_READ in needed)
        if chosen.runner == FLINK:
            return _settled_on_flink(chosen, pipeline, Feature.ENDLESS_READ in needed)
        if chosen.runner == STREAMING:
            _use(pipeline, STREAMING)
            return chosen
        return chosen._with_threads(pipeline.options)

    def _with_threads(self, options: PipelineOptions) -> Choice:
        """A source that never ends is read by one thread of FnApiRunner."""
        direct = options.view_as(DirectOptions)
        if self.runner != DEFAULT or direct.direct_num_workers != 1 or _ONE_THREAD in self.line:
            return self
        line = f"{DEFAULT}, {_ONE_THREAD} in this process (the input never ends)"
        return replace(self, line=line)

    @property
    def counts(self) -> bool:
        """Whether the result's metrics are right: Beam's old runner forgets those of all bundles
        but the first (its state sampler keeps their container, in Beam 2.77)."""
        return self.runner != STREAMING

    @property
    def stops(self) -> bool:
        """Whether a signal to this process stops the run: elsewhere it is left alone."""
        return self.in_process or self.runner == FLINK

    @contextmanager
    def serving(self, options: PipelineOptions, identity: Identity, quiet: bool) -> Iterator[None]:
        """The job server that the runner needs, if any, runs inside of the block; a job on a
        cluster is watched."""
        if self.runner == FLINK:
            from ferris_beam.runners.flink.watchdog import watched  # other runs need none of it

            with watched(options, identity, quiet):
                yield
            return
        if self.program is None:
            yield
            return
        with prism.running_prism(self.program) as endpoint:
            options.view_as(PortableOptions).job_endpoint = endpoint
            yield


def choose(options: PipelineOptions) -> Choice:
    """Fills in what ``options`` leaves open, and tells what was chosen; `settled` has the last
    word. Raises `ConfigurationError` where the runner that was asked for isn't there."""
    given = _given(options)
    said = options.view_as(StandardOptions).runner if "runner" in given else None
    name = (said or _LOCAL).rpartition(".")[2]
    if name in _PRISM_NAMES:
        return _prism(options)
    if name == STREAMING:
        return _streaming(options, "--runner")
    if is_flink(name, options):
        return Choice(FLINK, False, f"{FLINK} ({choose_flink(name, options)})")
    if name not in (_LOCAL, DEFAULT):
        return Choice(name, name in _IN_PROCESS, f"{name} (--runner)")
    options.view_as(StandardOptions).runner = DEFAULT
    direct = options.view_as(DirectOptions)
    if "direct_running_mode" not in given:
        direct.direct_running_mode = "multi_threading"
    if "direct_num_workers" not in given:
        direct.direct_num_workers = _threads()
    mode, workers = direct.direct_running_mode, direct.direct_num_workers
    how = _ONE_THREAD if workers == 1 else f"{workers} workers, {mode}"
    if workers > 1 and mode == "multi_threading":
        how = f"{workers} threads"
    why = "--runner" if said else "the default; --runner=… chooses another"
    in_process = mode != "multi_processing"
    line = f"{DEFAULT}, {how} in this process ({why})"
    return Choice(DEFAULT, in_process, line, open=name == _LOCAL and in_process)


def _prism(options: PipelineOptions) -> Choice:
    program = prism.find_prism(options)
    if program is None:
        raise ConfigurationError(
            "--runner=prism: there is no Prism on this machine, neither on the PATH nor in Beam's "
            f"cache; {prism.how_to_get_it()}, and --prism_location=PATH says where it is"
        )
    options.view_as(StandardOptions).runner = _BEAMS_NAMES[PRISM]
    options.view_as(DirectOptions).direct_num_workers = _threads()
    return Choice(PRISM, True, f"{PRISM} ({program}), asked for by --runner", program=program)


def _streaming(options: PipelineOptions, why: str) -> Choice:
    if not local_streaming.available:
        raise ConfigurationError(
            f"this version of Beam has no parts for {STREAMING} any longer; --runner=prism takes "
            f"its place: {prism.how_to_get_it()}"
        )
    options.view_as(StandardOptions).runner = _BEAMS_NAMES[STREAMING]
    options.view_as(DirectOptions).direct_num_workers = 1
    return Choice(STREAMING, True, f"{STREAMING}, {_ONE_THREAD} in this process ({why})")


def _live(options: PipelineOptions, needed: Iterable[Feature]) -> Choice | None:
    """A runner that makes windows and state of input while it goes on; None: none can do it."""
    program = prism.find_prism(options)
    if program is not None and can_run(PRISM, needed):
        return Choice(PRISM, True, f"{PRISM} ({program}): {_LIVE}", program=program)
    if not can_run(STREAMING, needed):
        return None
    why = "no Prism was found" if program is None else "Prism can't run all of it"
    return _streaming(options, f"{_LIVE}; {why}")


def _settled_on_prism(choice: Choice, pipeline: beam.Pipeline, endless: bool) -> Choice:
    pipeline.options.view_as(StandardOptions).streaming = endless
    _use(pipeline, PRISM)
    flags = " ".join(prism.set_defaults(pipeline.options, endless))
    return replace(choice, line=f"{choice.line}; {flags}")


def _settled_on_flink(choice: Choice, pipeline: beam.Pipeline, endless: bool) -> Choice:
    flags = " ".join(set_defaults(pipeline.options, endless))
    return replace(choice, line=f"{choice.line}; {flags}")


def _use(pipeline: beam.Pipeline, runner: str) -> None:
    name = _BEAMS_NAMES[runner]
    pipeline.options.view_as(StandardOptions).runner = name
    pipeline.runner = create_runner(name)


def _threads() -> int:
    return min(os.cpu_count() or 1, _MOST_THREADS)


def _given(options: PipelineOptions) -> set[str]:
    """The names of the options that were said, also those that were given their default."""
    changed = set(options.get_all_options(drop_default=True))
    flags = getattr(options, "_flags", None)
    if flags is None:  # then Beam takes those of the command line
        flags = sys.argv[1:]
    said = {flag.lstrip("-").split("=", 1)[0] for flag in flags}
    return changed | said | set(getattr(options, "_all_options", ()))
