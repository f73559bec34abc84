"""Where reading a partition begins and ends, as options say it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Literal

_OFFSETS = re.compile(r"\s*\d+\s*:\s*\d+\s*(,\s*\d+\s*:\s*\d+\s*)*")


@dataclass(frozen=True, slots=True)
class Start:
    """Where partitions begin; ``at`` is in milliseconds since 1970, ``offsets`` by partition."""

    kind: Literal["earliest", "latest", "group", "time", "offsets"]
    at: int = 0
    offsets: Mapping[int, int] = field(default_factory=dict)


def parse_start(text: str) -> Start:
    """Raises `ValueError` where the text says no place."""
    for kind in ("earliest", "latest", "group"):
        if text == kind:
            return Start(kind)
    if _OFFSETS.fullmatch(text):
        pairs = (pair.split(":") for pair in text.split(","))
        return Start("offsets", offsets={int(number): int(offset) for number, offset in pairs})
    return Start("time", parse_time(text))


def parse_until(text: str) -> int | None:
    """Milliseconds since 1970; None is now."""
    return None if text == "now" else parse_time(text)


def parse_time(text: str) -> int:
    """ISO 8601; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise ValueError("no time") from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=timezone.utc)
    return round(found.timestamp() * 1000)
