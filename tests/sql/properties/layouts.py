"""The same rows, lying in files in different ways."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from hypothesis import strategies as st

FORMATS = ("parquet", "csv", "jsonl")
WHOLE_CELL = 1 << 22


@dataclass(frozen=True)
class Layout:
    """``cuts``: after which shares of the rows a new file begins; equal ones make a file without
    rows. ``rows``: the length of a Parquet row group. ``cell``: the bytes of a cell of text."""

    format: str = "parquet"
    cuts: tuple[float, ...] = ()
    rows: int = 65_536
    cell: int = WHOLE_CELL
    dictionaries: bool = False
    threads: int = 1

    @contextmanager
    def cells(self) -> Iterator[None]:
        with patch("ferris_beam.formats.grid.CELL", self.cell):
            yield

    def write(self, folder: Path, table: pa.Table) -> str:
        """Writes the files; gives the options of the URI that reads them as the same table."""
        folder.mkdir(parents=True)
        borders = [0, *(round(cut * table.num_rows) for cut in self.cuts), table.num_rows]
        for number in range(len(borders) - 1):
            rows = table.slice(borders[number], borders[number + 1] - borders[number])
            self._write_file(folder / f"{number:03d}.{self.format}", rows)
        return "" if self.format == "parquet" else f"?schema={schema_option(table.schema)}"

    def _write_file(self, path: Path, table: pa.Table) -> None:
        if self.format == "csv":
            pyarrow.csv.write_csv(table, path)
        elif self.format == "jsonl":
            path.write_text("".join(map(_line, table.to_pylist())))
        else:
            encoded = with_dictionaries(table) if self.dictionaries else table
            pq.write_table(encoded, path, row_group_size=self.rows)


def layouts() -> st.SearchStrategy[Layout]:
    cuts = st.lists(st.floats(0, 1), max_size=4).map(lambda found: tuple(sorted(found)))
    return st.builds(
        Layout,
        format=st.sampled_from(FORMATS),
        cuts=cuts,
        rows=st.sampled_from([1, 7, 50]),
        cell=st.sampled_from([300, 2_000, WHOLE_CELL]),
        dictionaries=st.booleans(),
        threads=st.sampled_from([1, 2]),
    )


def schema_option(schema: pa.Schema) -> str:
    """``name:type,…`` as the option ``schema`` takes it."""
    names = {pa.float64(): "double", pa.timestamp("us"): "timestamp"}
    return ",".join(f"{field.name}:{names.get(field.type, field.type)}" for field in schema)


def with_dictionaries(table: pa.Table) -> pa.Table:
    """``table`` with its texts as dictionaries."""
    columns = [
        column.dictionary_encode() if pa.types.is_string(column.type) else column
        for column in table.columns
    ]
    return pa.table(dict(zip(table.schema.names, columns, strict=True)))


def _line(row: dict[str, object]) -> str:
    return json.dumps(row, default=str) + "\n"
