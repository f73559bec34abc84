"""Rows in an order: OVER, ORDER BY, LIMIT."""

from __future__ import annotations

from ferris_beam.sql.ordering.over import plan_over
from ferris_beam.sql.ordering.sort import plan_sort

__all__ = ["plan_over", "plan_sort"]
