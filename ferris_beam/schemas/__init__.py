"""Schemas: what rows are expected to look like, and what happens to those that don't."""

from __future__ import annotations

from ferris_beam.schemas.check import Checked, SchemaCheck
from ferris_beam.schemas.policies import POLICIES, Policies

__all__ = ["POLICIES", "Checked", "Policies", "SchemaCheck"]
