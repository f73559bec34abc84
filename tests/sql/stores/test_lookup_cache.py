"""What is remembered of looked up keys: how many, for how long, and which are forgotten first."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.sql.joins.keys import Keys
from ferris_beam.sql.joins.lookup_cache import LookupCache

KEYS = pa.schema([("id", pa.int64()), ("code", pa.string())])
ROWS = pa.schema([("k", pa.int64()), ("c", pa.string()), ("said", pa.int64())])
Key = tuple[int | None, str | None]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Asked:
    """A cache in front of a source that has two rows for each even key; it says when it was asked
    for the last time."""

    def __init__(self, capacity: int, seconds: float = 10.0, nbytes: int = 1 << 30) -> None:
        self.clock = Clock()
        self.cache = LookupCache(KEYS, ROWS, ["k", "c"], capacity, seconds, nbytes, self.clock)
        self.times = 0

    def batch(self, keys: list[Key]) -> set[Key]:
        """Joins a batch of these keys; gives those that the source was asked for."""
        ids, codes = [each for each, _ in keys], [each for _, each in keys]
        given = pa.record_batch([pa.array(ids, pa.int64()), pa.array(codes)], schema=KEYS)
        missing = self.cache.missing(given)
        asked = [(row["id"], row["code"]) for row in missing.to_pylist()]
        assert len(asked) == len(set(asked))
        if asked:
            self.times += 1
            found = [
                {"k": number, "c": code, "said": self.times}
                for number, code in asked
                for _ in range(2)
                if number % 2 == 0
            ]
            found.append({"k": 77_777, "c": "equal to nothing", "said": 0})
            self.cache.add(missing, pa.RecordBatch.from_pylist(found, ROWS))
        held = [(row["k"], row["c"]) for row in self.cache.rows.to_pylist()]
        for number, code in set(keys):
            if number is not None and code is not None:
                assert held.count((number, code)) == (2 if number % 2 == 0 else 0)
        assert (77_777, "equal to nothing") not in held
        self.cache.trim()
        return set(asked)


def key(number: int) -> Key:
    return number, "x" * (number % 12)


def test_a_key_is_asked_for_once_also_without_rows() -> None:
    asked = Asked(capacity=100)
    assert asked.batch([key(1), key(2), key(2), key(1)]) == {key(1), key(2)}
    assert asked.batch([key(2), key(1)]) == set()
    assert asked.batch([key(3), key(1)]) == {key(3)}


def test_a_key_with_a_null_is_never_asked_for() -> None:
    asked = Asked(capacity=100)
    assert asked.batch([(None, "a"), (1, None), (None, None)]) == set()
    assert asked.batch([(None, "a"), (1, "a")]) == {(1, "a")}


def test_what_is_too_old_is_asked_for_again() -> None:
    asked = Asked(capacity=100, seconds=10)
    asked.batch([key(2)])
    asked.clock.now += 6
    assert asked.batch([key(2), key(4)]) == {key(4)}, "use does not make it younger"
    asked.clock.now += 4
    assert asked.batch([key(2), key(4)]) == {key(2)}
    assert {row["said"] for row in asked.cache.rows.to_pylist() if row["k"] == 2} == {3}
    asked.clock.now += 100
    asked.batch([key(6)])
    assert len(asked.cache) == 1, "nobody keeps what is old"


def test_no_seconds_keep_nothing() -> None:
    asked = Asked(capacity=100, seconds=0)
    for _ in range(3):
        assert asked.batch([key(2), key(3)]) == {key(2), key(3)}


def test_the_keys_that_were_used_longest_ago_are_forgotten() -> None:
    asked = Asked(capacity=3)
    asked.batch([key(1)])
    asked.batch([key(2)])
    asked.batch([key(3)])
    asked.batch([key(1)])
    asked.batch([key(4)])
    assert len(asked.cache) == 3
    assert asked.batch([key(1), key(3), key(4)]) == set()
    assert asked.batch([key(2)]) == {key(2)}


def test_a_batch_may_have_more_keys_than_are_kept() -> None:
    asked = Asked(capacity=3)
    many = [key(number) for number in range(50)]
    assert asked.batch(many) == set(many)
    assert len(asked.cache) == 3
    assert len(asked.batch(many)) == 47


def test_rows_are_bounded_in_bytes() -> None:
    asked = Asked(capacity=1_000, nbytes=4_000)
    asked.batch([key(number) for number in range(0, 400, 2)])
    assert 0 < len(asked.cache) < 200
    assert asked.cache.rows.nbytes <= 4_400


def test_hashes_that_collide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Keys, "exact", False)
    monkeypatch.setattr(Keys, "hashes", lambda keys: np.zeros(keys.num_rows, np.uint64))
    asked = Asked(capacity=100)
    many = [key(number) for number in range(30)]
    assert asked.batch(many * 3) == set(many)
    assert asked.batch(many) == set()
    assert asked.batch([*many, key(30)]) == {key(30)}


class Model:
    """The same by dictionaries: of each key the time at which it was asked for and its last use."""

    def __init__(self, capacity: int, seconds: float) -> None:
        self.capacity, self.seconds = capacity, seconds
        self.held: dict[Key, tuple[float, int]] = {}
        self.batches = 0

    def batch(self, keys: list[Key], now: float) -> set[Key]:
        self.batches += 1
        wanted = {each for each in keys if None not in each}
        fresh = {each for each in self.held if now - self.held[each][0] < self.seconds}
        missing = wanted - fresh
        if missing:
            self.held = {each: self.held[each] for each in fresh}
        for each in wanted & fresh:
            self.held[each] = self.held[each][0], self.batches
        self.held |= {each: (now, self.batches) for each in missing}
        return missing

    def trim(self, kept: set[Key]) -> None:
        """Which of those that were used together are kept is free."""
        assert len(kept) <= self.capacity or not self.batches
        uses = sorted((use for _, use in self.held.values()), reverse=True)
        least = uses[min(len(uses), self.capacity) - 1] if uses and self.capacity else 1 << 60
        assert all(self.held[each][1] >= least for each in kept)
        assert len(kept) == min(len(self.held), self.capacity)
        self.held = {each: self.held[each] for each in kept}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 12), st.sampled_from([0.0, 3.0, 1e9]))
def test_the_same_as_a_model(seed: int, capacity: int, seconds: float) -> None:
    chance = random.Random(seed)
    asked, model = Asked(capacity, seconds), Model(capacity, seconds)
    for _ in range(12):
        asked.clock.now += chance.choice([0, 1, 2])
        keys = [
            (chance.choice([None, *range(15)]), chance.choice([None, "", "a"]))
            for _ in range(chance.randrange(12))
        ]
        assert asked.batch(keys) == model.batch(keys, asked.clock.now)
        rows = asked.cache._held.keys.to_pylist()
        model.trim({(row["id"], row["code"]) for row in rows})
