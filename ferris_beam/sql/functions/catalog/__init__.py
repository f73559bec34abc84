"""Tables of all functions, one module for each category."""

from ferris_beam.sql.functions.catalog.all import FUNCTIONS

__all__ = ["FUNCTIONS"]
