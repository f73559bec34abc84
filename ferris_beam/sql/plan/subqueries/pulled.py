"""What pulling conditions out of a subquery leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from ferris_beam.sql.nodes import Node

Conditions = list[exp.Expression]


@dataclass(frozen=True)
class Pulled:
    """``conditions`` are over the columns of ``node`` and outer ones. ``missing`` is the row of a
    subquery that has one also where nothing meets them (that of a global aggregate): its values by
    name; None: there is no row then."""

    node: Node
    conditions: Conditions = field(default_factory=list)
    missing: Mapping[str, exp.Expression] | None = None
