"""EXPLAIN: a plan as people read it."""

from __future__ import annotations

from ferris_beam.sql.explain.measures import Measure, Measures, measures_of
from ferris_beam.sql.explain.program import explain_program

__all__ = ["Measure", "Measures", "explain_program", "measures_of"]
