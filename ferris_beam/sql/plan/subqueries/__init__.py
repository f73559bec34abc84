"""Subqueries in expressions become joins."""

from ferris_beam.sql.plan.subqueries.apply import apply

__all__ = ["apply"]
