"""The contract over the faulty connector itself: it must be right in all that it does not spoil."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pyarrow as pa
import pytest

from ferris_beam import registry
from ferris_beam.connector import Chunk, Reader
from ferris_beam.errors import FatalError, TransientError
from ferris_beam.testing import SinkCase, SinkConformance, SourceCase, SourceConformance, faulty
from ferris_beam.testing.writing import pieces, running

NUMBERS = pa.Table.from_batches([faulty.records_of("unit-0", range(1, 25))])


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    registry.register(faulty.CONNECTOR)
    faulty.clear()
    yield
    faulty.clear()
    registry.unregister(faulty.CONNECTOR)


class TestSource(SourceConformance):
    @pytest.fixture
    def case(self) -> SourceCase:
        good = [x for x in range(40) if x % 9]
        units = [faulty.records_of(f"unit-{number}", good) for number in range(2)]
        return SourceCase(
            uri="faulty://in?reject_every=9",
            expected=pa.Table.from_batches(units),
            rejected=10,
            failing="faulty://in?fatal_at=2",
        )


class TestSink(SinkConformance):
    @pytest.fixture
    def case(self) -> SinkCase:
        return SinkCase(uri="faulty://out", read=lambda: read("out"))


class TestSinkOfNumbers(SinkConformance):
    """With rows that it refuses, and commits that succeed although their answer is lost."""

    @pytest.fixture
    def case(self) -> SinkCase:
        good = [x for x in range(1, 29) if x % 7]
        return SinkCase(
            uri="faulty://out?refuse_every=7",
            table=pa.Table.from_batches([faulty.records_of("unit-0", good)]),
            refused=pa.Table.from_batches([faulty.records_of("unit-0", [7, 14, 21])]),
            failing="faulty://out?fatal_after=0",
            read=lambda: read("out"),
        )


def read(name: str) -> pa.Table:
    tables = [pa.Table.from_batches([batch]) for batch in faulty.TABLES[name].batches]
    return pa.concat_tables(tables) if tables else pa.table({})


# ── the faults ──────────────────────────────────────────────────────────────────────────────────


def reader(uri: str) -> Reader:
    return SourceCase(uri=uri, expected=NUMBERS).reader()


def first_chunk(uri: str) -> Chunk:
    source = reader(uri)
    (split,) = source.splits({})
    return next(iter(source.read(split)))


def test_reads_fail_for_a_while() -> None:
    uri = "faulty://in?units=1&transient=2"
    for _ in range(2):
        with pytest.raises(TransientError, match="busy"):
            first_chunk(uri)
    assert first_chunk(uri).end == 1


def test_a_read_waits_until_its_gate_is_opened() -> None:
    found: list[Chunk] = []
    thread = threading.Thread(
        target=lambda: found.append(first_chunk("faulty://in?units=1&hold_at=0"))
    )
    thread.start()
    faulty.GATES["in"].wait_until_reached()
    assert not found
    faulty.GATES["in"].open()
    thread.join(30)
    assert found[0].end == 1


def test_a_commit_waits_until_its_gate_is_opened() -> None:
    case = SinkCase(uri="faulty://out?hold_at=0", read=lambda: read("out"))
    (piece,) = pieces(NUMBERS, 1)
    with running(case) as run:
        thread = threading.Thread(target=lambda: run.commit(piece))
        thread.start()
        faulty.GATES["out"].wait_until_reached()
        assert not read("out").num_rows
        faulty.GATES["out"].open()
        thread.join(30)
    assert read("out").num_rows == 24


def test_a_sink_breaks_for_good_after_some_commits() -> None:
    case = SinkCase(uri="faulty://out?fatal_after=1", read=lambda: read("out"))
    first, second = pieces(NUMBERS, 2)
    with running(case) as run:
        run.commit(first)
        for _ in range(2):
            with pytest.raises(FatalError, match="broken"):
                run.commit(second)
    assert read("out").num_rows == 12
