"""What Flink's REST API tells of a cluster and its jobs, and stopping a job by it.

https://nightlies.apache.org/flink/flink-docs-stable/docs/ops/rest_api/
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ferris_beam.errors import FatalError, UnreachableError

ENDED = frozenset({"FINISHED", "CANCELED", "FAILED"})
STOP_SECONDS = 300.0
_POLL_SECONDS = 0.2
_ANSWER_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the list of all jobs shows it. ``started`` is in milliseconds since 1970."""

    id: str
    name: str
    state: str
    started: int

    @property
    def ended(self) -> bool:
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job started again, or failed: ``text`` is Java's stack trace, with Python's inside."""

    text: str
    milliseconds: int


class FlinkCluster:
    """The cluster whose JobManager answers at ``address`` (``http://host:8081``).

    Raises `UnreachableError` where nobody answers, `FatalError` where the answer is a refusal.
    """

    def __init__(self, address: str) -> None:
        with_scheme = address if "://" in address else f"http://{address}"
        self.address = with_scheme.rstrip("/")

    def overview(self) -> dict[str, Any]:
        """Slots, TaskManagers and ``flink-version``."""
        return dict(self._call("GET", "/overview"))

    def configuration(self) -> dict[str, str]:
        """The JobManager's settings, secrets hidden by Flink."""
        return {each["key"]: each["value"] for each in self._call("GET", "/jobmanager/config")}

    def task_managers(self) -> list[str]:
        """The hosts of the TaskManagers."""
        found = self._call("GET", "/taskmanagers")["taskmanagers"]
        return [each["path"].partition("@")[2].partition(":")[0] for each in found]

    def jobs(self) -> list[Job]:
        """All jobs that the JobManager remembers, the newest first."""
        found = self._call("GET", "/jobs/overview")["jobs"]
        jobs = [Job(each["jid"], each["name"], each["state"], each["start-time"]) for each in found]
        return sorted(jobs, key=lambda job: -job.started)

    def state(self, job: str) -> dict[str, Any]:
        """The job with its tasks (``vertices``)."""
        return dict(self._call("GET", f"/jobs/{job}"))

    def last_state(self, job: str) -> str:
        """The state in which a job ends that is about to end."""
        self._until(lambda: self.state(job)["state"] in ENDED, f"job {job} did not end")
        return str(self.state(job)["state"])

    def failures(self, job: str) -> list[Failure]:
        """The last ones, the newest first."""
        found = self._call("GET", f"/jobs/{job}/exceptions")
        entries = found.get("exceptionHistory", {}).get("entries", [])
        return [Failure(each["stacktrace"], each["timestamp"]) for each in entries]

    def cancel(self, job: str) -> None:
        """Asks for the job's end; it comes a little later."""
        self._call("PATCH", f"/jobs/{job}?mode=cancel")

    def cancel_and_wait(self, job: str) -> None:
        self.cancel(job)
        self.last_state(job)

    def stop_with_savepoint(self, job: str, folder: str | None) -> str:
        """Ends the job and returns where its savepoint lies; ``folder`` None: the cluster's.

        No watermark is advanced: windows that are open stay open, in the savepoint.
        """
        asked: dict[str, Any] = {"drain": False}
        if folder is not None:
            asked["targetDirectory"] = folder
        request = self._call("POST", f"/jobs/{job}/stop", asked)["request-id"]
        answer: dict[str, Any] = {}

        def is_done() -> bool:
            nonlocal answer
            answer = self._call("GET", f"/jobs/{job}/savepoints/{request}")
            return bool(answer["status"]["id"] == "COMPLETED")

        self._until(is_done, f"the savepoint of job {job} is not ready")
        operation = answer["operation"]
        cause = operation.get("failure-cause")
        if cause is not None:
            reason = first_line(cause.get("stack-trace", "") or cause.get("class", ""))
            raise FatalError(f"Flink could not stop job {job} with a savepoint: {reason}")
        self.last_state(job)
        return str(operation["location"])

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + STOP_SECONDS
        while not condition():
            if time.monotonic() > until:
                raise FatalError(f"{what} after {STOP_SECONDS:.0f} s; {self.address} shows more")
            time.sleep(_POLL_SECONDS)

    def _call(self, method: str, path: str, document: Any = None) -> Any:
        body = None if document is None else json.dumps(document).encode()
        headers = {"Content-Type": "application/json"}
        try:
            request = urllib.request.Request(self.address + path, body, headers, method=method)
            with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            said = _said(error)
            raise FatalError(f"Flink at {self.address} refused {method} {path}: {said}") from None
        except OSError as error:  # URLError among them
            reason = getattr(error, "reason", error)
            raise UnreachableError(f"Flink does not answer at {self.address}: {reason}") from None
        except ValueError:
            raise FatalError(f"what answers at {self.address} is not Flink's REST API") from None


def find_job(cluster: FlinkCluster, name: str) -> Job:
    """The job with this id, or the newest that runs under this name. `FatalError`: none does."""
    jobs = [job for job in cluster.jobs() if not job.ended]
    for job in jobs:
        if job.id == name or job.name == name:
            return job
    running = ", ".join(f"{job.name} ({job.id})" for job in jobs) or "none"
    raise FatalError(f"no job {name!r} runs at {cluster.address}; jobs that run: {running}")


def causes(text: str) -> Iterator[str]:
    """The messages in a Java stack trace, from the outermost to the root cause."""
    for line in text.splitlines():
        if line.startswith("Caused by: "):
            yield line.removeprefix("Caused by: ")
        elif line.strip() and not line.startswith(("\t", " ")) and text.startswith(line):
            yield line


def first_line(text: str) -> str:
    """The root cause, in one line without Java's package names."""
    found = list(causes(text))
    last = found[-1] if found else text.strip().partition("\n")[0]
    name, colon, message = last.partition(": ")
    return f"{name.rpartition('.')[2]}{colon}{message}".strip()


def _said(error: urllib.error.HTTPError) -> str:
    try:
        errors = json.loads(error.read())["errors"]
        return first_line(str(errors[-1]))
    except (ValueError, LookupError, TypeError):
        return f"{error.code} {error.reason}"
