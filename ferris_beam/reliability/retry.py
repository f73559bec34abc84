"""Trying again after transient errors, with exponential backoff and jitter."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, wait_exponential_jitter

from ferris_beam.errors import ConflictError, TransientError, UnreachableError

logger = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """At most ``attempts`` tries; waits grow from ``first_wait`` to ``longest_wait`` seconds.

    Where nobody answers (`UnreachableError`), it is ``patience`` seconds that count, not tries.
    """

    attempts: int = 5
    patience: float = 5.0
    first_wait: float = 0.1
    longest_wait: float = 30.0
    jitter: float = 0.1
    announced: bool = False
    """Whether a wait for somebody who doesn't answer is logged as a warning, when it begins."""


AT_WORK = RetryPolicy(patience=30.0, longest_wait=2.0, announced=True)
"""Once a run has begun: a server that was reached is worth a longer wait, as for a failover, than
one at the start, which may be a mistake in its name."""


def retrying(
    action: Callable[[], T],
    policy: RetryPolicy = RetryPolicy(),
    on_retry: Callable[[], None] = lambda: None,
) -> T:
    """The result of ``action``, repeated while it raises `TransientError`.

    A `ConflictError` is not repeated here: only reading again can mend it. The last error is
    raised as it is.
    """

    def before_waiting(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome is not None else None
        first = state.attempt_number == 1
        if policy.announced and first and isinstance(error, UnreachableError):
            logger.warning("%s: trying again for %g seconds", error, policy.patience)
        on_retry()

    for attempt in Retrying(
        retry=retry_if_exception(_is_worth_it),
        stop=lambda state: _is_enough(state, policy),
        wait=wait_exponential_jitter(
            initial=policy.first_wait, max=policy.longest_wait, jitter=policy.jitter
        ),
        before_sleep=before_waiting,
        reraise=True,
    ):
        with attempt:
            return action()
    raise AssertionError("tenacity gives a result or raises")


def _is_worth_it(error: BaseException) -> bool:
    return isinstance(error, TransientError) and not isinstance(error, ConflictError)


def _is_enough(state: RetryCallState, policy: RetryPolicy) -> bool:
    error = state.outcome.exception() if state.outcome is not None else None
    if isinstance(error, UnreachableError):
        return (state.seconds_since_start or 0.0) + state.upcoming_sleep > policy.patience
    return state.attempt_number >= policy.attempts
