"""Where each cell of many rows lies: tuples of COPY BINARY and of pgoutput, column by column.

Rows follow each other, but a row's cells are found for all rows at once: the start of column k+1
is the end of column k.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ferris_beam.connectors.postgresql.binary.values import Mask, Positions, words_at
from ferris_beam.errors import FatalError

Lengths = npt.NDArray[np.int32]

_COUNT = 2  # int16: how many columns
_LENGTH = 4  # int32
_NULL, _UNCHANGED, _TEXT, _BINARY = (ord(letter) for letter in "nutb")


class Cells(NamedTuple):
    """One column of many rows: int64[n] and int32[n]; a length of -1 is NULL."""

    starts: Positions
    lengths: Lengths


class TaggedCells(NamedTuple):
    """One column of many tuples of pgoutput; a length of -2 is a value that was not sent, since
    it lies in a TOAST table and was not changed. ``text``: where the value is in text format."""

    starts: Positions
    lengths: Lengths
    text: Mask


def cells(data: npt.NDArray[np.uint8], row_starts: Positions, columns: int) -> list[Cells]:
    """The cells of rows of COPY BINARY, each ``int16 count, (int32 length, bytes)*``.

    Source: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format". Raises
    `FatalError` where a row has another number of columns.
    """
    starts = _behind_count(data, row_starts, columns)
    found = []
    for _ in range(columns):
        lengths = words_at(data, starts, ">i4").astype(np.int32, copy=False)
        starts = starts + _LENGTH
        found.append(Cells(starts, lengths))
        starts = starts + np.maximum(lengths, 0)
    return found


def tagged_cells(
    data: npt.NDArray[np.uint8], row_starts: Positions, columns: int
) -> list[TaggedCells]:
    """The cells of pgoutput's TupleData, each ``int16 count, (byte kind, int32 length, bytes)*``
    with kind b (binary) or t (text), and without length and bytes n (NULL) or u (unchanged).

    Source: https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html.
    Raises `FatalError` where a tuple has another number of columns, or another kind of value.
    """
    starts = _behind_count(data, row_starts, columns)
    found = []
    for _ in range(columns):
        kinds = data[starts]
        text = kinds == _TEXT
        sent = text | (kinds == _BINARY)
        lengths = np.where(kinds == _UNCHANGED, -2, -1).astype(np.int32)
        if not (sent | (kinds == _NULL) | (kinds == _UNCHANGED)).all():
            raise FatalError("pgoutput: a value of an unknown kind; is the server too new?")
        lengths[sent] = words_at(data, starts[sent] + 1, ">i4")
        starts = starts + np.where(sent, 1 + _LENGTH, 1)
        found.append(TaggedCells(starts, lengths, text))
        starts = starts + np.maximum(lengths, 0)
    return found


def _behind_count(data: npt.NDArray[np.uint8], row_starts: Positions, columns: int) -> Positions:
    counts = words_at(data, row_starts, ">i2")
    if (counts != columns).any():
        other = int(counts[counts != columns][0])
        raise FatalError(f"a row has {other} columns, not {columns}: the table was changed")
    return np.asarray(row_starts + _COUNT, np.int64)
