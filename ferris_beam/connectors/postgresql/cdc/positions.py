"""Log sequence numbers, and the positions that are made of them.

A position is 128 bits: the LSN of a transaction's commit record, then twice the ordinal of the
change in it (an update of a key becomes two records). Commit records begin at multiples of 8.
Behind a whole transaction lies ``(commit LSN + 1) << 64``, and a heartbeat at the log's end E is
``(E - 1) << 64``: no change has such a high half, so that the rows of snapshots, which count up
from there in the low half, collide with none.
"""

from __future__ import annotations

from datetime import datetime, timezone

LOW_BITS = 64
LOW_MASK = (1 << LOW_BITS) - 1
STEP = 2
"""Positions of one change."""

EPOCH_MICROSECONDS = 946_684_800_000_000
"""2000-01-01, where PostgreSQL's clock begins, in microseconds since 1970."""

_ALIGNMENT = 8
_PAGE = 8192
_PAGE_HEADERS = (24, 40)


def parse_lsn(text: str) -> int:
    """``0/16B3748`` as a number."""
    high, low = text.split("/")
    return int(high, 16) << 32 | int(low, 16)


def format_lsn(lsn: int) -> str:
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


def behind(commit_lsn: int) -> int:
    """The position behind a whole transaction."""
    return (commit_lsn + 1) << LOW_BITS


def within(commit_lsn: int, ordinal: int) -> int:
    """The position of a transaction's change."""
    return commit_lsn << LOW_BITS | ordinal * STEP


def at_end(lsn: int) -> int:
    """The position where all that committed before ``lsn``, the end of a record, is read."""
    return max(lsn - 1, 0) << LOW_BITS


def needed(position: int) -> int:
    """The LSN from which on the log is needed to read on at a position: all that committed before
    it lies below the position."""
    return -(-(position >> LOW_BITS) // _ALIGNMENT) * _ALIGNMENT


def record_end(lsn: int) -> int:
    """Where the last record ended if the log is to be written on at ``lsn``.

    The insert position is behind the header of a page that no record has reached yet.
    """
    inside = lsn % _PAGE
    return lsn - inside if inside in _PAGE_HEADERS else lsn


def as_datetime(micros: int) -> datetime:
    return datetime.fromtimestamp(micros // 1_000_000, timezone.utc).replace(
        microsecond=micros % 1_000_000
    )
