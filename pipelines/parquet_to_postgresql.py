"""Files into a PostgreSQL table: ``python -m pipelines.parquet_to_postgresql --files
'file:orders/*.parquet' --table 'postgresql://app@localhost/shop?table=orders' --dead-letters
'file:rejected/?format=jsonl'``. The table is created where it isn't there. Rows that it refuses are
dead letters; a restart under the same --name goes on where the last one stopped."""

from __future__ import annotations

import sys
from typing import Any

import ferris_beam as fb
from ferris_beam.cli import run_pipeline


def build(pipeline: Any, places: Any) -> None:
    with fb.DeadLetters(places.dead_letters) as dead:
        rows = pipeline | fb.read(places.files, dead_letters=dead)
        rows | fb.write(places.table, dead_letters=dead)


if __name__ == "__main__":
    sys.exit(
        run_pipeline(
            build,
            __doc__,
            files="what is read",
            table="the table; ?mode=upsert&key=… replaces rows by their key",
            dead_letters="where refused rows go",
        )
    )
