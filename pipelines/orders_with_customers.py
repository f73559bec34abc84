"""Joins files with a PostgreSQL table, in SQL: ``python -m pipelines.orders_with_customers --orders
'file:orders/*.csv' --customers 'postgresql://app@localhost/shop?table=customers' --sink
'file:enriched/?format=parquet'``. The query is pipelines/orders_with_customers.sql."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import ferris_beam as fb
from ferris_beam.cli import run_pipeline

QUERY = Path(__file__).with_suffix(".sql")


def build(pipeline: Any, places: Any) -> None:
    named = {name: getattr(places, name) for name in ("orders", "customers", "sink")}
    pipeline | fb.sql(QUERY.read_text(encoding="utf-8"), variables=named)


if __name__ == "__main__":
    customers = "the table of customers: columns id, name, country"
    sys.exit(run_pipeline(build, __doc__, orders="files", customers=customers, sink="the result"))
