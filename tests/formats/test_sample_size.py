"""How much of a file tells its types, and what becomes of rows that disagree."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from ferris_beam.formats.csv.format import CsvFormat
from ferris_beam.formats.options import ALL, ReadOptions
from tests.formats.memory import MemorySource, Unit, grid_of


def lines(*groups: tuple[str, int]) -> bytes:
    return b"v\n" + b"".join(f"{value}\n".encode() * count for value, count in groups)


def test_a_late_row_that_disagrees_is_rejected_or_widens_the_type() -> None:
    """4 MiB are some 900,000 rows of this file."""
    data = b"v\n" + b"1234\n" * 900_000 + b"2.5\n" + b"1234\n" * 99
    narrow = Unit(data)
    assert narrow.schema.field("v").type == pa.int64()
    assert narrow.reasons() == ["v: '2.5' is not an int64"]
    assert narrow.table().num_rows == 900_099
    wide = Unit(data, sample_size="all")
    assert wide.schema.field("v").type == pa.float64()
    assert wide.reasons() == []
    assert wide.table().num_rows == 900_100
    assert Unit(data, sample_size="5MB").schema == wide.schema


@pytest.mark.parametrize(
    ("first", "later", "united"),
    [
        ("1", "2.5", pa.float64()),
        ("1", "x", pa.string()),
        ("1", "", pa.int64()),
        ("", "1", pa.int64()),
        ("", "", pa.string()),
        ("1", "007", pa.string()),
        ("1", "99999999999999999999", pa.decimal128(38, 0)),
        ("1.5", "99999999999999999999", pa.float64()),
        ("2024-01-31", "2024-01-31 10:00:00", pa.timestamp("us")),
        ("2024-01-31", "2024-01-31T10:00:00Z", pa.string()),
        ("2024-01-31T10:00:00", "2024-01-31T10:00:00Z", pa.string()),
        ("2024-01-31T10:00:00", "2024-01-31T10:00:00.123456789", pa.timestamp("ns")),
        ("true", "false", pa.bool_()),
        ("true", "2", pa.string()),
        ("2024-01-31", "5", pa.string()),
    ],
)
def test_types_of_all_cells_are_united(first: str, later: str, united: pa.DataType) -> None:
    for one, other in ((first, later), (later, first)):
        text = "id,v\n" + f"1,{one}\n" * 20 + f"2,{other}\n" * 20
        with grid_of(20):
            file = Unit(text.encode(), sample_size="all")
            assert file.schema.field("v").type == united
            assert file.reasons() == []


def test_all_means_that_no_value_is_odd() -> None:
    data = lines(("1", 500), ("n/a", 1), ("2", 500))
    with grid_of(64):
        assert Unit(data, sample_size="all").schema.field("v").type == pa.string()
        sampled = Unit(data, sample_size="1GB")
        assert sampled.schema.field("v").type == pa.int64()
        assert sampled.reasons() == ["v: 'n/a' is not an int64"]
        assert Unit(data, sample_size=64).schema.field("v").type == pa.int64()


def test_a_few_odd_values_are_counted_over_the_whole_sample() -> None:
    """Whole numbers count as doubles; of one cell most values may be odd, of all of them few."""
    with grid_of(50):
        few = Unit(lines(("1", 2000), ("x", 10), ("1.5", 2000)), sample_size="1GB")
        assert few.schema.field("v").type == pa.float64()
        assert few.reasons() == ["v: 'x' is not a double"] * 10
        many = Unit(lines(("1", 2000), ("x", 50), ("1.5", 2000)), sample_size="1GB")
        assert many.schema.field("v").type == pa.string()


def test_a_sample_is_read_no_further_than_it_says() -> None:
    class Counting(MemorySource):
        furthest = 0

        def read_into(self, offset: int, target: memoryview) -> int:
            count = super().read_into(offset, target)
            self.furthest = max(self.furthest, offset + count)
            return count

    source = Counting(b"v\n" + b"1\n" * 2000)
    with grid_of(100, 10):
        for size, most in ((1, 150), (100, 150), (101, 250), (1000, 1050), (ALL, 4002)):
            source.furthest = 0
            CsvFormat().discover(source, ReadOptions(sample_size=size))
            assert most - 100 <= source.furthest <= most


def test_the_types_of_json_lines_too() -> None:
    rows = [{"a": 1, "b": {"c": 1}}] * 50 + [{"a": 2.5, "b": {"c": 1, "d": "x"}, "e": True}]
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    with grid_of(100):
        narrow = Unit(data, "x.jsonl", sample_size=100)
        assert narrow.schema.field("a").type == pa.int64()
        wide = Unit(data, "x.jsonl", sample_size="all")
        assert wide.schema.names == ["a", "b", "e"]
        assert wide.schema.field("a").type == pa.float64()
        assert wide.rows()[-1] == {"a": 2.5, "b": {"c": 1, "d": "x"}, "e": True}
        assert wide.reasons() == []


@pytest.mark.parametrize("size", ["0", "x", "-1", "1.5"])
def test_sizes_that_make_no_sense_are_refused(size: str) -> None:
    with pytest.raises(ValueError, match="sample_size"):
        Unit(b"v\n1\n", sample_size=size)
