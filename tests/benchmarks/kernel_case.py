"""The case of the SQL kernel: filter and projection, in large batches and in small ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.benchmarks.model import Case, Contender, Results, Target, seconds_of, times_as_fast

_CONTENDERS = "tests.benchmarks.contenders.kernels"
_LARGE, _SMALL = 65_536, 1_000


def kernel_case(rows: int) -> Case:
    """``rows`` in batches of 64k, and a hundredth of them in batches of 1k."""
    few = max(rows // 100, _SMALL)
    rows = max(rows, _LARGE)
    contenders = (
        _contender("kernel", "ours", rows, _LARGE),
        _contender("DataFusion", "bare", rows, _LARGE),
        _contender("kernel, 1k", "ours", few, _SMALL),
        _contender("DataFusion, 1k", "bare", few, _SMALL),
    )

    def milliseconds_each(results: Results) -> list[float]:
        batches = few // _SMALL
        return [1000 * seconds / batches for seconds in seconds_of(results, "kernel, 1k")]

    return Case(
        "sql-kernel",
        f"filter and projection of {rows:,} rows in memory, by batches of 64k and of 1k",
        contenders,
        [
            times_as_fast("kernel", "DataFusion", at_least=0.9),
            times_as_fast("kernel, 1k", "DataFusion, 1k"),
            Target("a batch of 1k rows", milliseconds_each, at_most=2, unit=" ms"),
        ],
    )


def _contender(name: str, function: str, rows: int, batch_rows: int) -> Contender:
    arguments: Mapping[str, Any] = {"rows": rows, "batch_rows": batch_rows}
    rival = None if function == "ours" else name.replace("DataFusion", "kernel")
    return Contender(name, f"{_CONTENDERS}:{function}", rows, lambda paths: arguments, rival)
