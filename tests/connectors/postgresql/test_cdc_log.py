"""Messages, many at once, against a decoder that takes one after the other."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.connectors.postgresql.binary import TaggedCells
from ferris_beam.connectors.postgresql.cdc.log import Changes, LogReader, Relation, parse_relation
from ferris_beam.connectors.postgresql.cdc.mark import Progress, Window
from ferris_beam.connectors.postgresql.cdc.positions import (
    EPOCH_MICROSECONDS,
    LOW_BITS,
    at_end,
    behind,
    format_lsn,
    needed,
    parse_lsn,
    record_end,
    within,
)
from ferris_beam.connectors.postgresql.cdc.stream import HEADER, Messages
from ferris_beam.connectors.postgresql.cdc.tables import TableName
from ferris_beam.connectors.postgresql.cdc.tuples import Tuples
from ferris_beam.connectors.postgresql.cdc.visibility import Visibility
from ferris_beam.connectors.postgresql.types.catalog import Described

Value: TypeAlias = bytes | str | None
"""Of a column: binary, NULL, or 'u': not sent."""
Row = tuple[Value, ...]

COLUMNS = 2
values = st.binary(max_size=6) | st.none() | st.just("u")
rows = st.tuples(values, values)
olds = st.none() | st.tuples(st.sampled_from("KO"), rows)


def tuple_data(row: Row) -> bytes:
    parts = [struct.pack("!h", len(row))]
    for value in row:
        if isinstance(value, bytes):
            parts.append(b"b" + struct.pack("!i", len(value)) + value)
        else:
            parts.append(b"n" if value is None else b"u")
    return b"".join(parts)


@dataclass
class Change:
    kind: str
    oid: int
    old: tuple[str, Row] | None = None
    new: Row | None = None

    def message(self) -> bytes:
        found = self.kind.encode() + struct.pack("!I", self.oid)
        if self.kind == "T":
            return b"T" + struct.pack("!ibI", 1, 0, self.oid)
        if self.old is not None:
            found += self.old[0].encode() + tuple_data(self.old[1])
        if self.new is not None:
            found += b"N" + tuple_data(self.new)
        return found


inserts = st.builds(Change, st.just("I"), st.integers(1, 3), st.none(), rows)
updates = st.builds(Change, st.just("U"), st.integers(1, 3), olds, rows)
deletes = st.builds(
    Change, st.just("D"), st.integers(1, 3), st.tuples(st.sampled_from("KO"), rows), st.none()
)
truncations = st.builds(Change, st.just("T"), st.integers(1, 3))
transactions = st.lists(inserts | updates | deletes | truncations, max_size=6)


def script(logs: list[list[Change]]) -> tuple[list[bytes], list[tuple[Any, ...]]]:
    """The messages of transactions, and for each change its position, time, xid and content."""
    messages, expected = [], []
    for number, changes in enumerate(logs):
        lsn, time, xid = 800 * (number + 1), 7 * number, 1000 + number
        messages.append(b"B" + struct.pack("!QqI", lsn, time, xid))
        for ordinal, change in enumerate(changes):
            messages.append(change.message())
            expected.append((within(lsn, ordinal), time + EPOCH_MICROSECONDS, xid, change))
        messages.append(b"C\0" + struct.pack("!QQq", lsn, lsn + 40, time))
    return messages, expected


def lot_of(messages: list[bytes]) -> Messages:
    framed = [b"w" + bytes(HEADER - 1) + message for message in messages]
    return Messages(bytearray(b"".join(framed)), [len(message) for message in framed])


def cell(data: Any, cells: list[TaggedCells], row: int) -> Row:
    found: list[Value] = []
    for column in cells:
        length, start = int(column.lengths[row]), int(column.starts[row])
        value = data[start : start + length].tobytes() if length >= 0 else None
        found.append("u" if length == -2 else value)
    return tuple(found)


def decoded(changes: Changes) -> list[tuple[Any, ...]]:
    if changes.truncated:
        rows: list[tuple[Any, ...]] = [("T", changes.truncated[0], None, None)]
    else:
        tuples = Tuples.of(changes, COLUMNS)
        rows = []
        for index in range(len(changes)):
            old_row, new_row = int(tuples.old_of[index]), int(tuples.new_of[index])
            old = cell(changes.data, tuples.old, old_row) if old_row >= 0 else None
            new = cell(changes.data, tuples.new, new_row) if new_row >= 0 else None
            rows.append((chr(changes.kinds[index]), int(changes.relations[index]), old, new))
    return [
        (
            int(changes.lsn[index]) << LOW_BITS | int(changes.low[index]),
            int(changes.time[index]),
            int(changes.xid[index]),
            *row,
        )
        for index, row in enumerate(rows)
    ]


def filled(change: Change) -> tuple[Any, ...]:
    """Values that were not sent are taken from a whole old row."""
    old = change.old[1] if change.old is not None else None
    new = change.new
    if new is not None and change.old is not None and change.old[0] == "O":
        new = tuple(o if n == "u" else n for o, n in zip(change.old[1], new, strict=True))
    return change.kind, change.oid, old, new


@settings(deadline=None, max_examples=150)
@given(st.lists(transactions, min_size=1, max_size=6), st.data())
def test_all_changes_are_found_wherever_messages_are_cut(
    logs: list[list[Change]], data: st.DataObject
) -> None:
    messages, expected = script(logs)
    reader = LogReader()
    found: list[tuple[Any, ...]] = []
    ends: list[int] = []
    while messages:
        count = data.draw(st.integers(1, len(messages)))
        for changes in reader.changes(lot_of(messages[:count])):
            assert isinstance(changes, Changes)
            assert all(row[0] < changes.end for row in decoded(changes))
            found += decoded(changes)
            ends.append(changes.end)
        messages = messages[count:]
    assert found == [(at, time, xid, *filled(change)) for at, time, xid, change in expected]
    assert ends == sorted(ends)
    assert ends[-1] == behind(800 * len(logs))
    assert not reader.in_transaction


@settings(deadline=None, max_examples=60)
@given(st.lists(transactions, min_size=1, max_size=4), st.data())
def test_changes_below_a_position_are_those_that_come_before_it(
    logs: list[list[Change]], data: st.DataObject
) -> None:
    messages, expected = script([[c for c in log if c.kind != "T"] for log in logs])
    position = data.draw(st.sampled_from([row[0] for row in expected] or [0]))
    [changes] = LogReader().changes(lot_of(messages))
    assert isinstance(changes, Changes)
    below = [row[0] < position for row in expected]
    assert changes.below(position).tolist() == below


def test_a_relation_is_told_once_and_again_when_it_changes() -> None:
    def relation(columns: list[tuple[int, str, int]]) -> bytes:
        head = b"R" + struct.pack("!I", 9) + b"public\0t\0d" + struct.pack("!h", len(columns))
        parts = [
            struct.pack("!b", flag) + name.encode() + b"\0" + struct.pack("!Ii", oid, -1)
            for flag, name, oid in columns
        ]
        return head + b"".join(parts)

    first, second = relation([(1, "id", 23)]), relation([(1, "id", 23), (0, "v", 25)])
    begin = b"B" + struct.pack("!QqI", 8, 0, 5)
    reader = LogReader()
    found = list(reader.changes(lot_of([begin, first, first, second])))
    told = [item for item in found if isinstance(item, tuple)]
    name = TableName("public", "t")
    assert told == [
        (9, Relation(name, "d", (Described("id", 23),), ("id",))),
        (9, Relation(name, "d", (Described("id", 23), Described("v", 25)), ("id",))),
    ]
    assert parse_relation(second) == told[1]


@given(st.integers(0, 2**60))
def test_positions_lie_in_the_order_of_the_log(number: int) -> None:
    lsn = number * 8
    assert parse_lsn(format_lsn(lsn)) == lsn
    assert within(lsn, 0) < within(lsn, 10**9) < behind(lsn) < at_end(lsn + 8) < within(lsn + 8, 0)
    assert needed(within(lsn, 5)) == lsn
    assert needed(behind(lsn)) == needed(at_end(lsn + 8)) == needed(at_end(lsn + 8) + 99) == lsn + 8


@pytest.mark.parametrize(("at", "end"), [(24, 0), (40, 0), (8192 + 24, 8192), (64, 64)])
def test_the_log_ends_before_the_header_of_a_page_that_is_not_begun(at: int, end: int) -> None:
    assert record_end(at) == end


@given(
    st.integers(0, 2**40),
    st.integers(0, 50),
    st.sets(st.integers(0, 49)),
    st.integers(-100, 100),
)
def test_what_a_snapshot_saw_is_known_by_the_lower_half_of_an_id(
    xmin: int, width: int, running: set[int], offset: int
) -> None:
    xmax = xmin + width
    xip = sorted(xmin + one for one in running if one < width)
    text = f"{xmin}:{xmax}:{','.join(map(str, xip))}"
    xid = max(0, xmin + offset)
    expected = xid < xmin or (xid < xmax and xid not in xip)
    assert Visibility.parse(text).sees(np.array([xid % 2**32])).tolist() == [expected]


names = st.builds(TableName, st.text(min_size=1), st.text(min_size=1))
keys = st.none() | st.lists(st.text(), min_size=1, max_size=3).map(tuple)
windows = st.builds(Window, names, keys, keys, st.just("1:2:"), st.integers(0, 2**63))
described = st.builds(Described, st.text(), st.integers(1, 2**32), st.integers(-1, 9))


@given(
    st.builds(
        Progress,
        st.booleans(),
        st.none() | names,
        keys,
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.none() | windows,
        st.dictionaries(names, st.lists(described).map(tuple), max_size=2),
    )
)
def test_a_mark_gives_back_how_far_the_snapshot_was(progress: Progress) -> None:
    assert Progress.decode(progress.encode()) == progress
