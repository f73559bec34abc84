"""Functions of a window: with OVER. Aggregates may stand there, too."""

from __future__ import annotations

from ferris_beam.sql.functions.define import category

_window = category("windows", kind="window")

_X = "FROM (VALUES (10), (10), (30), (40)) AS t(x) ORDER BY x DESC LIMIT 1"

FUNCTIONS = (
    _window(
        "row_number()",
        "The row's number in its partition, from 1.",
        (f"row_number() OVER (ORDER BY x) {_X}", "4"),
    ),
    _window(
        "rank()",
        "The row's rank; equal rows have the same, and the next rank is left out.",
        (f"rank() OVER (ORDER BY x) {_X}", "4"),
    ),
    _window(
        "dense_rank()",
        "The row's rank without gaps.",
        (f"dense_rank() OVER (ORDER BY x) {_X}", "3"),
    ),
    _window(
        "percent_rank()",
        "(rank - 1) / (rows - 1).",
        (f"percent_rank() OVER (ORDER BY x) {_X}", "1.0"),
    ),
    _window(
        "cume_dist()",
        "The share of rows that are before this one or equal.",
        (f"cume_dist() OVER (ORDER BY x) {_X}", "1.0"),
    ),
    _window(
        "ntile(count)",
        "In which of `count` parts of equal size the row is, from 1.",
        (f"ntile(2) OVER (ORDER BY x) {_X}", "2"),
    ),
    _window(
        "lag(value[, offset[, default]])",
        "The value so many rows (1) before.",
        (f"lag(x) OVER (ORDER BY x) {_X}", "30"),
    ),
    _window(
        "lead(value[, offset[, default]])",
        "The value so many rows (1) behind.",
        (f"lead(x, 1, 0) OVER (ORDER BY x) {_X}", "0"),
    ),
)
