"""Starting and ending the servers' processes."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil

PATIENCE = 60.0
POLL = 0.02
ACCOUNT = "nobody"

# A server gets a signal when the *thread* that started it ends. This one lives as long as the
# process, so servers end with it, also where a test run is killed; threads of tests come and go.
_starter = ThreadPoolExecutor(1, thread_name_prefix="services")


def free_port() -> int:
    """A port that nobody listens at, below those that the system gives to outgoing connections:
    one of those could take it while the server is down, even by connecting to itself."""
    while True:
        port = random.SystemRandom().randint(20_000, 31_999)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def start(
    command: Sequence[str | Path], log: Path, ending: str = "TERM", unprivileged: bool = False
) -> subprocess.Popen[bytes]:
    """Starts a server that writes to ``log`` and gets the signal ``ending`` with this process.
    ``unprivileged``: as root, it runs as nobody."""
    with open(log, "ab") as output:
        return _starter.submit(
            subprocess.Popen,
            [*_prefix(ending, unprivileged), *map(str, command)],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        ).result()


def run(command: Sequence[str | Path], unprivileged: bool = False) -> str:
    """The output of a command that ends by itself; its errors where it fails."""
    done = subprocess.run(
        [*_prefix("KILL", unprivileged), *map(str, command)],
        cwd="/",
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr[-2000:] or done.stdout[-2000:]}")
    return done.stdout


def _prefix(ending: str, unprivileged: bool) -> list[str]:
    if shutil.which("setpriv") is None:  # not a Linux system
        return []
    prefix = ["setpriv", f"--pdeathsig={ending}"]
    if unprivileged and os.getuid() == 0:
        prefix += [f"--reuid={ACCOUNT}", "--regid=nogroup", "--clear-groups"]
        prefix += ["env", f"HOME={tempfile.gettempdir()}"]
    return prefix


def wait_ready(process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path) -> None:
    """Waits until ``ready``; raises with the log's end where the process ends before."""
    for _ in range(int(PATIENCE / POLL)):
        if ready():
            return
        try:
            process.wait(POLL)
        except subprocess.TimeoutExpired:
            continue
        break
    end(process, signal.SIGKILL)
    raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')[-2000:]}")


def end(process: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> None:
    """Sends the signal and waits; a server that doesn't obey is killed with its children."""
    if process.poll() is None:
        process.send_signal(number)
        try:
            process.wait(PATIENCE / 2)
        except subprocess.TimeoutExpired:
            kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL for the process and all its children, and waits until none is left."""
    try:
        family = [psutil.Process(process.pid)]
        family += family[0].children(recursive=True)
    except psutil.NoSuchProcess:
        process.wait()
        return
    for stop in (psutil.Process.suspend, psutil.Process.kill):
        # Suspended first: else the postmaster or its children begin to tidy up.
        for member in family:
            with suppress(psutil.NoSuchProcess):  # it ended by itself
                stop(member)
    process.wait()
    for member in family:
        _wait_dead(member)


def _wait_dead(process: psutil.Process) -> None:
    """Until nothing of it runs; that its adopted parent has asked for its end is not waited for."""
    for _ in range(int(PATIENCE / POLL)):
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return
            process.wait(POLL)
        except psutil.NoSuchProcess:
            return
        except psutil.TimeoutExpired:
            continue
    raise RuntimeError(f"process {process.pid} does not die")
