"""A filter and a projection over batches: our kernel, and DataFusion in a bare loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from datafusion import SessionConfig, SessionContext

from ferris_beam.sql.kernel import Kernel, fragment
from ferris_beam.sql.syntax import parse
from ferris_beam.sql.text import SqlText

QUERY = """SELECT id, quantity * price AS amount, upper(country) AS country
FROM input_0 WHERE price > 50 AND country <> 'IT'"""


def ours(rows: int, batch_rows: int) -> dict[str, Any]:
    text = SqlText(QUERY)
    batch = _batch(batch_rows)
    kernel = Kernel(fragment(parse(text)[0].query, (batch.schema,), text))
    return _timed(lambda: kernel.run([batch]).num_rows, rows // batch_rows)


def bare(rows: int, batch_rows: int) -> dict[str, Any]:
    """Registers each batch, plans the text and collects: no checks, no casts."""
    batch = _batch(batch_rows)
    config = SessionConfig().with_target_partitions(1).with_batch_size(batch_rows)
    context = SessionContext(config)

    def run() -> int:
        context.register_record_batches("input_0", [[batch]])
        try:
            return sum(part.num_rows for part in context.sql(QUERY).collect())
        finally:
            context.deregister_table("input_0")

    return _timed(run, rows // batch_rows)


def _timed(run: Callable[[], int], times: int) -> dict[str, Any]:
    run()
    began = time.perf_counter()
    kept = sum(run() for _ in range(times))
    return {"seconds": time.perf_counter() - began, "kept": kept, "batches": times}


def _batch(rows: int) -> pa.RecordBatch:
    random = np.random.default_rng(1)
    return pa.record_batch(
        {
            "id": np.arange(rows),
            "quantity": random.integers(1, 50, rows),
            "price": random.random(rows) * 100,
            "country": np.array(["de", "FR", "IT", "es"])[random.integers(0, 4, rows)],
        }
    )
