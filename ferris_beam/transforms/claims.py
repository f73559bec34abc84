"""The start of a run: what the ledgers of all its sinks say together, and their claim.

All sinks are claimed under one epoch, in one order, before any ledger is believed. The first sink
decides between runs that start at once; at the others the one that lost is refused. A run that
goes on takes the generation of the sink that is furthest: one that a killed rerun did not reach
yet is started from zero then, too.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ferris_beam.connector import Writer
from ferris_beam.errors import IdentityError, PlanError, SupersededError
from ferris_beam.ledger import Identity, LedgerState
from ferris_beam.transforms.context import Run

_claims: dict[str, Claims] = {}
_lock = threading.Lock()
_KEPT = 16


@dataclass(frozen=True)
class Claims:
    """The epoch that a run holds in all its sinks, and the ledgers as they stood then; whether all
    is ``written``, so that nothing is to be read, only to be shown."""

    epoch: int
    ledgers: Mapping[str, LedgerState]
    written: bool = False


@dataclass(frozen=True)
class Decision:
    """The generation in which a run works, and whether all of it is ``written`` already."""

    generation: int
    written: bool = False


class FinishedError(IdentityError):
    """Everything is done already: not a failure, but nothing to do either."""


def claim(run: Run) -> Claims:
    """Claims all sinks of ``run``, once in each process.

    Raises `IdentityError` where the user must decide, `SupersededError` where a later run holds
    the sinks.
    """
    with _lock:
        held = _claims.get(run.identity.run)
        if held is None:
            while len(_claims) >= _KEPT:
                _claims.pop(next(iter(_claims)))
            held = _claims[run.identity.run] = _claim(run)
        return held


def current_ledgers(run: Run) -> dict[str, LedgerState]:
    """The ledgers of all sinks as they stand now."""
    ledgers = {}
    for sink in run.sinks:
        sink.writer.open(run.identity)
        try:
            ledgers[sink.label] = sink.writer.ledger().copy()
        finally:
            sink.writer.close()
    return ledgers


def decide(run: Run, ledgers: Mapping[str, LedgerState]) -> Decision:
    """Whether the run goes on or starts from zero; `IdentityError` if the user must decide."""
    identity, policy = run.identity, run.policy
    states = list(ledgers.values())
    latest = max((state.generation for state in states), default=0)
    claimed = [state for state in states if state.epoch]
    written = run.together and _is_written(states, latest)
    if any(state.run == identity.run for state in claimed):
        return Decision(latest, written)
    if policy.resume and not claimed:
        raise IdentityError(
            f"there is no run {identity.name!r} to resume in these sinks; runs are named in the "
            "line 'identity' that each prints at its start"
        )
    if policy.reset:
        return Decision(latest + 1)
    if not claimed:
        return Decision(max(latest, 1))
    finished = len(claimed) == len(states) and all(
        state.finished and state.generation == latest for state in states
    )
    if finished and policy.rerun:
        return Decision(latest + 1)
    if finished and not any(source.incremental for source in run.sources):
        raise FinishedError(
            f"{identity.name!r} is finished: its input was read and all of it is written. "
            "--rerun runs it again from the start"
        )
    if any(state.plan != identity.plan for state in claimed) and not policy.continue_changed:
        raise IdentityError(_changed(identity, finished))
    if run.together and not written:
        return Decision(latest + 1)  # what was read can't be read again
    return Decision(latest, written)


def _is_written(states: Sequence[LedgerState], generation: int) -> bool:
    """Whether sinks that end together hold all rows: the first that shows them decides for all."""
    current = [state for state in states if state.generation == generation]
    if any(state.finished for state in current):
        return True
    return len(current) == len(states) and all(state.prepared for state in current)


def _changed(identity: Identity, finished: bool) -> str:
    how = "is to go on with what came since" if finished else "is unfinished"
    return (
        f"{identity.name!r} {how}, and the pipeline has changed since: what is written came from "
        "another plan. --continue goes on with the rest under the new plan, --reset starts from "
        "zero"
    )


def _claim(run: Run) -> Claims:
    if run.problems:
        raise PlanError("\n".join(run.problems))
    opened: list[tuple[str, Writer]] = []
    try:
        for sink in sorted(run.sinks, key=lambda sink: sink.place):
            opened.append((sink.label, sink.writer))
            sink.writer.open(run.identity)
        return _claim_in_order(run, opened)
    finally:
        for _, writer in opened:
            writer.close()


def _claim_in_order(run: Run, writers: list[tuple[str, Writer]]) -> Claims:
    while True:
        ledgers = {label: writer.ledger() for label, writer in writers}
        _refuse_superseded(run.identity, ledgers)
        decision = decide(run, ledgers)
        epoch = _epoch(run.identity, ledgers)
        for index, (_, writer) in enumerate(writers):
            try:
                writer.claim(epoch, decision.generation)
            except SupersededError:
                if index > 0:
                    raise
                break  # another run took this epoch at the first sink: look again
        else:
            current = {label: writer.ledger() for label, writer in writers}
            return Claims(epoch, current, decision.written)


def _epoch(identity: Identity, ledgers: Mapping[str, LedgerState]) -> int:
    held = [state.epoch for state in ledgers.values() if state.run == identity.run]
    return held[0] if held else 1 + max((state.epoch for state in ledgers.values()), default=0)


def _refuse_superseded(identity: Identity, ledgers: Mapping[str, LedgerState]) -> None:
    for state in ledgers.values():
        if identity.run in state.past:
            state.check_claim(identity, state.epoch)
