"""SQL over URIs: parsed by sqlglot, planned by rules, run as Beam transforms over Arrow batches.

``ferris_beam.sql`` is this package, and is called like a function, `execution.transform.Sql`::

    totals = p | fb.sql("SELECT country, SUM(amount) FROM 'file:///data/*.csv' GROUP BY 1")
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ferris_beam.sql.execution.transform import Sql


class _Callable(ModuleType):
    """A module of this package's name would hide a function of that name in `ferris_beam`."""

    def __call__(self, text: str, **arguments: Any) -> Sql:
        from ferris_beam.sql.execution.transform import Sql

        return Sql(text, **arguments)


sys.modules[__name__].__class__ = _Callable
