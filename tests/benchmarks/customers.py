"""Customers to join orders with: a row for each number, in no order.

Three columns: ``id`` (1 to the number of rows), ``name`` (a text of its own for each), ``credit``
(quarters).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.datasets import Dataset

_SEED = 20_240_103


@dataclass(frozen=True, slots=True)
class Customers(Dataset):
    """``rows`` customers as one Parquet file."""

    form: str = "parquet"
    rows: int = 0

    def path(self, cache: Path) -> Path:
        return cache / f"customers-v1-{self.rows}.parquet"

    def ensure(self, cache: Path) -> Path:
        path = self.path(cache)
        if not path.exists():
            cache.mkdir(parents=True, exist_ok=True)
            command = [sys.executable, "-m", __spec__.name, str(self.rows), str(path)]
            subprocess.run(command, check=True)
        return path


def generate(rows: int, path: Path) -> None:
    """Writes the file; it appears when it is complete."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng(_SEED)
    numbers = random.permutation(rows) + 1
    table = pa.table(
        {
            "id": numbers,
            "name": [f"customer {number}" for number in numbers],
            "credit": random.integers(0, 4_000, rows) / 4,
        }
    )
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        pq.write_table(table, partial, compression="snappy")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Generates customers.")
    parser.add_argument("rows", type=int)
    parser.add_argument("path", type=Path)
    arguments = parser.parse_args()
    generate(arguments.rows, arguments.path)


if __name__ == "__main__":
    main()
