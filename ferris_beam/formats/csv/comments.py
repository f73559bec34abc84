"""Lines that are comments: taken out before the rows are parsed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ferris_beam.formats.csv.rows import Dialect, comments
from ferris_beam.formats.grid import BadLine, Parsed, Parser
from ferris_beam.formats.window import Block, Offsets


class CommentParser(Parser):
    """Parses what another parser reads without comments, and tells where bad lines are in the
    block with them."""

    def __init__(self, inner: Parser, dialect: Dialect) -> None:
        self.schema = inner.schema
        self._inner = inner
        self._dialect = dialect

    def parse(self, block: Block) -> Parsed:
        starts, stops = comments(block, self._dialect)
        if not len(starts):
            return self._inner.parse(block)
        parsed = self._inner.parse(_without(block, starts, stops))
        return Parsed(parsed.records, [_moved(line, starts, stops) for line in parsed.bad])


def without_comments(block: Block, dialect: Dialect) -> Block:
    """The rows of a block; the same one where there are no comments."""
    starts, stops = comments(block, dialect)
    return _without(block, starts, stops) if len(starts) else block


def _without(block: Block, starts: Offsets, stops: Offsets) -> Block:
    text = block.array()
    depth = np.zeros(len(text) + 1, np.int8)
    depth[starts] += 1
    depth[stops] -= 1
    kept = np.cumsum(depth[:-1], dtype=np.int8) == 0
    return Block.of(text[kept].tobytes(), block.offset)


def _moved(line: BadLine, starts: Offsets, stops: Offsets) -> BadLine:
    removed = np.cumsum(stops - starts)
    before = np.searchsorted(starts - (removed - (stops - starts)), line.start, side="right")
    return replace(line, start=line.start + int(removed[before - 1]) if before else line.start)
