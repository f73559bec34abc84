"""EXPLAIN: a plan as people read it."""

from __future__ import annotations

from ferris_beam.sql.explain.measures import Measure, Measures, measures_of
from ferris_beam.sql.explain.program import explain_program, kinds

__all__ = ["Measure", "Measures", "explain_program", "kinds", "measures_of"]
