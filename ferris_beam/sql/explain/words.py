"""Expressions, windows, numbers as EXPLAIN writes them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from ferris_beam.sql.nodes import Duration, Named, Ordering, Window
from ferris_beam.sql.syntax import Ferris

_LONGEST = 160
_UNITS = (
    ("day", 86_400_000_000),
    ("hour", 3_600_000_000),
    ("minute", 60_000_000),
    ("second", 1_000_000),
    ("millisecond", 1_000),
    ("microsecond", 1),
)


def shown(expression: exp.Expr) -> str:
    """SQL, with names as the plan has them; cut where it is very long."""
    text = expression.transform(_unquoted).sql(dialect=Ferris)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _unquoted(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Identifier) and node.args.get("quoted"):
        return exp.Identifier(this=node.name, quoted=not _plain(node.name))
    return node


def _plain(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def named(columns: Iterable[Named]) -> str:
    """``a, b + 1 AS c``; a column under its own name without its AS."""
    return ", ".join(_one(column) for column in columns)


def _one(column: Named) -> str:
    text = shown(column.expression)
    return text if text == column.name else f"{text} AS {column.name}"


def ordering(order: Iterable[Ordering]) -> str:
    return ", ".join(_ordered(item) for item in order)


def _ordered(item: Ordering) -> str:
    text = shown(item.expression) + (" DESC" if item.descending else "")
    if item.nulls_first != item.descending:
        text += " NULLS FIRST" if item.nulls_first else " NULLS LAST"
    return text


def window(found: Window) -> str:
    """``TUMBLE(ordered_at, 1 hour)``, with the zone whose calendar counts."""
    parts = [shown(found.time)]
    if found.kind == "tumble":
        parts.append(duration(found.size))
        if found.offset != Duration():
            parts.append(f"offset {duration(found.offset)}")
    elif found.kind == "hop":
        parts += [f"every {duration(found.slide)}", duration(found.size)]
    else:
        parts.append(duration(found.gap))
    if found.zone:
        parts.append(found.zone)
    return f"{found.kind.upper()}({', '.join(parts)})"


def duration(length: Duration) -> str:
    """``1 month 2 hours``."""
    parts = [_counted(length.months, "month")] if length.months else []
    rest = length.micros
    for name, size in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(_counted(count, name))
    return " ".join(parts) or "0 seconds"


def _counted(count: int, name: str) -> str:
    return f"{count} {name}{'s'[: count != 1]}"


def rows(count: float) -> str:
    return _counted_rows(f"{round(count):,}", round(count))


def _counted_rows(text: str, count: int) -> str:
    return f"{text} row{'s'[: count != 1]}"


def size(nbytes: float) -> str:
    """``1.2 MB``, with three figures."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if nbytes < 1000 or unit == "TB":
            break
        nbytes /= 1000
    return f"{nbytes:.3g} {unit}"


def seconds(elapsed: float) -> str:
    return f"{elapsed * 1000:.0f} ms" if elapsed < 1 else f"{elapsed:.1f} s"
