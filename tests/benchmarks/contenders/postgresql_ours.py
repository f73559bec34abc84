"""The framework with a PostgreSQL server at one end. The server's URI is in BENCH_POSTGRESQL."""

from __future__ import annotations

import os
from typing import Any

from ferris_beam.cli.command import import_for_good
from pipelines import copy as copying
from tests.benchmarks.contenders.postgresql_table import fresh_table, timed

import_for_good(
    (
        *copying.IMPORTS,
        "ferris_beam.connectors.postgresql.choose",
        "ferris_beam.connectors.postgresql.writer",
    )
)  # as the command does


def read(sink: str, threads: int) -> None:
    """The table ``orders`` to Parquet."""
    _copy(f"{os.environ['BENCH_POSTGRESQL']}?table=orders", sink, threads)


def write(source: str, threads: int) -> dict[str, Any]:
    """Parquet into a table."""
    table = fresh_table()
    sink = f"{os.environ['BENCH_POSTGRESQL']}?table={table}"
    return timed(table, lambda: _copy(source, sink, threads))


def _copy(source: str, sink: str, threads: int) -> None:
    command = ["--source", source, "--sink", sink, "--quiet", f"--direct_num_workers={threads}"]
    code = copying.main(command)
    if code != 0:
        raise RuntimeError(f"the copy exited {code}")
