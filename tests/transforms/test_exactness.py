"""What each operator promises: every row once, on every output, whatever is repeated."""

from __future__ import annotations

from collections import Counter
from types import ModuleType
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import ferris_beam as fb
from ferris_beam.errors import BadRecordError, TransientError
from ferris_beam.interval import Interval
from ferris_beam.ledger import Identity
from tests.transforms.pipelines import counter, run

SOURCE = "faulty://source?units=3&cells=5&rows=10&reject_every=9"
GOOD = [x for x in range(50) if x % 9]
BAD = [x for x in range(50) if x % 9 == 0]


def rows_of(numbers: ModuleType, sink: str) -> Counter[tuple[Any, Any]]:
    return Counter((row["unit"], row["x"]) for row in numbers.TABLES[sink].rows())


def each_unit(xs: list[int]) -> Counter[tuple[str, int]]:
    return Counter((f"unit-{number}", x) for number in range(3) for x in xs)


def payloads(numbers: ModuleType, sink: str = "dead") -> Counter[tuple[Any, Any]]:
    return Counter((row["unit"], row["payload"]) for row in numbers.TABLES[sink].rows())


@pytest.mark.parametrize("threads", [1, 2])
def test_reads_writes_and_rejects_everything_once(numbers: ModuleType, threads: int) -> None:
    def build(p: beam.Pipeline) -> None:
        with fb.DeadLetters("faulty://dead") as dead:
            p | fb.read(SOURCE, dead_letters=dead) | fb.write("faulty://out", dead_letters=dead)

    result = run(build, threads=threads)
    assert rows_of(numbers, "out") == each_unit(GOOD)
    assert payloads(numbers) == Counter(
        (f"unit-{number}", str(x)) for number in range(3) for x in BAD
    )
    assert counter(result, "data.rows_read") == 150
    assert counter(result, "data.rows_rejected") == 18
    assert counter(result, "data.rows_written") == 132
    assert counter(result, "dead_letters.rows_written") == 18
    assert counter(result, "data.bytes_read") == 150 * 8


def test_a_plain_loop_over_reader_and_writer_gives_the_same(numbers: ModuleType) -> None:
    reader = numbers.FaultyReader(
        fb.Uri.parse("faulty://loop"), numbers.FaultySourceOptions(units=3, cells=5)
    )
    writer = numbers.FaultyWriter(fb.Uri.parse("faulty://loop"), numbers.FaultySinkOptions())
    writer.open(Identity("loop", "run"))
    writer.claim(1, 1)
    staged = writer.begin()
    for split in reader.splits({}):
        for chunk in reader.read(split):
            staged.write(chunk.records)
    writer.commit(1, staged, [])
    run(lambda p: p | fb.read("faulty://source?units=3&cells=5") | fb.write("faulty://out"))
    assert rows_of(numbers, "loop") == rows_of(numbers, "out")


def test_a_filter_to_nothing_still_commits_every_interval(numbers: ModuleType) -> None:
    def build(p: beam.Pipeline) -> None:
        batches = p | fb.read("faulty://source?units=2&cells=3")
        nothing = batches | fb.MapBatches(lambda records: records.slice(0, 0))
        nothing | fb.write("faulty://out")

    run(build, "--name=n")
    assert rows_of(numbers, "out") == Counter()
    (done,) = numbers.TABLES["out"].ledgers["n"].committed.values()
    assert set(done) == {Interval("unit-0", 0, 3), Interval("unit-1", 0, 3)}


def test_a_batch_that_grows_travels_in_parts_and_is_committed_whole(numbers: ModuleType) -> None:
    def explode(records: pa.RecordBatch) -> Any:
        return (records for _ in range(3))

    def build(p: beam.Pipeline) -> None:
        batches = p | fb.read("faulty://source?units=3&cells=5")
        grown = batches | "three" >> fb.MapBatches(explode)
        grown | "again" >> fb.MapBatches(explode) | fb.write("faulty://out?batch_rows=7")

    run(build, "--name=n")
    assert rows_of(numbers, "out") == Counter({key: 9 for key in each_unit(list(range(50)))})
    (done,) = numbers.TABLES["out"].ledgers["n"].committed.values()
    assert set(done) == {Interval(f"unit-{number}", 0, 5) for number in range(3)}


def test_a_map_rejects_rows_and_keeps_the_rest(numbers: ModuleType) -> None:
    def no_sevens(records: pa.RecordBatch) -> pa.RecordBatch:
        if any(x % 7 == 0 for x in records["x"].to_pylist()):
            raise BadRecordError("a seven")
        return records

    def build(p: beam.Pipeline) -> None:
        with fb.DeadLetters("faulty://dead") as dead:
            batches = p | fb.read("faulty://source?units=3&cells=5")
            fine = batches | fb.MapBatches(no_sevens, dead_letters=dead)
            fine | fb.write("faulty://out", dead_letters=dead)

    run(build, threads=2)
    assert rows_of(numbers, "out") == each_unit([x for x in range(50) if x % 7])
    assert sum(payloads(numbers).values()) == 3 * 8
    assert {row["reason"] for row in numbers.TABLES["dead"].rows()} == {"a seven"}


def test_a_map_over_rows_keeps_origins_and_rejects_what_raises(numbers: ModuleType) -> None:
    def halve(row: dict[str, Any]) -> Any:
        if row["x"] == 13:
            raise ValueError("unlucky")
        return {"unit": row["unit"], "x": row["x"] // 2} if row["x"] % 2 == 0 else None

    def build(p: beam.Pipeline) -> None:
        with fb.DeadLetters("faulty://dead") as dead:
            batches = p | fb.read("faulty://source?units=3&cells=5")
            schema = pa.schema([("unit", pa.string()), ("x", pa.int64())])
            halves = batches | fb.MapRows(halve, schema=schema, dead_letters=dead)
            halves | fb.write("faulty://out", dead_letters=dead)

    run(build, "--name=n", "--delivery=exactly_once")
    assert rows_of(numbers, "out") == each_unit(list(range(25)))
    assert [row["reason"] for row in numbers.TABLES["dead"].rows()] == ["ValueError: unlucky"] * 3


def test_a_union_of_a_source_with_itself_keeps_both_copies(numbers: ModuleType) -> None:
    def build(p: beam.Pipeline) -> None:
        batches = p | fb.read("faulty://source?units=3&cells=5")
        left = batches | "left" >> fb.MapBatches(lambda records: records)
        right = batches | "right" >> fb.MapBatches(lambda records: records)
        (left, right) | beam.Flatten() | fb.write("faulty://out")

    run(build, "--delivery=exactly_once", threads=2)
    assert rows_of(numbers, "out") == Counter({key: 2 for key in each_unit(list(range(50)))})


def test_two_sinks_from_one_source_hold_everything_each(numbers: ModuleType) -> None:
    def build(p: beam.Pipeline) -> None:
        batches = p | fb.read("faulty://source?units=3&cells=5")
        batches | "all" >> fb.write("faulty://one")
        odd = batches | fb.MapBatches(
            lambda records: records.filter(pc.equal(pc.bit_wise_and(records["x"], 1), 1))
        )
        odd | "odd" >> fb.write("faulty://two")

    run(build, threads=2)
    assert rows_of(numbers, "one") == each_unit(list(range(50)))
    assert rows_of(numbers, "two") == each_unit(list(range(1, 50, 2)))


def test_the_sink_rejects_retries_and_survives_lost_answers(numbers: ModuleType) -> None:
    def build(p: beam.Pipeline) -> None:
        with fb.DeadLetters("faulty://dead?lost_answers=1") as dead:
            batches = p | fb.read(SOURCE, dead_letters=dead)
            batches | fb.write(
                "faulty://out?refuse_every=7&transient=2&lost_answers=2", dead_letters=dead
            )

    result = run(build, threads=2)
    assert rows_of(numbers, "out") == each_unit([x for x in GOOD if x % 7])
    refused = [x for x in GOOD if x % 7 == 0]
    assert sum(payloads(numbers).values()) == 3 * (len(refused) + len(BAD))
    assert counter(result, "data.retries") == 4
    assert counter(result, "dead_letters.retries") == 1


def test_columns_predicate_and_limit_are_done_above_a_source_that_can_not(
    numbers: ModuleType,
) -> None:
    source = fb.read(
        "faulty://source?units=3&cells=5",
        columns=["x", "unit"],
        predicate=pc.field("x") >= 5,
        limit=57,
    )
    run(lambda p: p | source | fb.write("faulty://out"), threads=2)
    expected = Counter(("unit-0", x) for x in range(5, 50)) + Counter(
        ("unit-1", x) for x in range(5, 17)
    )
    assert rows_of(numbers, "out") == expected
    assert numbers.TABLES["out"].batches[0].schema.names == ["x", "unit"]


@pytest.mark.parametrize("rows_option", [True, False])
def test_rows_at_the_edge_and_back(numbers: ModuleType, rows_option: bool) -> None:
    def build(p: beam.Pipeline) -> None:
        if rows_option:
            rows = p | fb.read("faulty://source?units=3&cells=5", rows=True)
        else:
            rows = p | fb.read("faulty://source?units=3&cells=5") | fb.Rows()
        doubled = rows | beam.Map(lambda row: {**row, "x": row["x"] * 2})
        doubled | fb.write("faulty://out")

    run(build)
    assert rows_of(numbers, "out") == each_unit(list(range(0, 100, 2)))
    assert not numbers.TABLES["out"].ledgers.popitem()[1].committed


def test_rows_as_beam_rows_with_a_schema(numbers: ModuleType) -> None:
    seen: list[Any] = []
    _SEEN.clear()

    def build(p: beam.Pipeline) -> None:
        rows = p | fb.read(
            "faulty://source?units=1&cells=1&rows=3",
            rows=True,
            schema=pa.schema([("x", pa.int64())]),
        )
        rows | beam.Map(_remember)

    run(build)
    seen = sorted(_SEEN, key=lambda row: row.x)
    assert seen == [beam.Row(x=0), beam.Row(x=1), beam.Row(x=2)]


_SEEN: list[Any] = []


def _remember(row: Any) -> None:
    _SEEN.append(row)


def test_a_read_is_repeated_after_transient_errors(numbers: ModuleType) -> None:
    """Reading goes on behind the last chunk; the reader was closed and opened again."""
    result = run(
        lambda p: (
            p | fb.read("faulty://flaky?units=2&cells=5&transient=3") | fb.write("faulty://kept")
        )
    )
    once = run(lambda p: p | fb.read("faulty://calm?units=2&cells=5") | fb.write("faulty://same"))
    assert rows_of(numbers, "kept") == rows_of(numbers, "same")
    assert counter(result, "data.retries") == 3
    assert counter(once, "data.retries") == 0


def test_a_read_that_never_recovers_stops_the_job(numbers: ModuleType) -> None:
    with pytest.raises((TransientError, RuntimeError), match="faulty://dead is busy"):
        run(lambda p: p | fb.read("faulty://dead?transient=100") | fb.write("faulty://nothing"))
