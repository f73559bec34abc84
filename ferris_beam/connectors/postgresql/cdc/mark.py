"""What the reader must know, beside the position, to go on: how far the snapshot is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ferris_beam.connectors.postgresql.cdc.positions import format_lsn, parse_lsn
from ferris_beam.connectors.postgresql.cdc.tables import TableName
from ferris_beam.connectors.postgresql.types.catalog import Described

KeyText = tuple[str, ...]
"""The values of a key's columns, as SQL reads them."""
Columns = Mapping[TableName, tuple[Described, ...]]


@dataclass(frozen=True, slots=True)
class Window:
    """The rows of a table that were read under the snapshot ``seen`` (pg_current_snapshot), with
    keys behind ``first`` up to ``last`` (None: from the beginning, to the end). Until the log is
    read up to ``high``, changes of these that the snapshot saw must not come again.
    """

    table: TableName
    first: KeyText | None
    last: KeyText | None
    seen: str
    high: int

    @property
    def whole(self) -> bool:
        """Whether it holds all rows of the table."""
        return self.first is None and self.last is None

    def to_json(self) -> list[Any]:
        first = list(self.first) if self.first is not None else None
        last = list(self.last) if self.last is not None else None
        return [list(self.table), first, last, self.seen, format_lsn(self.high)]

    @classmethod
    def from_json(cls, value: list[Any]) -> Window:
        table, first, last, seen, high = value
        return cls(TableName(*table), _key(first), _key(last), seen, parse_lsn(high))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the snapshot is: tables are read in the order of their names, ``table`` is the one
    in hand, read up to ``cursor``; those before it are done. ``part``: it has no key and only a
    part of it was given out, so that it must be read anew. ``anew``: tables are emptied in the
    sink before they are read, since changes were lost."""

    done: bool = False
    table: TableName | None = None
    cursor: KeyText | None = None
    part: bool = False
    finished: bool = False
    """Whether ``table`` is done, too."""
    anew: bool = False
    window: Window | None = None
    columns: Columns = field(default_factory=dict)
    """Of each table, as they were when its first change or row was read: where these are kept, or
    a change of them stops the pipeline."""

    def begun(self, name: TableName) -> bool:
        """Whether changes of a table are told: those before its snapshot are in that."""
        return self.done or (self.table is not None and name <= self.table)

    def restarted(self, names: Sequence[TableName], table: TableName) -> Progress:
        """The same, with ``table`` still to be begun: it was emptied while it was read."""
        before = max((name for name in names if name < table), default=None)
        return Progress(
            table=before, finished=before is not None, anew=self.anew, columns=self.columns
        )

    def without_window(self) -> Progress:
        return replace(self, window=None) if self.window is not None else self

    def encode(self) -> str:
        """Short JSON; '' where nothing was done yet."""
        if self == Progress():
            return ""
        found: dict[str, Any] = {}
        if self.done:
            found["done"] = 1
        if self.table is not None:
            found["table"] = list(self.table)
        if self.cursor is not None:
            found["cursor"] = list(self.cursor)
        for name in ("part", "finished", "anew"):
            if getattr(self, name):
                found[name] = 1
        if self.window is not None:
            found["window"] = self.window.to_json()
        if self.columns:
            found["columns"] = [[*name, described] for name, described in self.columns.items()]
        return json.dumps(found, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def decode(cls, mark: str) -> Progress:
        if not mark:
            return cls()
        found = json.loads(mark)
        table = found.get("table")
        window = found.get("window")
        return cls(
            done=bool(found.get("done")),
            table=TableName(*table) if table else None,
            cursor=_key(found.get("cursor")),
            part=bool(found.get("part")),
            finished=bool(found.get("finished")),
            anew=bool(found.get("anew")),
            window=Window.from_json(window) if window else None,
            columns={
                TableName(schema, name): tuple(Described(*column) for column in described)
                for schema, name, described in found.get("columns", ())
            },
        )


def earliest(marks: Sequence[str]) -> str:
    """The mark that promises least, of sinks that hold the same position, but were apart before.

    Values of a key can't be compared here as the server does: where two marks are within one
    table, it is read from its beginning.
    """
    found = sorted(map(Progress.decode, marks), key=_extent)
    first = found[0]
    same = [other for other in found if _extent(other) == _extent(first)]
    if not first.done and any(other.cursor != first.cursor for other in same):
        first = replace(first, cursor=None, window=None)
    return first.encode()


def _extent(progress: Progress) -> tuple[bool, bool, TableName, bool]:
    """What rises as the snapshot goes on; tables without a key, begun and not done, are read anew
    whatever was read of them."""
    name = progress.table or TableName("", "")
    return progress.done, progress.table is not None, name, progress.finished


def _key(values: list[str] | None) -> KeyText | None:
    return None if values is None else tuple(values)
