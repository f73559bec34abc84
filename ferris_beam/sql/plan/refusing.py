"""What isn't supported is refused by its name, wherever it stands."""

from __future__ import annotations

from collections.abc import Collection

from sqlglot import exp

from ferris_beam.sql.text import SqlText

_SHOWN = {
    "with_": "WITH",
    "from_": "FROM",
    "laterals": "LATERAL",
    "match": "MATCH_RECOGNIZE",
    "connect": "CONNECT BY",
    "pivots": "PIVOT",
    "sample": "TABLESAMPLE",
    "locks": "FOR UPDATE",
    "into": "SELECT INTO",
    "cluster": "CLUSTER BY",
    "distribute": "DISTRIBUTE BY",
    "sort": "SORT BY",
    "system_time": "FOR SYSTEM_TIME",
    "ordinality": "WITH ORDINALITY",
    "grouping_sets": "GROUPING SETS",
    "rollup": "ROLLUP",
    "cube": "CUBE",
    "totals": "WITH TOTALS",
    "match_condition": "MATCH_CONDITION",
    "recursive": "WITH RECURSIVE",
    "method": "this kind of join",
}


def refuse_others(node: exp.Expr, known: Collection[str], text: SqlText) -> None:
    """Raises `SqlError` where ``node`` says something that isn't among ``known``."""
    for name, value in node.args.items():
        if name in known or not value:
            continue
        shown = _SHOWN.get(name, name.replace("_", " ").strip().upper())
        place = value[0] if isinstance(value, list) else value
        raise text.error(
            f"{shown} is not supported",
            place if isinstance(place, exp.Expression) else node,
        )


def counted(count: int, noun: str) -> str:
    """For messages.

    >>> counted(1, "column"), counted(2, "column")
    ('1 column', '2 columns')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
