"""Two tables against each other: rows as a multiset, or in order; floats nearly; types by family.

Types are told apart by family, since widths are an engine's own affair: DuckDB's sum of integers
has 128 bits. A column in which nothing stands has any type.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import Any

import pyarrow as pa
import pyarrow.types as kinds

TOLERANCE = 1e-9
SHOWN = 6
FRACTIONLESS = "decimal without a fraction"
EXACT = {"whole", "decimal", FRACTIONLESS}


def assert_same(ours: pa.Table, theirs: pa.Table, *, ordered: bool = False) -> None:
    """Raises `AssertionError` that shows which rows are in one of them only."""
    assert ours.schema.names == theirs.schema.names, "columns"
    for field, other in zip(ours.schema, theirs.schema, strict=True):
        assert _alike(field.type, other.type), f"{field.name}: {field.type} against {other.type}"
    left, right = rows_of(ours), rows_of(theirs)
    if ordered:
        _assert_in_order(left, right)
    unmatched = _unmatched(left, right)
    assert unmatched == ([], []), _shown(*unmatched)


def rows_of(table: pa.Table) -> list[tuple[Any, ...]]:
    """Rows of Python's values that can be compared and hashed."""
    columns = [[_plain(value) for value in column.to_pylist()] for column in table.columns]
    return list(zip(*columns, strict=True)) if columns else [()] * table.num_rows


def _plain(value: Any) -> Any:
    """Lists, structs and maps as tuples, NaN as something equal to itself."""
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else value + 0.0
    if isinstance(value, dict):
        return tuple((name, _plain(item)) for name, item in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(map(_plain, value))
    return value


# ── rows ────────────────────────────────────────────────────────────────────────────────────


def _assert_in_order(left: list[tuple[Any, ...]], right: list[tuple[Any, ...]]) -> None:
    assert len(left) == len(right), f"{len(left)} rows instead of {len(right)}"
    for number, (mine, other) in enumerate(zip(left, right, strict=True)):
        assert _near(mine, other), f"row {number}:\nours   {mine}\nDuckDB {other}"


def _unmatched(
    left: list[tuple[Any, ...]], right: list[tuple[Any, ...]]
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Rows that are in one only: what is equal goes first, the rest is matched nearly, among rows
    that are equal but for their floats."""
    counts, others = Counter(left), Counter(right)
    rest_left, rest_right = list((counts - others).elements()), list((others - counts).elements())
    waiting: dict[Any, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rest_right:
        waiting[_exact_part(row)].append(row)
    missing = []
    for row in rest_left:
        candidates = waiting[_exact_part(row)]
        match = next((other for other in candidates if _near(row, other)), None)
        if match is None:
            missing.append(row)
        else:
            candidates.remove(match)
    return missing, [row for rows in waiting.values() for row in rows]


def _exact_part(value: Any) -> Any:
    if isinstance(value, float):
        return None
    return tuple(map(_exact_part, value)) if isinstance(value, tuple) else value


def _near(mine: Any, other: Any) -> bool:
    if isinstance(mine, tuple) and isinstance(other, tuple):
        return len(mine) == len(other) and all(map(_near, mine, other))
    if isinstance(mine, float) and isinstance(other, float):
        return math.isclose(mine, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(mine == other)


def _shown(left: list[tuple[Any, ...]], right: list[tuple[Any, ...]]) -> str:
    lines = []
    for whose, rows in (("ours", left), ("DuckDB", right)):
        if rows:
            lines.append(f"only in {whose}, {len(rows)} rows:")
            lines += [f"  {row}" for row in sorted(rows, key=repr)[:SHOWN]]
    return "\n".join(lines)


# ── types ───────────────────────────────────────────────────────────────────────────────────


def _alike(mine: pa.DataType, other: pa.DataType) -> bool:
    if kinds.is_null(mine) or kinds.is_null(other):
        return True
    if kinds.is_dictionary(mine):
        mine = mine.value_type
    if kinds.is_struct(mine) and kinds.is_struct(other):
        return [field.name for field in mine] == [field.name for field in other] and all(
            _alike(field.type, pair.type) for field, pair in zip(mine, other, strict=True)
        )
    if kinds.is_map(mine) and kinds.is_map(other):
        pairs = ((mine.key_type, other.key_type), (mine.item_type, other.item_type))
        return all(_alike(one, two) for one, two in pairs)
    if _is_list(mine) and _is_list(other):
        return _alike(mine.value_type, other.value_type)
    families = {family(mine), family(other)}
    return len(families) == 1 or (FRACTIONLESS in families and families <= EXACT)


def _is_list(kind: pa.DataType) -> bool:
    return kinds.is_list(kind) or kinds.is_large_list(kind) or kinds.is_fixed_size_list(kind)


def family(kind: pa.DataType) -> str:
    """``whole``, ``decimal``, ``float``, ``text`` … of a type that isn't nested."""
    if kinds.is_integer(kind):
        return "whole"
    if kinds.is_decimal(kind) and kind.scale == 0:
        return FRACTIONLESS
    if kinds.is_timestamp(kind):
        return "zoned timestamp" if kind.tz else "timestamp"
    tests = {
        "decimal": kinds.is_decimal,
        "float": kinds.is_floating,
        "text": lambda each: kinds.is_string(each) or kinds.is_large_string(each),
        "boolean": kinds.is_boolean,
        "date": kinds.is_date,
        "time": kinds.is_time,
        "bytes": lambda each: kinds.is_binary(each) or kinds.is_large_binary(each),
        "interval": lambda each: kinds.is_interval(each) or kinds.is_duration(each),
    }
    return next((name for name, test in tests.items() if test(kind)), str(kind))
