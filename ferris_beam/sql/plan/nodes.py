"""Moved: `ferris_beam.sql.nodes` (a layer of its own below plan, aggregation and joins)."""

from ferris_beam.sql.nodes import *  # noqa: F403
