"""What random values and the present time depend on, so that a repeat gives the same ones."""

from __future__ import annotations

from ferris_beam.interval import Origin
from ferris_beam.transforms.context import Run


def seed_of(run: Run, origin: Origin | None) -> str:
    """The seed of a batch: when the run started (RFC 3339, which is what NOW gives), and behind the
    first space what chance depends on: a repeat of an interval, also by a later run, has the same.
    """
    chance = run.identity.run if origin is None else f"{run.identity.name} {origin.interval}"
    return f"{run.started} {chance}"
