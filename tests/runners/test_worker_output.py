"""Failures of workers are told once, by the launcher."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from ferris_beam.runners.worker_output import worker_tracebacks_held_back

WORKER = "/site-packages/apache_beam/runners/worker/sdk_worker.py"
TRACEBACK = f'Traceback (most recent call last):\n  File "{WORKER}"\nValueError: another bundle'


def as_worker(act: Callable[[], Any]) -> Callable[[], Any]:
    """``act``, called where Beam's workers call a bundle."""
    namespace: dict[str, Any] = {"act": act}
    exec(compile("def _execute():\n    act()", WORKER, "exec"), namespace)
    return namespace["_execute"]  # type: ignore[no-any-return]


def test_a_bundle_that_fails_later_is_not_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    started, released = threading.Event(), threading.Event()

    def fail_later() -> None:
        started.set()
        released.wait(60)
        print(TRACEBACK, file=sys.stderr)

    worker = threading.Thread(target=as_worker(fail_later))
    monkeypatch.setattr(time, "sleep", lambda seconds: released.set())
    worker.start()
    started.wait(60)
    with pytest.raises(ValueError, match="the first"), worker_tracebacks_held_back():
        raise ValueError("the first")
    worker.join(60)
    assert released.is_set()
    assert capsys.readouterr().err == ""


def test_what_works_on_is_waited_for_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ferris_beam.runners.worker_output._MOMENT", 0.05)
    started, released = threading.Event(), threading.Event()

    def work_on() -> None:
        started.set()
        released.wait(60)

    worker = threading.Thread(target=as_worker(work_on))
    worker.start()
    started.wait(60)
    with pytest.raises(ValueError, match="the first"), worker_tracebacks_held_back():
        raise ValueError("the first")
    assert worker.is_alive()
    released.set()
    worker.join(60)
