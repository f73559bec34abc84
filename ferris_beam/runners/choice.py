"""Which runner runs a pipeline, and why.

Beam's own default, DirectRunner, is a switch that first tries to download Prism and falls back to
FnApiRunner. Without a network that hangs; so FnApiRunner is pinned unless a flag says otherwise,
with threads, since Arrow releases the interpreter's lock.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace

from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, StandardOptions

DEFAULT = "FnApiRunner"
_IN_PROCESS = {"FnApiRunner", "DirectRunner", "BundleBasedDirectRunner", "SwitchingDirectRunner"}
_MOST_THREADS = 16
_ONE_THREAD = "1 thread"


@dataclass(frozen=True, slots=True)
class Choice:
    """The runner's name, whether its workers live in this process, and a line that says why."""

    runner: str
    in_process: bool
    line: str

    def settled(self, options: PipelineOptions) -> Choice:
        """The choice once the pipeline is built: a source that never ends is read by one thread
        of FnApiRunner."""
        direct = options.view_as(DirectOptions)
        if self.runner != DEFAULT or direct.direct_num_workers != 1 or _ONE_THREAD in self.line:
            return self
        line = f"{DEFAULT}, {_ONE_THREAD} in this process (the input never ends)"
        return replace(self, line=line)


def choose(options: PipelineOptions) -> Choice:
    """Fills in what ``options`` leaves open, and tells what was chosen."""
    given = _given(options)
    runner = options.view_as(StandardOptions).runner if "runner" in given else None
    if runner is not None and runner != DEFAULT:
        name = runner.rpartition(".")[2]
        return Choice(name, name in _IN_PROCESS, f"{name} (--runner)")
    options.view_as(StandardOptions).runner = DEFAULT
    direct = options.view_as(DirectOptions)
    if "direct_running_mode" not in given:
        direct.direct_running_mode = "multi_threading"
    if "direct_num_workers" not in given:
        direct.direct_num_workers = min(os.cpu_count() or 1, _MOST_THREADS)
    mode, workers = direct.direct_running_mode, direct.direct_num_workers
    how = _ONE_THREAD if workers == 1 else f"{workers} workers, {mode}"
    if workers > 1 and mode == "multi_threading":
        how = f"{workers} threads"
    why = "--runner" if runner else "the default; --runner=… chooses another"
    in_process = mode != "multi_processing"
    return Choice(DEFAULT, in_process, f"{DEFAULT}, {how} in this process ({why})")


def _given(options: PipelineOptions) -> set[str]:
    """The names of the options that were said, also those that were given their default."""
    changed = set(options.get_all_options(drop_default=True))
    flags = getattr(options, "_flags", None)
    if flags is None:  # then Beam takes those of the command line
        flags = sys.argv[1:]
    said = {flag.lstrip("-").split("=", 1)[0] for flag in flags}
    return changed | said | set(getattr(options, "_all_options", ()))
