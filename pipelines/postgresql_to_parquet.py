"""A PostgreSQL table as Parquet: ``python -m pipelines.postgresql_to_parquet --table
'postgresql://app@localhost/shop?table=orders' --folder file:lake/orders/``. All workers read one
snapshot of the table, in parallel, and all of it appears in the folder, or nothing."""

from __future__ import annotations

import sys
from typing import Any

import ferris_beam as fb
from ferris_beam.cli import run_pipeline


def build(pipeline: Any, places: Any) -> None:
    rows = pipeline | fb.read(places.table)
    rows | fb.write(places.folder, format="parquet", if_exists="overwrite")


if __name__ == "__main__":
    table = "the table; or ?query=SELECT…, or &cursor=updated_at for what is new since the last run"
    sys.exit(run_pipeline(build, __doc__, table=table, folder="the folder, with / at its end"))
