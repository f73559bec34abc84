"""GROUP BY and windows: partial states of batches, merged and finished."""

from ferris_beam.sql.aggregation.planning import GroupBy, plan_aggregate

__all__ = ["GroupBy", "plan_aggregate"]
