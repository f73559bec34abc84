"""Where cells lie in rows of COPY BINARY and in tuples of pgoutput."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.connectors.postgresql.binary import cells, decode_columns, tagged_cells
from ferris_beam.connectors.postgresql.types.arrow import column_of
from ferris_beam.connectors.postgresql.types.column import Choices, ServerType
from ferris_beam.errors import FatalError

_ROWS = st.integers(0, 5).flatmap(
    lambda width: st.lists(
        st.lists(st.none() | st.binary(max_size=9), min_size=width, max_size=width), min_size=1
    )
)
_KINDS = st.sampled_from("bt") | st.sampled_from("nu")
_TUPLES = st.integers(1, 5).flatmap(
    lambda width: st.lists(
        st.lists(st.tuples(_KINDS, st.binary(max_size=9)), min_size=width, max_size=width),
        min_size=1,
    )
)


def _joined(rows: list[bytes], between: bytes) -> tuple[np.ndarray, np.ndarray]:
    starts, content = [], b""
    for row in rows:
        content += between
        starts.append(len(content))
        content += row
    return np.frombuffer(content, np.uint8), np.array(starts, np.int64)


def _cell(value: bytes | None) -> bytes:
    return struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value


def _tagged(kind: str, value: bytes) -> bytes:
    return kind.encode() + (struct.pack("!i", len(value)) + value if kind in "bt" else b"")


@given(rows=_ROWS, between=st.binary(max_size=3))
def test_cells_of_rows_are_found(rows: list[list[bytes | None]], between: bytes) -> None:
    width = len(rows[0])
    encoded = [struct.pack("!h", width) + b"".join(map(_cell, row)) for row in rows]
    data, starts = _joined(encoded, between)
    found = cells(data, starts, width)
    assert len(found) == width
    for number, column in enumerate(found):
        values = [
            None if length < 0 else data[start : start + length].tobytes()
            for start, length in zip(*column, strict=True)
        ]
        assert values == [row[number] for row in rows]


@given(tuples=_TUPLES, between=st.binary(max_size=3))
def test_cells_of_tuples_are_found_with_their_kind(
    tuples: list[list[tuple[str, bytes]]], between: bytes
) -> None:
    width = len(tuples[0])
    encoded = [
        struct.pack("!h", width) + b"".join(_tagged(*cell) for cell in row) for row in tuples
    ]
    data, starts = _joined(encoded, between)
    for number, column in enumerate(tagged_cells(data, starts, width)):
        for row, (start, length, text) in enumerate(zip(*column, strict=True)):
            kind, value = tuples[row][number]
            assert (length == -1, length == -2, text) == (kind == "n", kind == "u", kind == "t")
            assert kind in "nu" or data[start : start + length].tobytes() == value


def test_no_rows_have_no_cells() -> None:
    [column] = cells(np.empty(0, np.uint8), np.empty(0, np.int64), 1)
    assert (len(column.starts), len(column.lengths)) == (0, 0)


@pytest.mark.parametrize("find", [cells, tagged_cells])
def test_a_row_with_other_columns_is_refused(find: object) -> None:
    data = np.frombuffer(struct.pack("!hhh", 0, 0, 3), np.uint8)
    with pytest.raises(FatalError, match="3 columns, not 0"):
        find(data, np.array([0, 2, 4]), 0)


def test_an_unknown_kind_of_value_is_refused() -> None:
    data = np.frombuffer(b"\0\1z\0\0\0\0", np.uint8)
    with pytest.raises(FatalError, match="unknown kind"):
        tagged_cells(data, np.array([0]), 1)


def test_text_and_binary_values_of_one_column_decode_side_by_side() -> None:
    column = column_of(
        "v",
        1007,
        -1,
        True,
        ServerType(1007, "_int4", "array", element=ServerType(23, "int4")),
        Choices(),
    )
    binary = struct.pack("!iiiiii", 1, 0, 23, 1, 1, 4) + struct.pack("!i", 7)
    rows = [b"\0\1t\0\0\0\x06{1,22}", b"\0\1n", b"\0\1b" + struct.pack("!i", 28) + binary, b"\0\1u"]
    data, starts = _joined(rows, b"")
    found, bad = decode_columns([column], data, tagged_cells(data, starts, 1))
    assert found["v"].to_pylist() == [[1, 22], None, [7], None]
    assert not bad
