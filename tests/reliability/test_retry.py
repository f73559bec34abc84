"""What is tried again, how often and for how long."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from ferris_beam.errors import (
    ConflictError,
    FatalError,
    FerrisError,
    TransientError,
    UnreachableError,
)
from ferris_beam.reliability import RetryPolicy, retrying

QUICK = RetryPolicy(first_wait=0.001, longest_wait=0.002, jitter=0, patience=0.3)


def failing(error: FerrisError, times: int, tries: list[float]) -> Callable[[], str]:
    def action() -> str:
        tries.append(time.monotonic())
        if len(tries) <= times:
            raise error
        return "done"

    return action


def test_what_passes_is_tried_five_times() -> None:
    tries: list[float] = []
    assert retrying(failing(TransientError("busy"), 4, tries), QUICK) == "done"
    with pytest.raises(TransientError, match="busy"):
        retrying(failing(TransientError("busy"), 5, tries := []), QUICK)
    assert len(tries) == 5


def test_a_server_that_restarts_is_waited_for_however_many_tries_that_takes() -> None:
    tries: list[float] = []
    assert retrying(failing(UnreachableError("down"), 20, tries), QUICK) == "done"
    assert len(tries) == 21


def test_of_a_server_that_is_gone_the_user_soon_hears() -> None:
    tries: list[float] = []
    with pytest.raises(UnreachableError, match="down"):
        retrying(failing(UnreachableError("down"), 100_000, tries), QUICK)
    assert QUICK.attempts < len(tries)
    assert len(tries) < 100_000


def test_a_run_at_work_says_once_that_it_waits(caplog: pytest.LogCaptureFixture) -> None:
    lost = UnreachableError("the server at 10.0.0.1 does not answer")
    retrying(failing(lost, 3, []), replace(QUICK, announced=True))
    retrying(failing(TransientError("busy"), 3, []), replace(QUICK, announced=True))
    assert caplog.messages == [f"{lost}: trying again for 0.3 seconds"]


def test_one_slow_try_uses_up_the_patience() -> None:
    tries: list[float] = []

    def black_hole() -> None:
        tries.append(time.monotonic())
        while time.monotonic() - tries[0] < QUICK.patience:
            pass
        raise UnreachableError("no answer in time")

    with pytest.raises(UnreachableError, match="no answer"):
        retrying(black_hole, QUICK)
    assert len(tries) == 1


@pytest.mark.parametrize("error", [ConflictError("read again"), FatalError("stop")])
def test_what_another_try_cannot_mend_is_tried_once(error: FerrisError) -> None:
    tries: list[float] = []
    with pytest.raises(type(error)):
        retrying(failing(error, 1, tries), QUICK)
    assert len(tries) == 1


def test_each_further_try_is_announced() -> None:
    announced: list[int] = []
    tries: list[float] = []
    retrying(failing(TransientError("busy"), 3, tries), QUICK, lambda: announced.append(len(tries)))
    assert announced == [1, 2, 3]
