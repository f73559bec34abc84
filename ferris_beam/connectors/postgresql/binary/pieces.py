"""Rows put together from pieces: numbers of a fixed width, or bytes of any, for each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.connectors.postgresql.binary.scalars import binaries
from ferris_beam.connectors.postgresql.binary.values import Faults, Mask, Positions, Values

NULL_LENGTH = -1


@dataclass(frozen=True, slots=True)
class Words:
    """One number of a dtype such as ``>i4`` for each row; or the same one for all, or bytes
    (``V16``)."""

    kind: str
    values: npt.NDArray[np.generic] | int | bytes


Piece: TypeAlias = "Words | pa.BinaryArray"
"""A `pa.BinaryArray` has n values and no NULL."""


def with_length(words: Sequence[Words], present: Mask) -> list[Piece]:
    """Values of one width behind their length; of those that are not there, -1 alone."""
    width = sum(np.dtype(part.kind).itemsize for part in words)
    if present.all():
        return [Words(">i4", width), *words]
    lengths = np.where(present, width, NULL_LENGTH)
    table = _table([Words(">i4", lengths), *words], len(present))
    kept = np.where(present, 4 + width, 4)
    return [slices(table.view(np.uint8).reshape(len(present), 4 + width), 0, kept)]


def slices(
    matrix: npt.NDArray[np.uint8], firsts: Positions | int, lengths: npt.NDArray[np.integer]
) -> pa.BinaryArray:
    """Of each row of uint8[n, width] the bytes from ``firsts`` on."""
    rows, width = matrix.shape
    starts = np.arange(rows, dtype=np.int64) * width + firsts
    return binaries(pa.binary(), Values(matrix.reshape(-1), starts, lengths), Faults())


def text_pieces(values: pa.BinaryArray) -> list[Piece]:
    """Lengths and bytes, where NULL is a length of -1."""
    lengths = pc.fill_null(pc.binary_length(values), NULL_LENGTH).to_numpy(zero_copy_only=False)
    return [Words(">i4", lengths), pc.fill_null(values, b"")]


def joined(pieces: Sequence[Piece], rows: int) -> pa.BinaryArray:
    """The pieces of each row, one behind the other."""
    parts: list[pa.BinaryArray] = []
    words: list[Words] = []
    for piece in pieces:
        if isinstance(piece, Words):
            words.append(piece)
            continue
        if words:
            parts.append(_array(words, rows))
        words = []
        parts.append(piece)
    if words:
        parts.append(_array(words, rows))
    return parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, b"")


def _array(words: Sequence[Words], rows: int) -> pa.BinaryArray:
    table = _table(words, rows)
    offsets = np.arange(rows + 1, dtype=np.int32) * table.dtype.itemsize
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(table.view(np.uint8))]
    return pa.Array.from_buffers(pa.binary(), rows, buffers)


def _table(words: Sequence[Words], rows: int) -> npt.NDArray[np.void]:
    """A row of bytes for each row: numpy's packed structs."""
    layout = np.dtype([(f"w{n}", part.kind) for n, part in enumerate(words)])
    table = np.empty(rows, layout)
    for n, part in enumerate(words):
        table[f"w{n}"] = part.values
    return table


def content(values: pa.BinaryArray) -> pa.Buffer:
    """All values one behind the other, without a copy."""
    offsets = offsets_of(values)
    return values.buffers()[2].slice(int(offsets[0]), int(offsets[-1] - offsets[0]))


def offsets_of(values: pa.BinaryArray) -> npt.NDArray[np.int32]:
    found = np.frombuffer(values.buffers()[1], np.int32)
    return found[values.offset : values.offset + len(values) + 1]
