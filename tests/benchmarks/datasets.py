"""The benchmarks' data: orders, the same in every run, generated once into a cache folder.

Six columns: ``order_id`` (int64, rising), ``customer_id`` (int64, 100,000 of them), ``country``
(20 names), ``status`` (5 words), ``amount`` (two decimals), ``ordered_at`` (rising seconds).
Written a million rows at a time, so that any number of rows fits in memory.
"""

from __future__ import annotations

import argparse
import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = "v1"
"""Part of every name in the cache; another one whenever the rows change."""

FORMS = ("csv", "csv.gz", "jsonl", "parquet")

CHUNK = 1 << 20
"""Rows that are made at a time. Other chunks are other rows."""

_SEED = 20_240_101
_FIRST_ORDER = 1_000_000_001
_FIRST_SECOND = 1_704_067_200
_SECONDS_BETWEEN_ORDERS = 3
_GZIP_LEVEL = 6
_COUNTRIES = (
    *("Germany", "France", "Spain", "Italy", "Poland", "Sweden", "Norway", "Japan", "Brazil"),
    *("Canada", "India", "China", "Mexico", "Egypt", "Kenya", "Ghana", "Chile", "Peru", "Cuba"),
    "Nepal",
)
_NUMBERS = ("order_id", "customer_id", "amount")
_STATUSES = ("pending", "paid", "shipped", "cancelled", "refunded")


@dataclass(frozen=True, slots=True)
class Dataset:
    """``rows`` orders as one file of ``form``, one of `FORMS`."""

    form: str
    rows: int

    def path(self, cache: Path) -> Path:
        return cache / f"orders-{VERSION}-{self.rows}.{self.form}"

    def ensure(self, cache: Path) -> Path:
        """The file, generated if it is not there; by another process, since a parent's memory
        counts as its children's peak."""
        path = self.path(cache)
        if not path.exists():
            cache.mkdir(parents=True, exist_ok=True)
            command = [sys.executable, "-m", __spec__.name, self.form, str(self.rows), str(path)]
            subprocess.run(command, check=True)
        return path

    def generate(self, path: Path) -> None:
        """Writes the file; it appears when it is complete."""
        partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        try:
            {
                "csv": _write_csv,
                "csv.gz": _write_gzip,
                "jsonl": _write_jsonl,
                "parquet": _write_parquet,
            }[self.form](partial, self.rows)
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)


def chunks(rows: int) -> Iterator[pa.Table]:
    """``rows`` orders in tables of at most `CHUNK`; a chunk depends on its index only."""
    for index, start in enumerate(range(0, rows, CHUNK)):
        yield _chunk(index).slice(0, min(CHUNK, rows - start))


def _chunk(index: int) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    random = np.random.default_rng([_SEED, index])
    number = np.arange(index * CHUNK, (index + 1) * CHUNK, dtype=np.int64)
    jitter = random.integers(0, _SECONDS_BETWEEN_ORDERS, CHUNK)
    seconds = _FIRST_SECOND + number * _SECONDS_BETWEEN_ORDERS + jitter
    return pa.table(
        {
            "order_id": pa.array(_FIRST_ORDER + number),
            "customer_id": pa.array(random.integers(1, 100_001, CHUNK)),
            "country": _choice(random, _COUNTRIES),
            "status": _choice(random, _STATUSES),
            "amount": pa.array(random.integers(1, 10_001, CHUNK) / 100),
            "ordered_at": pa.array(seconds).cast(pa.timestamp("s")),
        }
    )


def _choice(random: Any, words: tuple[str, ...]) -> pa.Array:
    import pyarrow as pa

    return pa.array(list(words)).take(pa.array(random.integers(0, len(words), CHUNK)))


def _as_text(table: pa.Table) -> pa.Table:
    """Every column as it stands in text, ``ordered_at`` as '2024-01-01 00:00:00'."""
    import pyarrow as pa

    return pa.table({name: table[name].cast(pa.string()) for name in table.column_names})


def _write_csv(path: Path, rows: int) -> None:
    import pyarrow.csv as pacsv

    style = pacsv.WriteOptions(include_header=False, quoting_style="none")
    with open(path, "wb") as file:
        for index, table in enumerate(chunks(rows)):
            if index == 0:
                file.write(",".join(table.column_names).encode() + b"\n")
            pacsv.write_csv(_as_text(table), file, style)


def _write_gzip(path: Path, rows: int) -> None:
    plain = path.with_name(f"{path.name}.plain")
    try:
        _write_csv(plain, rows)
        with open(plain, "rb") as text, gzip.GzipFile(path, "wb", _GZIP_LEVEL, mtime=0) as target:
            shutil.copyfileobj(text, target, 1 << 20)
    finally:
        plain.unlink(missing_ok=True)


def _write_jsonl(path: Path, rows: int) -> None:
    with open(path, "wb") as file:
        for table in chunks(rows):
            file.write(_json_lines(table))


def _json_lines(table: pa.Table) -> memoryview:
    """One object a line; columns are joined as text, so their values must need no escapes."""
    import pyarrow.compute as pc

    between, parts = "{", []
    for name, column in zip(table.column_names, _as_text(table).columns, strict=True):
        quote = "" if name in _NUMBERS else '"'
        parts += [f'{between}"{name}":{quote}', column.combine_chunks(), quote]
        between = ","
    lines = pc.binary_join_element_wise(*parts, "}\n", "")
    _, offsets, text = lines.buffers()
    return memoryview(text)[: memoryview(offsets).cast("i")[len(lines)]]


def _write_parquet(path: Path, rows: int) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer = None
    for table in chunks(rows):
        at = table.schema.get_field_index("ordered_at")
        table = table.set_column(at, "ordered_at", table["ordered_at"].cast(pa.timestamp("us")))
        if writer is None:
            writer = pq.ParquetWriter(path, table.schema, compression="snappy")
        writer.write_table(table)
    if writer is not None:
        writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="Generates one data set.")
    parser.add_argument("form", choices=FORMS)
    parser.add_argument("rows", type=int)
    parser.add_argument("path", type=Path)
    arguments = parser.parse_args()
    Dataset(arguments.form, arguments.rows).generate(arguments.path)


if __name__ == "__main__":
    main()
