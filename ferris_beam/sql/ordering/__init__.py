"""Rows in an order: OVER, ORDER BY, LIMIT."""

from __future__ import annotations

from ferris_beam.sql.ordering.over import plan_over
from ferris_beam.sql.ordering.sort import plan_sort
from ferris_beam.sql.ordering.top_rows import RowLimit, row_limit

__all__ = ["RowLimit", "plan_over", "plan_sort", "row_limit"]
