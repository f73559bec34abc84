"""Rules that make a plan cheaper: one in each file, each a function from a plan to a plan."""

from ferris_beam.sql.rules.estimates import Estimate, estimate
from ferris_beam.sql.rules.optimize import optimize
from ferris_beam.sql.rules.predicate import arrow_predicate
from ferris_beam.sql.rules.size_streams import size_streams
from ferris_beam.sql.rules.strategy import BROADCAST_LIMIT

__all__ = [
    "BROADCAST_LIMIT",
    "Estimate",
    "arrow_predicate",
    "estimate",
    "optimize",
    "size_streams",
]
