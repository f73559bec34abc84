"""A Flink cluster without containers: JobManager, TaskManager, Beam's job server, worker pool.

Each is a process of its own and can be killed and started again by itself.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.services import processes
from tests.services.flink_binaries import flink_jars, job_server_jar
from tests.services.tiers import FULL, tool

SLOTS = 2
_ROOT = Path(__file__).resolve().parents[2]
_OPENED = "lang net io nio lang.reflect text time util util.concurrent util.concurrent.atomic"
_JVM = [
    *(f"--add-opens=java.base/java.{name}=ALL-UNNAMED" for name in _OPENED.split()),
    "--add-opens=java.base/java.util.concurrent.locks=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-exports=java.base/sun.net.util=ALL-UNNAMED",
    "--add-exports=java.rmi/sun.rmi.registry=ALL-UNNAMED",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
]
_SETTINGS: dict[str, object] = {
    "jobmanager.rpc.address": "127.0.0.1",
    "jobmanager.bind-host": "127.0.0.1",
    "jobmanager.memory.process.size": "1200m",
    "rest.address": "127.0.0.1",
    "rest.bind-address": "127.0.0.1",
    "taskmanager.host": "127.0.0.1",
    "taskmanager.bind-host": "127.0.0.1",
    "taskmanager.numberOfTaskSlots": SLOTS,
    "taskmanager.cpu.cores": SLOTS,
    "taskmanager.memory.framework.heap.size": "128m",
    "taskmanager.memory.framework.off-heap.size": "128m",
    "taskmanager.memory.task.heap.size": "512m",
    "taskmanager.memory.task.off-heap.size": "128m",
    "taskmanager.memory.managed.size": "128m",
    "taskmanager.memory.network.min": "64m",
    "taskmanager.memory.network.max": "64m",
    "taskmanager.memory.jvm-metaspace.size": "256m",
    "taskmanager.memory.jvm-overhead.min": "192m",
    "taskmanager.memory.jvm-overhead.max": "192m",
    "parallelism.default": 1,
    "classloader.check-leaked-classloader": "false",
    "restart-strategy.type": "fixed-delay",
    "restart-strategy.fixed-delay.attempts": 20,
    "restart-strategy.fixed-delay.delay": "500 ms",
    "state.backend.type": "hashmap",
    "heartbeat.timeout": 4000,
    "heartbeat.interval": 500,
    "slot.request.timeout": 60000,
}
_LOGGING = """\
rootLogger.level=INFO
rootLogger.appenderRef.c.ref=C
appender.c.name=C
appender.c.type=CONSOLE
appender.c.layout.type=PatternLayout
appender.c.layout.pattern=%d{HH:mm:ss,SSS} %-5p %c{1} %m%n
"""


class FlinkCluster:
    """``rest`` and ``job_endpoint`` are what a submission is given, ``pool`` where workers are
    asked for. Jobs keep checkpoints and savepoints in folders of the cluster's own."""

    def __init__(self, **settings: object) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ferris-flink-"))
        self.rest_port = processes.free_port()
        self.job_port = processes.free_port()
        self.pool_port = processes.free_port()
        self._java = tool("java", FULL, "a Flink cluster")
        self._jars = flink_jars()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._configure(settings)

    @property
    def rest(self) -> str:
        return f"http://127.0.0.1:{self.rest_port}"

    @property
    def job_endpoint(self) -> str:
        return f"127.0.0.1:{self.job_port}"

    @property
    def pool(self) -> str:
        return f"127.0.0.1:{self.pool_port}"

    @property
    def savepoints(self) -> Path:
        return self.folder / "savepoints"

    @property
    def flags(self) -> tuple[str, ...]:
        """What a pipeline is started with."""
        return (
            "--runner=flink",
            f"--flink_master={self.rest}",
            f"--job_endpoint={self.job_endpoint}",
            f"--environment_config={self.pool}",
        )

    def start(self) -> None:
        """Returns when a job can be submitted."""
        self._spawn("jobmanager", self._flink("entrypoint.StandaloneSessionClusterEntrypoint", 600))
        self._spawn("taskmanager", self._flink("taskexecutor.TaskManagerRunner", 640))
        self._spawn("job server", self._job_server())
        self.start_pool()
        self._wait("jobmanager", self._has_slots)
        self._wait("job server", lambda: _listens(self.job_port))
        self._wait("pool", lambda: _listens(self.pool_port))

    def start_task_manager(self) -> None:
        self._spawn("taskmanager", self._flink("taskexecutor.TaskManagerRunner", 640))

    def start_pool(self, path: str | None = None) -> None:
        """Its workers are those of the first ``python`` on the PATH: this one unless given."""
        self._spawn("pool", pool_command(self.pool_port, path))

    def kill(self, name: str) -> None:
        """SIGKILL for the 'jobmanager', 'taskmanager', 'job server' or 'pool', and its children."""
        processes.kill(self._processes.pop(name))

    def workers(self) -> list[psutil.Process]:
        """The pool's workers."""
        return psutil.Process(self._processes["pool"].pid).children()

    def get(self, path: str) -> Any:
        """What the JobManager answers."""
        with urllib.request.urlopen(self.rest + path, timeout=10) as answer:
            return json.load(answer)

    def jobs(self, *states: str) -> list[str]:
        """The ids of the jobs in these states."""
        found = self.get("/jobs/overview")["jobs"]
        return [job["jid"] for job in found if job["state"] in states]

    def cancel_all(self) -> None:
        """No job is left, and no slot taken."""
        for job in self.jobs("CREATED", "RUNNING", "RESTARTING", "FAILING", "INITIALIZING"):
            request = urllib.request.Request(f"{self.rest}/jobs/{job}?mode=cancel", method="PATCH")
            urllib.request.urlopen(request, timeout=10).close()
        self._wait("jobmanager", self._has_slots)

    def log(self, name: str) -> Path:
        return self.folder / f"{name.replace(' ', '-')}.log"

    def remove(self) -> None:
        """Ends all of it and removes its folder."""
        for name in list(self._processes):
            self.kill(name)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _has_slots(self) -> bool:
        try:
            found = self.get("/overview")
        except OSError:
            return False
        return bool(found["slots-available"] >= SLOTS)

    def _wait(self, name: str, ready: Any) -> None:
        processes.wait_ready(self._processes[name], ready, self.log(name))

    def _spawn(self, name: str, command: Sequence[str | Path]) -> None:
        self._processes[name] = processes.start(command, self.log(name), ending="KILL")

    def _flink(self, main: str, megabytes: int) -> list[str]:
        logging = f"-Dlog4j.configurationFile=file:{self.folder / 'log4j.properties'}"
        jvm = [f"-Xmx{megabytes}m", "-XX:MaxDirectMemorySize=512m", *_JVM, logging]
        name = f"org.apache.flink.runtime.{main}"
        return [self._java, *jvm, "-cp", f"{self._jars}/*", name, "--configDir", str(self.folder)]

    def _job_server(self) -> list[str]:
        places = ["--flink-master", f"127.0.0.1:{self.rest_port}", "--job-host", "127.0.0.1"]
        places += ["--job-port", str(self.job_port), "--artifacts-dir", f"{self.folder}/artifacts"]
        ports = ["--artifact-port", "0", "--expansion-port", "0"]
        jvm = ["-Xmx640m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        return [self._java, *jvm, "-jar", str(job_server_jar()), *places, *ports]

    def _configure(self, settings: Mapping[str, object]) -> None:
        folders = {
            "state.checkpoints.dir": (self.folder / "checkpoints").as_uri(),
            "state.savepoints.dir": self.savepoints.as_uri(),
            "io.tmp.dirs": str(self.folder),
        }
        ports = {"rest.port": self.rest_port, "jobmanager.rpc.port": processes.free_port()}
        every = {**_SETTINGS, **ports, **folders, **settings}
        lines = (f"{name}: {value}\n" for name, value in every.items())
        (self.folder / "flink-conf.yaml").write_text("".join(lines))
        (self.folder / "log4j.properties").write_text(_LOGGING)


@contextmanager
def running_pool(path: str, log: Path) -> Iterator[str]:
    """The address of a pool that runs inside the ``with``, with workers of its own PATH."""
    port = processes.free_port()
    process = processes.start(pool_command(port, path), log, ending="KILL")
    try:
        processes.wait_ready(process, lambda: _listens(port), log)
        yield f"127.0.0.1:{port}"
    finally:
        processes.kill(process)


def pool_command(port: int, path: str | None = None) -> list[str]:
    """What starts a worker pool; ``path`` is the PATH on which it looks for ``python``."""
    own = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
    words = ["env", f"PATH={own if path is None else path}", f"PYTHONPATH={_ROOT}"]
    module = "apache_beam.runners.worker.worker_pool_main"
    return [*words, sys.executable, "-m", module, "--service_port", str(port)]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(**settings: object) -> Iterator[FlinkCluster]:
    """A cluster that runs inside the ``with``."""
    cluster = FlinkCluster(**settings)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()
