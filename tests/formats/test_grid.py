"""Whatever the intervals, the grid yields every row once, in the cell where it starts."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.errors import FatalError
from ferris_beam.formats.grid import CELL
from tests.formats.memory import MemorySource, Unit, grid_of, spans

LINES = st.lists(st.text(st.sampled_from("abc1 "), min_size=1, max_size=30), max_size=30)
ENDS = st.sampled_from(["\n", "\r\n"])
CUTS = st.lists(st.integers(0, 1000), max_size=4)


def unit(lines: list[str], line_end: str, last: bool, name: str, head: bytes = b"") -> Unit:
    text = line_end.join(lines) + (line_end if lines and last else "")
    return Unit(head + b"v" + line_end.encode() + text.encode(), name)


@given(LINES, ENDS, st.booleans(), st.integers(1, 40), st.integers(1, 9), CUTS, st.booleans())
def test_any_split_yields_all_rows_once(
    lines: list[str], line_end: str, last: bool, cell: int, step: int, cuts: list[int], zipped: bool
) -> None:
    with grid_of(cell, step):
        file = unit(lines, line_end, last, "x.csv.gz" if zipped else "x.csv")
        whole = file.pieces()
        intervals = spans(cuts, file.extent.end)
        parts = [piece for start, end in intervals for piece in file.pieces(start, end)]
        assert pa.Table.from_batches([p.records for p in parts]) == file.table()
        assert [row for p in parts for row in p.bad_rows] == [r for p in whole for r in p.bad_rows]
        assert sum(p.records.num_rows + len(p.bad_rows) for p in whole) == len(lines)
        assert parts[-1].end == whole[-1].end == file.extent.end
        assert sum(p.nbytes for p in parts) == sum(p.nbytes for p in whole)


@given(LINES, st.booleans(), st.integers(1, 40), st.integers(1, 9))
def test_a_cell_holds_the_lines_that_start_in_it(
    lines: list[str], last: bool, cell: int, step: int
) -> None:
    with grid_of(cell, step):
        file = unit(lines, "\n", last, "x.csv")
        pieces = file.pieces()
    expected: dict[int, int] = {}
    at = len("v\n")
    for line in lines:
        expected[at // cell] = expected.get(at // cell, 0) + 1
        at += len(line) + 1
    assert [piece.end for piece in pieces] == list(range(1, file.extent.end + 1))
    assert [piece.records.num_rows + len(piece.bad_rows) for piece in pieces] == [
        expected.get(number, 0) for number in range(file.extent.end)
    ]


@given(LINES, st.integers(1, 40), st.lists(st.integers(0, 60), min_size=1, max_size=6))
def test_a_warm_reader_may_jump(lines: list[str], cell: int, cells: list[int]) -> None:
    with grid_of(cell):
        file = unit(lines, "\n", True, "x.csv.gz")
        reader = file.open()
        for number in cells:
            start = number % file.extent.end
            warm = list(reader.read(start, start + 1))
            assert [p.records for p in warm] == [p.records for p in file.pieces(start, start + 1)]


def test_a_gzip_file_ends_where_its_data_does() -> None:
    with grid_of(10):
        file = Unit(b"v\n" + b"abc\n" * 10, "x.csv.gz")
        pieces = file.pieces()
        assert file.extent.divisible is False
        assert file.extent.end > len(pieces) == 4
        assert [piece.end for piece in pieces] == [1, 2, 3, file.extent.end]
        behind = file.pieces(20)
        assert [(p.records.num_rows, p.end) for p in behind] == [(0, file.extent.end)]


def test_an_empty_file_is_one_empty_cell() -> None:
    for name in ("x.csv", "x.csv.gz"):
        file = Unit(b"a,b\n", name)
        assert [(p.records.num_rows, p.end) for p in file.pieces()] == [(0, file.extent.end)]


def test_cells_never_change() -> None:
    assert CELL == 4 * 1024 * 1024, "ledgers of running pipelines know this grid"


def test_a_file_without_line_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ferris_beam.formats.window.MAX_ROW", 1 << 20)
    with pytest.raises(FatalError, match=r"data\.csv: no line end within 1 MiB"):
        Unit(b"v\n" + b"x" * (9 << 20))


def test_sources_are_read_without_gaps() -> None:
    class Counting(MemorySource):
        read = 0

        def read_into(self, offset: int, target: memoryview) -> int:
            count = super().read_into(offset, target)
            self.read += count
            return count

    file = Unit(b"v\n" + b"0123456789\n" * 1_200_000)
    file.source = Counting(file.source.data)
    assert sum(piece.records.num_rows for piece in file.pieces()) == 1_200_000
    assert file.source.read == len(file.source.data)
