"""pgoutput's messages, many at once: which changes they hold, of which transactions.

Source: https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html. Only
Relation and Truncate are parsed one by one; all else is found by numpy.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ferris_beam.connectors.postgresql.binary.values import words_at
from ferris_beam.connectors.postgresql.cdc.positions import (
    EPOCH_MICROSECONDS,
    LOW_BITS,
    LOW_MASK,
    STEP,
    behind,
    within,
)
from ferris_beam.connectors.postgresql.cdc.stream import HEADER, Messages
from ferris_beam.connectors.postgresql.cdc.tables import TableName
from ferris_beam.connectors.postgresql.types.catalog import Described

Bytes = npt.NDArray[np.uint8]
Index = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

BEGIN, COMMIT, INSERT, UPDATE, DELETE, TRUNCATE, RELATION = (ord(letter) for letter in "BCIUDTR")
KEY, OLD, NEW = (ord(letter) for letter in "KON")
_OF_IDENTITY = 1
"""The flag of a column."""


@dataclass(frozen=True)
class Relation:
    """A table as the stream describes it. ``identity`` is its replica identity: d(efault),
    i(ndex), f(ull) or n(othing); ``key``: the columns that belong to it, of full all."""

    name: TableName
    identity: str
    columns: tuple[Described, ...]
    key: tuple[str, ...] = ()


@dataclass(frozen=True)
class Changes:
    """Row messages in the order of the log, and up to which position they tell everything.

    ``at`` is where each message begins in ``data``; ``relations`` holds oids; ``lsn``, ``low``:
    the halves of each one's position; ``time``: of the commit, in microseconds since 1970.
    """

    data: Bytes
    at: Index
    kinds: Bytes
    relations: Index
    lsn: npt.NDArray[np.uint64]
    low: npt.NDArray[np.uint64]
    time: Index
    xid: Index
    end: int
    truncated: tuple[int, ...] = ()
    """The oids of the tables that are emptied here, by the one message that there is then."""

    def __len__(self) -> int:
        return len(self.at)

    def select(self, rows: Mask | Index | slice, end: int | None = None) -> Changes:
        return replace(
            self,
            at=self.at[rows],
            kinds=self.kinds[rows],
            relations=self.relations[rows],
            lsn=self.lsn[rows],
            low=self.low[rows],
            time=self.time[rows],
            xid=self.xid[rows],
            end=self.end if end is None else end,
        )

    def below(self, position: int) -> Mask:
        """Which of the changes come before a position."""
        high, low = np.uint64(position >> LOW_BITS), np.uint64(position & LOW_MASK)
        return np.asarray((self.lsn < high) | ((self.lsn == high) & (self.low < low)))

    def payload(self, row: int) -> bytes:
        """The raw message of a row, for what is rejected; up to where the next one begins."""
        later = self.at[self.at > self.at[row]]
        stop = int(later[0]) - HEADER if len(later) else len(self.data)
        return self.data[int(self.at[row]) : stop].tobytes()


@dataclass
class _Open:
    """The transaction at which the messages before ended."""

    lsn: int = 0
    time: int = 0
    xid: int = 0
    changes: int = 0
    open: bool = False


class LogReader:
    """Turns messages into changes; keeps what one lot of messages tells about the next."""

    def __init__(self) -> None:
        self.relations: dict[int, Relation] = {}
        self._last = _Open()

    @property
    def in_transaction(self) -> bool:
        return self._last.open

    def changes(self, messages: Messages) -> Iterator[Changes | tuple[int, Relation]]:
        """The changes in ``messages``; an oid and what it stands for from there on, where that is
        new. A truncation comes alone."""
        lot = _Lot(messages, self._last)
        start = 0
        for index in lot.special():
            found: Changes | tuple[int, Relation] | None
            if lot.kinds[index] == RELATION:
                found = self._relation(lot.message(index))
                following = index
            else:
                found = lot.truncation(index)
                following = index + 1
            if found is None:
                continue
            yield from lot.rows(start, index)
            yield found
            start = following
        yield from lot.rows(start, len(lot.kinds))
        self._last = lot.last()

    def _relation(self, message: bytes) -> tuple[int, Relation] | None:
        oid, relation = parse_relation(message)
        if self.relations.get(oid) == relation:
            return None
        self.relations[oid] = relation
        return oid, relation


class _Lot:
    """Messages with the transaction of each; ``before``: that in which they begin."""

    def __init__(self, messages: Messages, before: _Open) -> None:
        self.data = np.frombuffer(messages.data, np.uint8)
        lengths = np.array(messages.lengths, np.int64)
        self.ends = np.cumsum(lengths)
        self.at = self.ends - lengths + HEADER
        self.kinds = self.data[self.at]
        begins, commits = self.kinds == BEGIN, self.kinds == COMMIT
        rows = (self.kinds == INSERT) | (self.kinds == UPDATE) | (self.kinds == DELETE)
        self.is_row = rows
        counted = rows | (self.kinds == TRUNCATE)
        self.number = np.cumsum(begins)
        at = self.at[begins]
        self.lsn = _after(before.lsn, words_at(self.data, at + 1, ">u8"), np.uint64)
        clock = words_at(self.data, at + 9, ">i8").astype(np.int64) + EPOCH_MICROSECONDS
        self.time = _after(before.time, clock, np.int64)
        self.xid = _after(before.xid, words_at(self.data, at + 17, ">u4"), np.int64)
        self.counted = np.cumsum(counted)
        base = _after(-before.changes, (self.counted - counted)[begins], np.int64)
        self.through = self.counted - base[self.number]
        """How many changes of its transaction there are up to each message, itself included."""
        self.ordinal = self.through - counted
        self.open = int(before.open) + np.cumsum(begins) - np.cumsum(commits) > 0

    def special(self) -> list[int]:
        """Where relations are described and tables truncated."""
        found = np.flatnonzero((self.kinds == RELATION) | (self.kinds == TRUNCATE))
        return [int(index) for index in found]

    def message(self, index: int) -> bytes:
        return self.data[self.at[index] : self.ends[index]].tobytes()

    def rows(self, start: int, stop: int) -> Iterator[Changes]:
        """The changes among messages ``start`` to ``stop``, also where there are none: these
        still say how far the log is read."""
        if stop > start:
            yield self._changes(start + np.flatnonzero(self.is_row[start:stop]), stop - 1)

    def truncation(self, index: int) -> Changes:
        message = self.message(index)
        (count,) = struct.unpack_from("!i", message, 1)
        oids = struct.unpack_from(f"!{count}I", message, 6)
        found = self._changes(np.array([index], np.int64), index)
        return replace(found, truncated=tuple(oids))

    def _changes(self, rows: Index, last: int) -> Changes:
        number, at = self.number[rows], self.at[rows]
        return Changes(
            self.data,
            at,
            self.kinds[rows],
            words_at(self.data, at + 1, ">u4").astype(np.int64),
            self.lsn[number],
            (self.ordinal[rows] * STEP).astype(np.uint64),
            self.time[number],
            self.xid[number],
            self._reached(last),
        )

    def _reached(self, last: int) -> int:
        """The position behind a message."""
        lsn = int(self.lsn[self.number[last]])
        return within(lsn, int(self.through[last])) if self.open[last] else behind(lsn)

    def last(self) -> _Open:
        number = self.number[-1]
        return _Open(
            int(self.lsn[number]),
            int(self.time[number]),
            int(self.xid[number]),
            int(self.through[-1]),
            bool(self.open[-1]),
        )


def _after(first: int, others: npt.NDArray[np.generic], kind: type) -> npt.NDArray[np.generic]:
    return np.concatenate([np.array([first], kind), others.astype(kind)])


def parse_relation(message: bytes) -> tuple[int, Relation]:
    """The oid and content of a Relation message."""
    (oid,) = struct.unpack_from("!I", message, 1)
    schema, at = _text(message, 5)
    name, at = _text(message, at)
    identity = chr(message[at])
    (count,) = struct.unpack_from("!h", message, at + 1)
    at += 3
    columns, key = [], []
    for _ in range(count):
        flags = message[at]
        column, at = _text(message, at + 1)
        if flags & _OF_IDENTITY:
            key.append(column)
        kind, typmod = struct.unpack_from("!Ii", message, at)
        columns.append(Described(column, kind, typmod))
        at += 8
    described = tuple(columns)
    return oid, Relation(TableName(schema or "pg_catalog", name), identity, described, tuple(key))


def _text(message: bytes, at: int) -> tuple[str, int]:
    end = message.index(b"\0", at)
    return message[at:end].decode(), end + 1
