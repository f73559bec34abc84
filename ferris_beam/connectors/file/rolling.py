"""Files of a useful size from small commits.

Where commits are small (an input that never ends has one at each end of a bundle), a file for each
would be thousands in an hour. Instead the parts that a commit staged are *gathered*: the log has
them with their intervals, so they are as durable and as exact as any commit, but nobody sees them
yet. Parts of one folder and one schema become one file, by one more entry of the log (`Roll`), when
there are enough rows or bytes, or when the oldest has waited long enough.

Whoever comes may roll; the log takes one of them, and the others throw theirs away. To spare that
work a process leaves parts that others committed to these, for a while.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache

import pyarrow as pa

from ferris_beam.commitlog import Gathered
from ferris_beam.connectors.file.options import FileSinkOptions
from ferris_beam.errors import ConfigurationError
from ferris_beam.options.types import show_byte_size, show_duration

MOST_PARTS = 1000
"""Parts that wait for one file at most, and ten times that for all: each is in every checkpoint
of the log."""

GRACE_SECONDS = 30.0
"""How long parts that are due are left to the process that committed the last of them."""

_DEFAULT_BYTES = 128 << 20
_DEFAULT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Rolling:
    """When gathered parts become a file: enough rows, bytes or seconds; None: doesn't matter."""

    rows: int | None = None
    nbytes: int = _DEFAULT_BYTES
    seconds: float | None = None

    @classmethod
    def of(cls, options: FileSinkOptions, endless: bool) -> Rolling | None:
        """None: each commit is a file at once."""
        given = (options.roll_rows, options.roll_bytes, options.roll_interval)
        if options.roll_interval is not None and not options.roll_interval:
            return None
        if not endless and all(value is None for value in given):
            return None
        seconds = _DEFAULT_SECONDS if endless else None
        if options.roll_interval is not None:
            seconds = options.roll_interval.total_seconds()
        return cls(options.roll_rows, options.roll_bytes or _DEFAULT_BYTES, seconds)

    def __str__(self) -> str:
        limits = [] if self.rows is None else [f"{self.rows:,} rows"]
        limits.append(show_byte_size(self.nbytes))
        if self.seconds is not None:
            limits.append(show_duration(timedelta(seconds=self.seconds)))
        return f"{', '.join(limits[:-1])} or {limits[-1]}" if limits[1:] else limits[0]

    def chunks(self, parts: Sequence[Gathered]) -> Iterator[Chunk]:
        """The parts of each file; all but the last are full."""
        chunk = Chunk()
        for part in parts:
            chunk.add(part)
            if self._is_full(chunk):
                chunk.full = True
                yield chunk
                chunk = Chunk()
        if chunk.parts:
            yield chunk

    def _is_full(self, chunk: Chunk) -> bool:
        return (
            len(chunk.parts) >= MOST_PARTS
            or chunk.nbytes >= self.nbytes
            or (self.rows is not None and chunk.rows >= self.rows)
        )

    def is_due(self, chunk: Chunk, now: float, grace: float) -> bool:
        if chunk.full:
            return chunk.parts[-1].since + grace <= now
        if self.seconds is None:
            return False
        oldest = chunk.parts[0].since
        return oldest + self.seconds + grace <= now or oldest > now + GRACE_SECONDS


@dataclass(slots=True)
class Chunk:
    """Parts that become one file."""

    parts: list[Gathered] = field(default_factory=list)
    rows: int = 0
    nbytes: int = 0
    full: bool = False

    def add(self, part: Gathered) -> None:
        self.parts.append(part)
        self.rows += part.rows
        self.nbytes += part.nbytes


def check_rolling(options: FileSinkOptions, display: str, folder: bool) -> None:
    """Raises `ConfigurationError` where options would have no effect."""
    names = [
        name
        for name in ("roll_rows", "roll_bytes", "roll_interval")
        if getattr(options, name) is not None
    ]
    if names and not folder:
        raise ConfigurationError(
            f"{display}: {' and '.join(names)} {'need' if names[1:] else 'needs'} a folder, whose "
            "files they make larger; end the URI with '/'"
        )
    if names[1:] and options.roll_interval is not None and not options.roll_interval:
        raise ConfigurationError(
            f"{display}: with roll_interval=0 every commit is a file; leave out "
            f"{' and '.join(names[:-1])}, or give a longer interval"
        )


def due(
    gathered: Sequence[Gathered],
    rolling: Rolling | None,
    now: float,
    mine: set[str],
    everything: bool,
) -> list[list[Gathered]]:
    """The parts of each file that is to be made now. ``mine`` are the staged files that this
    process committed."""
    if rolling is None or len(gathered) >= MOST_PARTS * 10:
        everything = True
    policy = rolling or Rolling()
    found = []
    for parts in _groups(gathered):
        for chunk in policy.chunks(parts):
            grace = 0.0 if chunk.parts[-1].staged in mine else GRACE_SECONDS
            if everything or policy.is_due(chunk, now, grace):
                found.append(chunk.parts)
    return found


def _groups(gathered: Sequence[Gathered]) -> list[list[Gathered]]:
    groups: dict[tuple[str, str, str], list[Gathered]] = {}
    for part in gathered:
        groups.setdefault((part.folder, part.extension, part.schema), []).append(part)
    return list(groups.values())


@lru_cache(maxsize=64)
def fingerprint_of(schema: pa.Schema) -> str:
    """The same for schemas whose rows can be in one file."""
    plain = schema.remove_metadata().serialize().to_pybytes()
    return hashlib.sha256(plain).hexdigest()[:16]
