"""Joins batches of one side, the probe, with the rows of the other side, the build, that are held.

Both the join by a table in each worker and the join of hash partitions are this. Every kind of join
is a matter of what is done with three things: the pairs of rows that match, the probe's rows
without a match, the build's rows without one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.batches.words import Flags, Positions
from ferris_beam.errors import BadRecordError
from ferris_beam.sql.joins.condition import Condition
from ferris_beam.sql.joins.index import Candidates, Index, Pairs
from ferris_beam.sql.joins.keys import Keys
from ferris_beam.sql.joins.not_in import certainly_out
from ferris_beam.sql.joins.pairs import gathered, where
from ferris_beam.sql.joins.sides import no_columns
from ferris_beam.sql.nodes import JoinKind

Side = Literal["left", "right"]

PART_ROWS = 1 << 18
"""A result is put out in parts of at most so many rows, …"""

PART_BYTES = 128 << 20
"""… and of about so many bytes: the 32-bit offsets of strings end at 2 GB."""

NO_ROW = -1
"""Stands for a row of NULLs."""


@dataclass(frozen=True)
class JoinRule:
    """What to join and how: `nodes.Join`, apart from how the keys are found."""

    kind: JoinKind
    schema: pa.Schema
    """The result: each column's name is that of a column of ``left`` or else ``right``."""
    left: pa.Schema
    right: pa.Schema
    left_keys: tuple[str, ...]
    right_keys: tuple[str, ...]
    residual: Condition | None = None
    null_aware: bool = False
    single: bool = False
    nulls_equal: bool = False

    def description(self) -> str:
        """What decides the result, besides the keys."""
        flags = [name for name in ("null_aware", "single", "nulls_equal") if getattr(self, name)]
        condition = "" if self.residual is None else f"if {self.residual.spoken}"
        return " ".join([self.kind, "join", *flags, condition, f"to {self.schema.names}"])

    @property
    def puts_out_pairs(self) -> bool:
        return self.kind not in ("semi", "anti")

    def keeps(self, side: Side) -> bool:
        """Whether rows of ``side`` without a match appear in the result, beside NULLs."""
        return self.kind in (side, "full")

    @cached_property
    def columns(self) -> tuple[tuple[Side, str], ...]:
        """From which side each column of the result comes."""
        from_left = set(self.left.names)
        return tuple(("left" if name in from_left else "right", name) for name in self.schema.names)


class Build:
    """The rows that are held, with their index; threads may share it. ``keys`` is None where a
    join has none: then every row is a candidate."""

    def __init__(self, records: pa.RecordBatch, keys: Keys | None) -> None:
        self.records = records
        self.keys = keys
        self.index = None if keys is None else Index.of(keys)
        self.row_bytes = records.nbytes / max(1, records.num_rows)

    def candidates(self, asked: int, keys: Keys | None) -> Candidates:
        if self.index is not None and keys is not None:
            return self.index.find(keys)
        count = self.records.num_rows
        starts, counts = np.zeros(asked, np.int64), np.full(asked, count, np.int64)
        return Candidates(starts, counts, np.arange(count))


class Joiner:
    """Joins probe batches with one `Build`. One thread uses it at a time."""

    def __init__(self, rule: JoinRule, build: Build, probe: Side = "left") -> None:
        self._rule = rule
        self._build = build
        self._probe: Side = probe
        self._held: Side = "right" if probe == "left" else "left"
        self._remembers = rule.keeps(self._held) or not (rule.puts_out_pairs or probe == "left")
        self._met = np.zeros(build.records.num_rows if self._remembers else 0, bool)
        self._every = np.arange(0)

    def probe(self, records: pa.RecordBatch, keys: Keys | None) -> Iterator[pa.RecordBatch]:
        """What the rows of ``records`` give; possibly nothing at all."""
        limit = self._limit(records)
        matches = self._matches(records, keys, limit)
        if not self._rule.puts_out_pairs and self._probe == "right":
            for _, rows in matches:
                self._met[rows] = True
        elif self._rule.kind == "semi":
            yield from self._kept(records, self._matched(records, matches))
        elif self._rule.kind == "anti":
            yield from self._without(records, keys, matches)
        else:
            for asked, rows in gathered(self._results(records, matches), limit):
                yield self._assembled(records, asked, rows)

    def rest(self) -> Iterator[pa.RecordBatch]:
        """When the probe has ended: what rows of the build side give on their own."""
        if not self._remembers:
            return
        rows = np.flatnonzero(self._met if self._rule.kind == "semi" else ~self._met)
        limit = self._limit(self._build.records)
        for begin in range(0, len(rows), limit):
            part = rows[begin : begin + limit]
            yield self._assembled(None, np.full(len(part), NO_ROW), part)

    def _limit(self, records: pa.RecordBatch) -> int:
        row_bytes = self._build.row_bytes + records.nbytes / max(1, records.num_rows)
        return max(1024, min(PART_ROWS, int(PART_BYTES / max(1.0, row_bytes))))

    # ── pairs ───────────────────────────────────────────────────────────────────────────────────

    def _matches(self, records: pa.RecordBatch, keys: Keys | None, limit: int) -> Iterator[Pairs]:
        """All pairs that match, at most ``limit`` at a time, the probe's rows in order."""
        index = self._build.index
        if index is not None and keys is not None and index.unique:
            parts: Iterable[Pairs] = [self._found(index.find_one(keys))]
        else:
            parts = self._build.candidates(records.num_rows, keys).pairs(limit)
        for asked, rows in parts:
            yield self._confirmed(records, keys, asked, rows)

    def _found(self, rows: Positions) -> Pairs:
        """``rows`` has the one candidate of each of the probe's rows, or -1."""
        if int(rows.min(initial=0)) >= 0:
            return self._all_rows(len(rows)), rows
        asked = np.flatnonzero(rows >= 0)
        return asked, rows[asked]

    def _all_rows(self, count: int) -> Positions:
        """Often asked for, and always the same: `_Taken` knows it again."""
        if len(self._every) != count:
            self._every = np.arange(count)
        return self._every

    def _confirmed(
        self, records: pa.RecordBatch, keys: Keys | None, asked: Positions, rows: Positions
    ) -> Pairs:
        """Those candidates whose keys are equal and that meet the other conditions."""
        index = self._build.index
        if index is not None and not index.exact:
            assert keys is not None
            assert self._build.keys is not None
            asked, rows = where(keys.equal(asked, self._build.keys, rows), asked, rows)
        return self._conditional(records, asked, rows)

    def _conditional(self, records: pa.RecordBatch, asked: Positions, rows: Positions) -> Pairs:
        condition = self._rule.residual
        if condition is None or not len(asked):
            return asked, rows
        sides = {self._probe: (records, asked), self._held: (self._build.records, rows)}
        return where(condition.holds(*sides["left"], *sides["right"]), asked, rows)

    def _matched(self, records: pa.RecordBatch, matches: Iterable[Pairs]) -> Flags:
        matched = np.zeros(records.num_rows, bool)
        for asked, _ in matches:
            matched[asked] = True
        return matched

    def _results(self, records: pa.RecordBatch, matches: Iterable[Pairs]) -> Iterator[Pairs]:
        """The pairs to put out; the probe's rows without a match come last."""
        keeps = self._rule.keeps(self._probe)
        matched = np.zeros(records.num_rows if keeps else 0, bool)
        last = NO_ROW
        for asked, rows in matches:
            if self._rule.single and len(asked):
                self._refuse_second(np.append(last, asked))
                last = int(asked[-1])
            if keeps:
                matched[asked] = True
            if self._remembers:
                self._met[rows] = True
            yield asked, rows
        if keeps:
            alone = np.flatnonzero(~matched)
            yield alone, np.full(len(alone), NO_ROW)

    @staticmethod
    def _refuse_second(asked: Positions) -> None:
        """``asked`` rises: the same row twice in a row has a second match."""
        again = np.flatnonzero(asked[1:] == asked[:-1])
        if len(again):
            raise BadRecordError(
                "a subquery that stands for one value gave several rows for this row; make it "
                "give one: with an aggregate (max, any_value), or LIMIT 1",
                "several rows from a scalar subquery",
                int(asked[again[0]]),
            )

    # ── semi and anti joins ─────────────────────────────────────────────────────────────────────

    def _without(
        self, records: pa.RecordBatch, keys: Keys | None, matches: Iterable[Pairs]
    ) -> Iterator[pa.RecordBatch]:
        alone = ~self._matched(records, matches)
        if self._rule.null_aware:
            alone = self._not_in(records, keys, alone)
        yield from self._kept(records, alone)

    def _not_in(self, records: pa.RecordBatch, keys: Keys | None, alone: Flags) -> Flags:
        held = self._build
        assert keys is not None
        assert held.keys is not None
        confirm = partial(self._conditional, records) if self._rule.residual else None
        left = (records, self._rule.left_keys, keys)
        right = (held.records, self._rule.right_keys, held.keys)
        return certainly_out(alone, left, right, confirm, self._limit(records))

    def _kept(self, records: pa.RecordBatch, flags: Flags) -> Iterator[pa.RecordBatch]:
        rows = np.flatnonzero(flags)
        if len(rows):
            yield self._assembled(records, rows, np.full(len(rows), NO_ROW))

    # ── rows ────────────────────────────────────────────────────────────────────────────────────

    def _assembled(
        self, records: pa.RecordBatch | None, asked: Positions, rows: Positions
    ) -> pa.RecordBatch:
        """The result's columns of some pairs."""
        sides = {
            self._probe: _Taken(records, asked, self._every),
            self._held: _Taken(self._build.records, rows, self._every),
        }
        columns = [
            sides[side].column(name, field.type)
            for (side, name), field in zip(self._rule.columns, self._rule.schema, strict=True)
        ]
        if not columns:
            return no_columns(len(asked))
        return pa.RecordBatch.from_arrays(columns, schema=self._rule.schema)


class _Taken:
    """Columns of some rows of a batch; `NO_ROW` gives NULL."""

    def __init__(self, records: pa.RecordBatch | None, rows: Positions, every: Positions) -> None:
        """``every`` counts up from 0."""
        self._records = records
        self._rows = rows
        self._every = every

    def column(self, name: str, type_: pa.DataType) -> pa.Array:
        if self._records is None:
            return pa.nulls(len(self._rows), type_)
        column = self._records.column(name)
        if self._indices is not None:
            column = column.take(self._indices)
        return column if column.type.equals(type_) else pc.cast(column, type_)

    @cached_property
    def _indices(self) -> pa.Array | None:
        """None: all rows as they are."""
        assert self._records is not None
        rows, count = self._rows, self._records.num_rows
        if len(rows) == count and (rows is self._every or bool((rows == np.arange(count)).all())):
            return None
        return pa.array(rows, mask=rows < 0 if int(rows.min(initial=0)) < 0 else None)
