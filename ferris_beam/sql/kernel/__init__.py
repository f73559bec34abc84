"""Expressions over batches, computed by DataFusion."""

from ferris_beam.sql.kernel.fragments import Fragment, fragment, is_deterministic, types_of
from ferris_beam.sql.kernel.kernel import Kernel
from ferris_beam.sql.kernel.rendering import render

__all__ = ["Fragment", "Kernel", "fragment", "is_deterministic", "render", "types_of"]
