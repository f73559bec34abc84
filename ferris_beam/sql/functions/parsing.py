"""Which functions the parser gives a class of their own.

sqlglot turns some 700 names into classes, several names into one, with arguments reordered per
dialect. Only what the planner looks at keeps its class: aggregates, window functions, UNNEST and
the conditional ones. All others stay what the user wrote, a name and arguments in their order
(`exp.Anonymous`), which the registry understands without knowing a dialect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlglot import exp

# fmt: off
_KEPT = frozenset((
    "ANY_VALUE", "ARRAY_AGG", "COUNT", "COUNT_IF", "FIRST_VALUE", "GROUPING", "LAG",
    "LAST_VALUE", "LEAD", "NTH_VALUE", "NTILE", "QUANTILE_CONT", "QUANTILE_DISC", "RANK",
    "DENSE_RANK", "PERCENT_RANK", "CUME_DIST", "ROW_NUMBER", "COALESCE", "NULLIF", "IF",
    "UNNEST", "EXPLODE", "EXISTS",
))
# fmt: on


def parser_functions(functions: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """Of a dialect's ``Parser.FUNCTIONS`` those that make classes the planner knows."""
    return {
        name: builder
        for name, builder in functions.items()
        if name in _KEPT or _is_aggregate(builder)
    }


def _is_aggregate(builder: Callable[..., Any]) -> bool:
    built = getattr(builder, "__self__", None)
    return isinstance(built, type) and issubclass(built, exp.AggFunc)
