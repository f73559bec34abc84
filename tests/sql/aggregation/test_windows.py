"""TUMBLE, HOP and SESSION against plain loops over events in microseconds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.errors import BadRecordError, SqlError
from ferris_beam.sql.aggregation import plan_aggregate
from ferris_beam.sql.nodes import Duration, Window, column
from tests.sql.aggregation.stages import US, aggregate, cut, run

_TIMES = st.integers(-50, 50) | st.integers(-(10**15), 10**15)
_EVENTS = st.lists(
    st.tuples(_TIMES, st.sampled_from(["a", "b", None]), st.integers(-9, 9)), max_size=40
)
Event = tuple[int, "str | None", int]
Result = dict[tuple[int, int, "str | None"], tuple[int, int]]


def rows_of(events: Iterable[Event]) -> pa.RecordBatch:
    times, keys, values = zip(*events, strict=True) if events else ((), (), ())
    return pa.record_batch(
        {
            "t": pa.array(times, US),
            "k": pa.array(keys, pa.string()),
            "v": pa.array(values, pa.int64()),
        }
    )


def window(kind: str, **durations: int) -> Window:
    lengths = {name: Duration(micros=micros) for name, micros in durations.items()}
    return Window(kind, column("t"), "start", "end", **lengths)  # type: ignore[arg-type]


def found(events: list[Event], asked: Window, seed: int = 0) -> Result:
    rows = rows_of(events)
    node = aggregate(rows.schema, ["count(*)", "sum(v)"], ["k"], asked)
    table = run(node, cut(rows, seed), partitions=2 + seed % 3, bundle=1 + seed % 4)
    columns = [
        table["start"].cast(pa.int64()).to_pylist(),
        table["end"].cast(pa.int64()).to_pylist(),
        *(table[name].to_pylist() for name in ("k", "c0", "c1")),
    ]
    result = {
        (start, end, key): (n, total) for start, end, key, n, total in zip(*columns, strict=True)
    }
    assert len(result) == table.num_rows
    return result  # type: ignore[return-value]


def counted(assigned: Iterable[tuple[int, int, str | None, int]]) -> Result:
    groups: dict[tuple[int, int, str | None], list[int]] = defaultdict(list)
    for start, end, key, value in assigned:
        groups[start, end, key].append(value)
    return {group: (len(values), sum(values)) for group, values in groups.items()}


def sliding(events: list[Event], size: int, slide: int, offset: int) -> Result:
    assigned = []
    for time, key, value in events:
        first = (time - offset - size) // slide + 1
        for number in range(first, (time - offset) // slide + 1):
            start = number * slide + offset
            assert start <= time < start + size
            assigned.append((start, start + size, key, value))
    return counted(assigned)


@settings(max_examples=80, deadline=None)
@given(_EVENTS, st.integers(1, 20), st.integers(-30, 30), st.integers(0, 99))
def test_tumble(events: list[Event], size: int, offset: int, seed: int) -> None:
    asked = window("tumble", size=size, slide=size, offset=offset)
    assert found(events, asked, seed) == sliding(events, size, size, offset)


@settings(max_examples=80, deadline=None)
@given(_EVENTS, st.integers(1, 20), st.integers(1, 20), st.integers(-30, 30), st.integers(0, 99))
def test_hop(events: list[Event], size: int, slide: int, offset: int, seed: int) -> None:
    asked = window("hop", size=size, slide=slide, offset=offset)
    assert found(events, asked, seed) == sliding(events, size, slide, offset)


@settings(max_examples=80, deadline=None)
@given(_EVENTS, st.integers(1, 20), st.integers(0, 99))
def test_session(events: list[Event], gap: int, seed: int) -> None:
    assigned = []
    for key in ("a", "b", None):
        of_key = sorted((time, value) for time, k, value in events if k == key)
        sessions: list[list[tuple[int, int]]] = []
        for time, value in of_key:
            if sessions and time - sessions[-1][-1][0] < gap:
                sessions[-1].append((time, value))
            else:
                sessions.append([(time, value)])
        for session in sessions:
            start, end = session[0][0], session[-1][0] + gap
            assigned += [(start, end, key, value) for _, value in session]
    assert found(events, window("session", gap=gap), seed) == counted(assigned)


def test_borders_belong_to_the_later_window_also_before_1970() -> None:
    events: list[Event] = [(-11, "a", 1), (-10, "a", 1), (-1, "a", 1), (0, "a", 1), (9, "a", 1)]
    starts = sorted(start for start, _, _ in found(events, window("tumble", size=10, slide=10)))
    assert starts == [-20, -10, 0]


def test_an_event_a_gap_later_begins_another_session() -> None:
    events: list[Event] = [(0, "a", 1), (10, "a", 1), (19, "a", 1)]
    assert found(events, window("session", gap=10)) == {(0, 10, "a"): (1, 1), (10, 29, "a"): (2, 2)}


def test_sessions_of_the_widest_times_and_many_keys() -> None:
    random = np.random.default_rng(0)
    times = random.integers(-(2**52), 2**52, 300).tolist()
    events = [(time, f"k{n % 90}", 1) for n, time in enumerate(times)]
    assert len(found(events, window("session", gap=5))) == 300


@pytest.mark.parametrize("asked", [
    window("tumble", size=7, slide=7), window("hop", size=7, slide=3), window("session", gap=7),
], ids=lambda asked: asked.kind)  # fmt: skip
def test_windows_without_keys_and_without_rows(asked: Window) -> None:
    rows = rows_of([(1, "a", 2), (3, "b", 4), (100, None, 8)])
    node = aggregate(rows.schema, ["sum(v)", "count(DISTINCT k)"], window=asked)
    assert {row["c0"] for row in run(node, cut(rows, 1)).to_pylist()} >= {6, 8}
    assert run(node, [rows.slice(0, 0)]).num_rows == 0
    assert run(node, []).schema == node.schema


@pytest.mark.parametrize("asked", [
    window("tumble", size=7, slide=7), window("hop", size=7, slide=3), window("session", gap=7),
], ids=lambda asked: asked.kind)  # fmt: skip
def test_a_row_without_time_is_a_bad_record_and_nothing_of_its_batch_is_kept(
    asked: Window,
) -> None:
    rows = rows_of([(1, "a", 2), (3, "b", 4)])
    bad = rows_of([(1, "c", 2), (None, "c", 4)])  # type: ignore[list-item]
    preparation = plan_aggregate(aggregate(rows.schema, ["sum(v)"], ["k"], asked)).preparation
    preparation.open()
    for _ in range(3):  # rows that go on as they are, too
        assert all(batch.num_rows for batch in preparation.add(rows, None))
        with pytest.raises(BadRecordError, match="no event time: t is NULL"):
            list(preparation.add(bad, None))
    kept = pa.concat_tables(
        [pa.Table.from_batches([batch]) for batch in preparation.flush()], promote_options="default"
    )
    assert "c" not in kept["k0"].to_pylist()


@pytest.mark.parametrize(
    ("kind", "times"),
    [
        (pa.timestamp("s"), [0, 59, 60]),
        (pa.timestamp("ms"), [0, 59_999, 60_000]),
        (pa.timestamp("ns"), [0, 59_999_999_999, 60_000_000_000]),
        (pa.timestamp("us", "Europe/Berlin"), [0, 59_999_999, 60_000_000]),
    ],
    ids=str,
)
def test_times_of_every_unit(kind: pa.DataType, times: list[int]) -> None:
    rows = pa.record_batch({"t": pa.array(times, pa.int64()).cast(kind)})
    minute = window("tumble", size=60_000_000, slide=60_000_000)
    node = aggregate(rows.schema, ["count(*)"], window=minute)
    table = run(node, [rows], partitions=1)
    assert table["c0"].to_pylist() == [2, 1]
    assert table.schema.field("start").type == pa.timestamp("us", kind.tz)
    assert table["start"].cast(pa.int64()).to_pylist() == [0, 60_000_000]


@pytest.mark.parametrize(
    "asked",
    [
        Window("tumble", column("t"), "s", "e", size=Duration(), slide=Duration()),
        Window("session", column("t"), "s", "e", gap=Duration(months=1)),
        Window("session", column("t"), "s", "e"),
        Window("hop", column("t"), "s", "e", size=Duration(1, 1), slide=Duration(1)),
        Window("tumble", column("t"), "s", "e", size=Duration(1), slide=Duration(1), zone="Mars/X"),
    ],
)
def test_lengths_that_make_no_windows_are_refused(asked: Window) -> None:
    rows = rows_of([(1, "a", 2)])
    with pytest.raises(SqlError, match=r"more than nothing|fixed length|time zone"):
        plan_aggregate(aggregate(rows.schema, ["count(*)"], window=asked))
