"""Parsing URIs and making transforms of them, a call at a time. Median of several passes over texts
that are made before the clock starts."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

import ferris_beam as fb

PASSES = 5


def parse_distinct(count: int) -> dict[str, float]:
    uri = fb.Uri
    return _passes(uri.parse, [_texts(count, salt) for salt in range(PASSES)])


def create_distinct(count: int) -> dict[str, float]:
    return _passes(fb.create_source, [_texts(count, salt) for salt in range(PASSES)])


def create_repeated(count: int) -> dict[str, float]:
    """A hundred different URIs, each again and again."""
    few = _texts(100, 0)
    return _passes(fb.create_source, [[few[i % 100] for i in range(count)]] * PASSES)


def _texts(count: int, salt: int) -> list[str]:
    return [
        f"file:///data/{salt}/orders-{number}.csv.gz?format=csv&delimiter=;&null_values=NA"
        for number in range(count)
    ]


def _passes(call: Callable[[str], object], passes: Sequence[Sequence[str]]) -> dict[str, float]:
    seconds = []
    for texts in passes:
        began = time.perf_counter()
        for text in texts:
            call(text)
        seconds.append(time.perf_counter() - began)
    return {"seconds": statistics.median(seconds), "best": min(seconds)}
