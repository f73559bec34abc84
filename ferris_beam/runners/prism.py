"""Prism, Beam's portable runner in one program: finding it, and one process of it for a run.

It is never downloaded. Its workers are threads of this process (``LOOPBACK``), so that a run is
stopped, counted and fails as it does on a runner that lives here. The program gets a session of
its own: Ctrl-C on a terminal would end it at once, while sinks still commit.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import re
import shutil
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apache_beam
from apache_beam.options.pipeline_options import (
    PipelineOptions,
    PortableOptions,
    PrismRunnerOptions,
)

from ferris_beam.errors import ConfigurationError, FatalError

logger = logging.getLogger("apache_beam.prism")

TIMEOUT_SECONDS = 365 * 24 * 3600
"""``job_server_timeout``: with Beam's default a run of more than 300 s is reported as failed."""

_CACHE = Path("~/.apache_beam/cache/prism/bin")
_IDLE = "30s"  # for a run that was killed, where the system can't end its Prism
_START_SECONDS = 30.0
_END_SECONDS = 1.0
_KEPT_LINES = 40
_ENDPOINT = re.compile(r"localhost:\d+")


def find_prism(options: PipelineOptions) -> Path | None:
    """The program: ``--prism_location``, on the PATH, or in Beam's cache; None: there is none.

    Raises `ConfigurationError` where ``--prism_location`` names no program.
    """
    said = options.view_as(PrismRunnerOptions).prism_location
    if said:
        path = Path(said).expanduser()
        if not _is_program(path):
            raise ConfigurationError(
                f"--prism_location={said} is no program on this machine: give the path of a Prism "
                f"binary ({how_to_get_it()})"
            )
        return path
    found = shutil.which("prism")
    if found is not None:
        return Path(found)
    version = apache_beam.__version__
    for path in sorted(_CACHE.expanduser().glob(f"*{version}*{platform.system().lower()}*")):
        if _is_program(path) and path.suffix != ".zip":
            return path
    return None


def how_to_get_it() -> str:
    version = apache_beam.__version__
    return f"go install github.com/apache/beam/sdks/v2/go/cmd/prism@v{version} makes one"


def set_defaults(options: PipelineOptions, streaming: bool) -> list[str]:
    """Sets what a run on Prism needs; returns the flags that say the same."""
    portable = options.view_as(PortableOptions)
    portable.environment_type = "LOOPBACK"
    portable.job_server_timeout = TIMEOUT_SECONDS
    flags = ["--environment_type=LOOPBACK", f"--job_server_timeout={TIMEOUT_SECONDS}"]
    return [*flags, "--streaming"] if streaming else flags


@contextmanager
def running_prism(program: Path) -> Iterator[str]:
    """The endpoint of a Prism that runs inside the ``with``. Raises `FatalError` where it doesn't
    start."""
    options = ["--job_port=0", "--serve_http=false", "--log_kind=json"]
    others = set(threading.enumerate())
    try:
        process = subprocess.Popen(
            [*_ends_with_us(), str(program), *options, f"--idle_shutdown_timeout={_IDLE}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise FatalError(f"{program} can't be started: {error.strerror}") from error
    log = _Log(process)
    try:
        yield log.endpoint(program)
    finally:
        process.kill()
        process.wait()
        log.join()
        _wait_for(set(threading.enumerate()) - others)


def _ends_with_us() -> list[str]:
    """A prefix with which the system ends the program when this process is killed."""
    return ["setpriv", "--pdeathsig=KILL"] if shutil.which("setpriv") else []


def _wait_for(workers: Iterable[threading.Thread]) -> None:
    """Until workers have seen that their Prism is gone: they would complain later otherwise."""
    until = time.monotonic() + _END_SECONDS
    for worker in workers:
        worker.join(max(0.0, until - time.monotonic()))


class _Log(threading.Thread):
    """Reads what Prism writes: the endpoint at its start, later what Beam's logger gets."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__(name="prism-log", daemon=True)
        assert process.stdout is not None
        self._lines = process.stdout
        self._found = ""
        self._known = threading.Event()
        self._last: deque[str] = deque(maxlen=_KEPT_LINES)
        self.start()

    def run(self) -> None:
        with self._lines:
            for raw in self._lines:
                line = raw.decode(errors="replace").rstrip()
                self._last.append(line)
                if not self._found and (found := _ENDPOINT.search(line)):
                    self._found = found.group()
                    self._known.set()
                logger.info("%s", _message(line))
        self._known.set()

    def endpoint(self, program: Path) -> str:
        self._known.wait(_START_SECONDS)
        if not self._found:
            said = "\n".join(self._last) or "it said nothing"
            raise FatalError(f"{program} did not start a job server:\n{said}")
        return self._found


def _message(line: str) -> str:
    """The text of a line of its log, and the trace or error in it."""
    try:
        record = json.loads(line)
    except ValueError:
        return line
    worker = record.get("sdk", {})
    return " ".join(str(part) for part in (record.get("msg"), worker.get("msg")) if part)


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
