"""What happens in one partition of a join: one side is held, the other passes by.

The smaller side is held, whichever it is. Where neither fits into memory, one is held piece by
piece, and the other passes by once for each piece.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

import pyarrow as pa

from ferris_beam.batches import concatenate
from ferris_beam.errors import FatalError
from ferris_beam.sql.joins.gathering import repeatable
from ferris_beam.sql.joins.keys import Keys
from ferris_beam.sql.joins.matching import Build, Joiner, JoinRule, Side
from ferris_beam.sql.joins.sides import JoinSide, empty
from ferris_beam.transforms.stage import Completion

HELD_BYTES = 512 << 20
"""What a partition holds of one side at a time."""

Batches = Iterable[pa.RecordBatch]


class JoinCompletion(Completion):
    """Joins the rows of one partition.

    ``dealt_out``: rows of hot keys were, and their matches repeated. Several copies of one row can
    meet in one partition; the hash, which differs, tells which of them is meant.
    """

    def __init__(
        self,
        rule: JoinRule,
        left: JoinSide,
        right: JoinSide,
        memory_limit: int = HELD_BYTES,
        dealt_out: bool = False,
    ) -> None:
        self.rule = rule
        self.sides: dict[Side, JoinSide] = {"left": left, "right": right}
        self.memory_limit = memory_limit
        self.dealt_out = dealt_out

    def description(self) -> str:
        keys = " = ".join(side.spoken for side in self.sides.values())
        return f"{self.rule.description()} on {keys}"

    def results(
        self, partition: int, inputs: Sequence[Iterable[pa.RecordBatch]]
    ) -> Iterator[pa.RecordBatch]:
        given: dict[Side, Batches] = {"left": repeatable(inputs[0]), "right": repeatable(inputs[1])}
        if self.rule.null_aware or self.rule.single:
            yield from self._joined("right", list(self._refused(given["right"])), given["left"])
            return
        held, small, passing = smaller(given, self.memory_limit)
        if held is not None:
            yield from self._joined(held, small, passing)
        else:
            yield from self._by_pieces(given)

    def _joined(self, held: Side, rows: Batches, passing: Batches) -> Iterator[pa.RecordBatch]:
        """Everything, with all of the side ``held`` in memory."""
        joiner = self._joiner(self.rule, held, rows)
        yield from self._passed(joiner, _other(held), passing)
        yield from joiner.rest()

    def _joiner(self, rule: JoinRule, held: Side, batches: Batches) -> Joiner:
        side = self.sides[held]
        schema = side.schema
        if self.dealt_out:
            schema = schema.append(pa.field(side.hash_column, pa.uint64()))
        records = concatenate([empty(schema), *(batch.select(schema.names) for batch in batches)])
        return Joiner(rule, Build(records, self._keys(side, records)), _other(held))

    def _keys(self, side: JoinSide, records: pa.RecordBatch) -> Keys | None:
        return side.keys(records, self.rule.nulls_equal, self.dealt_out)

    def _passed(self, joiner: Joiner, name: Side, batches: Batches) -> Iterator[pa.RecordBatch]:
        side = self.sides[name]
        for batch in batches:
            yield from joiner.probe(batch, self._keys(side, batch))

    # ── more than fits into memory ──────────────────────────────────────────────────────────────

    def _by_pieces(self, given: dict[Side, Batches]) -> Iterator[pa.RecordBatch]:
        """A piece knows which of its own rows have a match only when all of the other side has
        passed; of a row that passes no piece knows. So the side is held whose rows without a match
        count; for a full join first one, then the other."""
        kind = self.rule.kind
        held: Side = "right" if kind == "right" else "left"
        rule = replace(self.rule, kind="left") if kind == "full" else self.rule
        for rows in pieces_of(given[held], self.memory_limit):
            joiner = self._joiner(rule, held, rows)
            yield from self._passed(joiner, _other(held), given[_other(held)])
            yield from joiner.rest()
        if kind == "full":
            for rows in pieces_of(given["right"], self.memory_limit):
                joiner = self._joiner(replace(self.rule, kind="right"), "right", rows)
                for _ in self._passed(joiner, "left", given["left"]):
                    pass  # the pairs are out already
                yield from joiner.rest()

    def _refused(self, batches: Batches) -> Iterator[pa.RecordBatch]:
        nbytes = 0
        for batch in batches:
            nbytes += batch.nbytes
            if nbytes > self.memory_limit:
                what = "NOT IN" if self.rule.null_aware else "a scalar subquery"
                raise FatalError(
                    f"the right side of {what} takes more than {self.memory_limit >> 20:,} MB in "
                    "one partition, and it must be held as a whole: select fewer rows or columns "
                    "in it, write it as a join (NOT EXISTS, LEFT JOIN), or raise "
                    "--sql_memory_limit"
                )
            yield batch


def _other(side: Side) -> Side:
    return "right" if side == "left" else "left"


def smaller(
    given: dict[Side, Batches], limit: int
) -> tuple[Side | None, list[pa.RecordBatch], Batches]:
    """The side that ends first when both are read in step, its batches, and those of the other.

    No side where both have more than ``limit`` bytes.
    """
    waiting = {side: iter(batches) for side, batches in given.items()}
    held: dict[Side, list[pa.RecordBatch]] = {side: [] for side in given}
    nbytes = dict.fromkeys(given, 0)
    while True:
        side: Side = "right" if nbytes["right"] <= nbytes["left"] else "left"
        batch = next(waiting[side], None)
        if batch is None:
            return side, held[side], chain(held[_other(side)], waiting[_other(side)])
        held[side].append(batch)
        nbytes[side] += batch.nbytes
        if min(nbytes.values()) > limit:
            return None, [], ()


def pieces_of(batches: Batches, limit: int) -> Iterator[list[pa.RecordBatch]]:
    """Lists of batches of about ``limit`` bytes."""
    piece: list[pa.RecordBatch] = []
    nbytes = 0
    for batch in batches:
        if piece and nbytes + batch.nbytes > limit:
            yield piece
            piece, nbytes = [], 0
        piece.append(batch)
        nbytes += batch.nbytes
    if piece:
        yield piece
