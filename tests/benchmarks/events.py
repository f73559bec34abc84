"""Events for aggregations: rising times, 1,000 keys, values whose sums are exact.

Five columns: ``happened_at`` (µs, 1,000 rows a second, out of order by up to half a second),
``key`` (1,000 texts), ``user_id`` (a million), ``number`` (int64), ``value`` (quarters, doubles, so
that sums are the same in every order).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.datasets import CHUNK, Dataset

if TYPE_CHECKING:
    import pyarrow as pa

_SEED = 20_240_102
_FIRST_MICROSECOND = 1_704_067_200_000_000
_BETWEEN = 1_000
_DISORDER = 500_000
_KEYS = 1_000
_USERS = 1_000_000


@dataclass(frozen=True, slots=True)
class Events(Dataset):
    """``rows`` events as one Parquet file."""

    form: str = "parquet"
    rows: int = 0

    def path(self, cache: Path) -> Path:
        return cache / f"events-v1-{self.rows}.parquet"

    def ensure(self, cache: Path) -> Path:
        path = self.path(cache)
        if not path.exists():
            cache.mkdir(parents=True, exist_ok=True)
            command = [sys.executable, "-m", __spec__.name, str(self.rows), str(path)]
            subprocess.run(command, check=True)
        return path


def _chunk(index: int) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    random = np.random.default_rng([_SEED, index])
    number = np.arange(index * CHUNK, (index + 1) * CHUNK, dtype=np.int64)
    times = _FIRST_MICROSECOND + number * _BETWEEN + random.integers(0, _DISORDER, CHUNK)
    keys = pa.array([f"key-{key:04d}" for key in range(_KEYS)])
    return pa.table(
        {
            "happened_at": pa.array(times).cast(pa.timestamp("us")),
            "key": keys.take(pa.array(random.integers(0, _KEYS, CHUNK))),
            "user_id": pa.array(random.integers(0, _USERS, CHUNK)),
            "number": pa.array(random.integers(-1_000, 1_000, CHUNK)),
            "value": pa.array(random.integers(0, 4_000, CHUNK) / 4),
        }
    )


def generate(rows: int, path: Path) -> None:
    """Writes the file; it appears when it is complete."""
    import pyarrow.parquet as pq

    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with pq.ParquetWriter(partial, _chunk(0).schema, compression="snappy") as writer:
            for index, start in enumerate(range(0, rows, CHUNK)):
                writer.write_table(_chunk(index).slice(0, min(CHUNK, rows - start)))
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Generates events.")
    parser.add_argument("rows", type=int)
    parser.add_argument("path", type=Path)
    arguments = parser.parse_args()
    generate(arguments.rows, arguments.path)


if __name__ == "__main__":
    main()
