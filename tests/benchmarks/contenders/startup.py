"""How long a user waits before anything happens."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

_PATIENCE = 60.0
_POLL = 0.002


def nothing() -> None:
    """A process that does nothing: what the others cost besides their own work."""


def importing() -> None:
    import ferris_beam  # noqa: F401


def listing() -> dict[str, float]:
    """``python -m ferris_beam connectors``, the whole command."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "ferris_beam", "connectors"], check=True, capture_output=True
    )
    return {"seconds": time.perf_counter() - began}


def first_row(source: str, folder: str) -> dict[str, float]:
    """A copy, from the command until a reader finds the first data file."""
    sink = f"file://{folder}?format=parquet"
    command = [sys.executable, "-m", "pipelines.copy", "--source", source, "--sink", sink]
    began = time.perf_counter()
    process = subprocess.Popen([*command, "--quiet"], stderr=subprocess.PIPE, text=True)
    seconds = _until_visible(Path(folder), process, began)
    _, errors = process.communicate(timeout=_PATIENCE)
    if process.returncode != 0 or seconds is None:
        raise RuntimeError(f"the copy exited {process.returncode}, wrote nothing:\n{errors}")
    return {"seconds": seconds}


def _until_visible(folder: Path, process: subprocess.Popen[str], began: float) -> float | None:
    """Seconds since ``began`` when the first data file stands in ``folder``; None if it never
    does."""
    while time.perf_counter() - began < _PATIENCE:
        ended = process.poll() is not None
        if any(folder.glob("*.parquet")):
            return time.perf_counter() - began
        if ended:
            return None
        time.sleep(_POLL)
    return None
