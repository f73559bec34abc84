"""Functions of lists of numbers."""

from __future__ import annotations

import pyarrow as pa

from ferris_beam.sql.functions import typed_calls
from ferris_beam.sql.functions.define import category, over
from ferris_beam.sql.functions.vectorised import lists as run

_list = category("lists")

FUNCTIONS = (
    _list(
        "array_avg(list)",
        "The mean of the items.",
        ("array_avg([1, 2])", "1.5"),
        aliases=("list_avg",),
    ),
    _list(
        "array_distance(list, other)",
        "The Euclidean distance of two lists of numbers.",
        ("array_distance([1, 2], [1, 4])", "2.0"),
        aliases=("list_distance",),
    ),
    _list(
        "array_max(list)",
        "The greatest item.",
        ("array_max([1, 2])", "2"),
        aliases=("list_max",),
    ),
    _list("array_min(list)", "The least item.", ("array_min([1, 2])", "1"), aliases=("list_min",)),
    _list(
        "array_normalize(list)",
        "Numbers divided by the list's length as a vector.",
        ("array_normalize([3, 4])", "[0.6, 0.8]"),
        aliases=("list_normalize",),
    ),
    _list(
        "array_product(list)",
        "The product of the numbers, a DOUBLE.",
        ("array_product([2, 3])", "6.0"),
        aliases=("list_product",),
    ),
    _list(
        "array_scale(list, factor)",
        "Each number times the factor.",
        ("array_scale([1, 2], 2)", "[2.0, 4.0]"),
        aliases=("list_scale",),
    ),
    _list(
        "array_add(list, other)",
        "The sums of numbers at the same index.",
        ("array_add([1, 2], [3, 4])", "[4.0, 6.0]"),
        aliases=("list_add",),
    ),
    _list(
        "array_subtract(list, other)",
        "The differences of numbers at the same index.",
        ("array_subtract([3, 4], [1, 1])", "[2.0, 3.0]"),
        aliases=("list_subtract",),
    ),
    _list(
        "array_sum(list)",
        "The sum of the numbers: of integers a BIGINT, of decimals exact; NULL if there are none.",
        ("array_sum([1, 2, NULL])", "3"),
        ("array_sum([0.1, 0.2])", "0.3"),
        by_type=typed_calls.array_sum,
        aliases=("list_sum",),
    ),
    _list(
        "array_sum_integers(list)",
        "The sum of integers.",
        ours=over(run.sum_of_integers, run.INTEGERS, pa.int64()),
        internal=True,
    ),
    _list(
        "array_sum_decimals(list)",
        "The sum of decimals, as texts.",
        ours=over(run.sum_of_decimals, run.TEXTS, pa.string()),
        internal=True,
    ),
    _list(
        "cosine_distance(list, other)",
        "1 - the cosine of the angle between two lists of numbers.",
        ("cosine_distance([1, 0], [0, 1])", "1.0"),
        aliases=("list_cosine_distance", "array_cosine_distance"),
    ),
    _list(
        "generate_series(first, last[, step])",
        "Numbers, or dates, from the first to the last, the last included.",
        ("generate_series(1, 5, 2)", "[1, 3, 5]"),
    ),
    _list(
        "inner_product(list, other)",
        "The sum of the products of numbers at the same index.",
        ("inner_product([1, 2], [3, 4])", "11.0"),
        aliases=("dot_product", "list_inner_product", "list_dot_product"),
    ),
    _list(
        "range([first, ]last[, step])",
        "Numbers from the first (0) on, the last left out.",
        ("range(3)", "[0, 1, 2]"),
    ),
)
