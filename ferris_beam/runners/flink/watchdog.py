"""Watching a job on Flink: what keeps it from working is told, what can't be mended ends it.

A job that fails is started again by Flink, as often as the cluster's restart strategy says, which
may be for ever; its process here would hear of none of it.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions

from ferris_beam.errors import FatalError, FerrisError, TransientError, find_in_text
from ferris_beam.ledger import Identity
from ferris_beam.runners.flink.cluster import ENDED, FlinkCluster, Job, first_line
from ferris_beam.runners.flink.preflight import Submission, check_submission, submission_of
from ferris_beam.transforms.operator import recorded
from ferris_beam.transforms.stopping import StoppedError, is_stopping

POLL_SECONDS = 0.5
STUCK_SECONDS = 20.0
"""How long a job may wait for workers or slots before it is told."""

_HARNESS = "Error received from SDK harness"
_PYTHON = "Traceback (most recent call last):"


@contextmanager
def watched(options: PipelineOptions, identity: Identity, quiet: bool) -> Iterator[None]:
    """Checks the cluster, and watches the job that is submitted inside of the block.

    Raises `ConfigurationErrors` before anything is submitted, and `FatalError` with the reason
    where the job fails on the cluster.
    """
    check_submission(options)
    submission = submission_of(options)
    named = options.view_as(GoogleCloudOptions)
    named.job_name = named.job_name or identity.name
    if submission.cluster is None:
        with _explained(identity.run, None):
            yield
        return
    watchdog = Watchdog(submission, submission.cluster, named.job_name, identity.run, quiet)
    watchdog.start()
    try:
        with _explained(identity.run, watchdog):
            yield
    finally:
        watchdog.end()


@contextmanager
def _explained(run: str, watchdog: Watchdog | None) -> Iterator[None]:
    try:
        yield
    except FerrisError:
        raise
    except Exception as error:
        if is_stopping(run):
            raise
        found = None if watchdog is None else watchdog.explanation()
        raise found or _refusal(str(error)) from error


class Watchdog(threading.Thread):
    """Follows the one job called ``name`` that was not there when it was made."""

    def __init__(
        self, submission: Submission, cluster: FlinkCluster, name: str, run: str, quiet: bool
    ) -> None:
        super().__init__(name="flink-watchdog", daemon=True)
        self._cluster = cluster
        self._pool = submission.pool
        self._name, self._run, self._quiet = name, run, quiet
        self._before = {job.id for job in cluster.jobs()}
        self._ended = threading.Event()
        self._job: Job | None = None
        self._seen = 0
        self._reasons: Counter[str] = Counter()
        self._waits: dict[str, float] = {}
        self._told: set[str] = set()
        self._silent = False
        self._cancelled = False
        self._failure: FerrisError | None = None

    def run(self) -> None:
        while not self._ended.wait(POLL_SECONDS):
            try:
                self._look()
                self._silent = False
            except (TransientError, FatalError) as error:
                if not self._silent and not self._ended.is_set():
                    _tell(f"{error.message}; the job is not watched until it does")
                self._silent = True

    def end(self) -> None:
        self._ended.set()
        self.join()

    def explanation(self) -> FerrisError | None:
        """Why the job failed; None where the cluster doesn't know of it."""
        self.end()
        if self._failure is not None:
            return self._failure
        with suppress(TransientError, FatalError):
            job = self._found()
            if job is not None and self._cluster.last_state(job.id) == "CANCELED":
                return StoppedError(f"job {job.id} was cancelled on Flink")
            failures = [] if job is None else self._cluster.failures(job.id)
            for failure in failures:
                known = find_in_text(failure.text)
                if known is not None:
                    return known
            if job is not None and failures:
                reason = reason_of(failures[0].text)
                return FatalError(f"the job failed on Flink: {reason}; {self._page(job)} has more")
        return None

    def _found(self) -> Job | None:
        if self._job is None:
            for job in self._cluster.jobs():
                if job.name == self._name and job.id not in self._before:
                    self._job = job
                    if not self._quiet:
                        _tell(f"job {job.id} on Flink: {self._page(job)}")
        return self._job

    def _look(self) -> None:
        job = self._found()
        if job is None or self._cancelled:
            return
        if is_stopping(self._run):
            self._cancel(job)
            return
        state = self._cluster.state(job.id)
        if state["state"] not in ENDED:  # else `explanation` tells
            self._look_at_failures(job)
            self._look_at_tasks(state)

    def _cancel(self, job: Job) -> None:
        self._cluster.cancel(job.id)
        self._cancelled = True

    def _look_at_failures(self, job: Job) -> None:
        """Each failure is told; one of ours that no other try can mend ends the job."""
        failures = self._cluster.failures(job.id)
        new = [failure for failure in failures if failure.milliseconds > self._seen]
        for failure in reversed(new):
            self._seen = failure.milliseconds
            known = find_in_text(failure.text)
            if known is not None and not isinstance(known, TransientError):
                self._failure = known
                with suppress(FerrisError), recorded(self._run):
                    raise known
                self._cancel(job)
                return
            self._tell_restart(reason_of(failure.text))

    def _tell_restart(self, reason: str) -> None:
        """The first, second, fourth, eighth … time."""
        self._reasons[reason] += 1
        times = self._reasons[reason]
        if times & (times - 1) == 0:
            count = "" if times == 1 else f" ({times} times by now)"
            _tell(f"the job failed on Flink and starts again{count}: {reason}")

    def _look_at_tasks(self, state: Mapping[str, Any]) -> None:
        tasks: Counter[str] = Counter()
        for vertex in state["vertices"]:
            tasks.update(vertex["tasks"])
        waiting = tasks["CREATED"] + tasks["SCHEDULED"] if state["state"] == "RUNNING" else 0
        self._tell_stuck("slots", waiting > 0, f"the job waits for {_SLOTS}")
        where = f"the worker pool at {self._pool}" if self._pool else "its environment"
        self._tell_stuck(
            "workers", tasks["INITIALIZING"] > 0, f"the job waits for workers of {where}: {_POOL}"
        )

    def _tell_stuck(self, what: str, waits: bool, text: str) -> None:
        """Once each time that the job has to wait for long."""
        if not waits:
            self._waits.pop(what, None)
            self._told.discard(what)
            return
        since = self._waits.setdefault(what, time.monotonic())
        if time.monotonic() - since > STUCK_SECONDS and what not in self._told:
            self._told.add(what)
            _tell(text)

    def _page(self, job: Job) -> str:
        return f"{self._cluster.address}/#/job/{job.id}"


_SLOTS = (
    "slots: a TaskManager was lost or others took its slots; start one, or stop another job, and "
    "it goes on"
)
_POOL = (
    "is it up, is the first `python` on its PATH the one with apache_beam and this package, can "
    "it reach the TaskManager? Its log tells"
)


def reason_of(text: str) -> str:
    """One line that says why a job failed, from Java's stack trace."""
    known = find_in_text(text)
    if known is not None:
        return known.message
    _, found, python = text.partition(_HARNESS)
    if found and _PYTHON in python:
        lines = python.partition("\n\tat ")[0].strip().splitlines()
        plain = [line for line in lines if line and not line[0].isspace()]
        return plain[-1]
    return first_line(text)


def _refusal(text: str) -> FerrisError:
    known = find_in_text(text)
    if known is not None:
        return known
    _, found, reason = text.partition(" failed in state FAILED: ")
    if found:
        return FatalError(f"the job failed on Flink: {first_line(reason)}; --verbose tells more")
    return FatalError(f"the job server did not run the job: {first_line(text)}; --verbose has more")


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
