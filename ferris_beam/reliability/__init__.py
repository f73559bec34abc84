"""What happens when things go wrong: retries, bisection to the bad row, dead letters."""

from __future__ import annotations

from ferris_beam.reliability.bisection import write_good_rows
from ferris_beam.reliability.dead_letters import SCHEMA, DeadLetterFormat, strict_error
from ferris_beam.reliability.retry import AT_WORK, RetryPolicy, retrying

__all__ = [
    "AT_WORK",
    "SCHEMA",
    "DeadLetterFormat",
    "RetryPolicy",
    "retrying",
    "strict_error",
    "write_good_rows",
]
