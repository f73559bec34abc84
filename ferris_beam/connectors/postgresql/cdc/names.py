"""What a slot and its publication are called, where nobody says it; what records look like."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Literal

from ferris_beam.errors import ConfigurationError

Shape = Literal["flat", "envelope", "texts"]

_OTHERS = re.compile(r"[^a-z0-9]+")
_WORDS = 40  # of the 63 that a name may have
_DIGITS = 8


def default_slot(database: str, tables: Sequence[str]) -> str:
    """A name that is the same for the same tables, as they were written, in any order.

    Slots belong to a whole cluster, so that the database is a part of it. Only ``a-z0-9_`` may
    stand in it.
    """
    wanted = "\0".join([database, *sorted(tables)])
    words = _OTHERS.sub("_", "_".join([database, *sorted(tables)]).lower()).strip("_")
    digest = sha256(wanted.encode()).hexdigest()[:_DIGITS]
    return f"ferris_{words[:_WORDS].rstrip('_')}_{digest}"


def shape_of(wanted: Literal["flat", "envelope"] | None, tables: Sequence[str]) -> Shape:
    """``tables`` as they were written. Raises `ConfigurationError` for flat records of several."""
    if len(tables) < 2 and not any(name.endswith(".*") for name in tables):
        return wanted or "flat"
    if wanted == "flat":
        raise ConfigurationError(
            "format=flat has the columns of one table; say format=envelope for changes of several"
        )
    return "texts"
