"""The plan: what is computed, as a tree."""

from __future__ import annotations

from ferris_beam.sql.plan.catalog import Catalog, Entry, Source
from ferris_beam.sql.plan.program import Output, Program, plan_program
from ferris_beam.sql.plan.show import show

__all__ = ["Catalog", "Entry", "Output", "Program", "Source", "plan_program", "show"]
