"""Functions that choose among values, and that tell types."""

from __future__ import annotations

from sqlglot import exp

from ferris_beam.sql.functions.define import category

_conditional = category("conditional")


def _if(
    condition: exp.Expression, yes: exp.Expression, no: exp.Expression | None = None
) -> exp.Expression:
    return exp.Case().when(condition, yes).else_(no or exp.Null())


FUNCTIONS = (
    _conditional(
        "coalesce(value, ...)",
        "The first value that isn't NULL.",
        ("coalesce(NULL, 2, 3)", "2"),
        aliases=("ifnull", "nvl"),
    ),
    _conditional("nullif(value, other)", "NULL if both are equal.", ("nullif(1, 1)", "NULL")),
    _conditional(
        "nvl2(value, if_not_null, if_null)",
        "The second argument if the first isn't NULL, else the third.",
        ("nvl2(NULL, 1, 2)", "2"),
    ),
    _conditional(
        "if(condition, yes[, no])",
        "One of two values.",
        ("if(1 < 2, 'yes', 'no')", "yes"),
        aliases=("iff",),
        render=_if,
    ),
    _conditional(
        "greatest(value, ...)",
        "The greatest value; NULLs are left out.",
        ("greatest(1, NULL, 3)", "3"),
    ),
    _conditional(
        "least(value, ...)", "The least value; NULLs are left out.", ("least(2, NULL, 3)", "2")
    ),
    _conditional(
        "arrow_typeof(value)",
        "The Arrow type of a value.",
        ("arrow_typeof('a')", "Utf8"),
        aliases=("typeof",),
    ),
    _conditional(
        "arrow_cast(value, type)",
        "The value as an Arrow type.",
        ("arrow_cast(7, 'Int8')", "7"),
    ),
    _conditional(
        "arrow_try_cast(value, type)",
        "The value as an Arrow type; NULL where that can't be.",
        ("arrow_try_cast('x', 'Int8')", "NULL"),
    ),
    _conditional("version()", "The version of the engine.", ("length(version()) > 0", "true")),
)
