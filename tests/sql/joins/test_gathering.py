"""Small batches become larger ones, and none is lost."""

from __future__ import annotations

import pyarrow as pa

from ferris_beam.sql.joins.gathering import Gathering, gathered_again, repeatable


def batch(*values: int) -> pa.RecordBatch:
    return pa.record_batch({"n": pa.array(values, pa.int64())})


def values(batches: list[pa.RecordBatch]) -> list[list[int]]:
    return [each["n"].to_pylist() for each in batches]


def test_batches_wait_for_rows() -> None:
    gathering = Gathering(rows=3)
    assert values(list(gathering.add(batch(1, 2)))) == []
    assert values(list(gathering.add(batch()))) == []
    assert values(list(gathering.add(batch(3, 4)))) == [[1, 2, 3, 4]]
    assert values(list(gathering.add(batch(5)))) == []
    assert values(list(gathering.flush())) == [[5]]
    assert values(list(gathering.flush())) == []


def test_batches_wait_for_bytes() -> None:
    gathering = Gathering(nbytes=17)
    assert values(list(gathering.add(batch(1, 2)))) == []
    assert values(list(gathering.add(batch(3)))) == [[1, 2, 3]]


def test_what_is_added_while_a_batch_is_taken_is_kept() -> None:
    gathering = Gathering(rows=4)
    for taken in gathering.add(batch(1, 2, 3, 4)):
        assert list(gathered_again(gathering, taken, taken.slice(0, 1))) == []
    assert values(list(gathering.flush())) == [[1]]


def test_what_did_not_become_smaller_goes_on() -> None:
    whole = batch(1, 2, 3)
    assert list(gathered_again(Gathering(), whole, whole)) == [whole]


def test_what_passes_once_is_held() -> None:
    once = iter([batch(1)])
    batches = repeatable(once)
    assert values(list(batches)) == values(list(batches)) == [[1]]
    given = [batch(2)]
    assert repeatable(given) is given
