"""Functions of lists. An index counts from 1; a negative one from the end."""

from __future__ import annotations

from sqlglot import exp

from ferris_beam.sql.functions import typed_calls
from ferris_beam.sql.functions.define import Render, category, engine

_list = category("lists")


def _as_integer(name: str) -> Render:
    """The engine counts in unsigned integers, which fit no other integer type."""
    return lambda *given: exp.cast(engine(name, *given), "bigint")


def _reverse_sort(items: exp.Expression) -> exp.Expression:
    return engine("array_sort", items, "DESC", "NULLS LAST")


def _sort(
    items: exp.Expression,
    direction: exp.Expression | str = "ASC",
    nulls: exp.Expression | None = None,
) -> exp.Expression:
    """NULLs last where ascending, first where descending, as ORDER BY has it."""
    if nulls is None:
        descending = isinstance(direction, exp.Literal) and direction.name.upper() == "DESC"
        return engine("array_sort", items, direction, "NULLS FIRST" if descending else "NULLS LAST")
    return engine("array_sort", items, direction, nulls)


def _unique(items: exp.Expression) -> exp.Expression:
    return exp.cast(
        engine("array_length", engine("array_distinct", engine("array_compact", items))), "bigint"
    )


def _count(items: exp.Expression) -> exp.Expression:
    return exp.cast(engine("array_length", engine("array_compact", items)), "bigint")


FUNCTIONS = (
    _list(
        "array_any_value(list)",
        "The first item that isn't NULL.",
        ("array_any_value([NULL, 1])", "1"),
        aliases=("list_any_value",),
    ),
    _list(
        "array_append(list, item)",
        "The list with one more item at its end.",
        ("array_append([1], 2)", "[1, 2]"),
        aliases=("list_append", "array_push_back", "list_push_back"),
    ),
    _list(
        "array_compact(list)",
        "The items that aren't NULL.",
        ("array_compact([1, NULL])", "[1]"),
        aliases=("list_compact",),
    ),
    _list(
        "array_concat(list, ...)",
        "The items of all lists.",
        ("array_concat([1], [2, 3])", "[1, 2, 3]"),
        aliases=("array_cat", "list_cat", "list_concat"),
    ),
    _list(
        "array_contains(list, item)",
        "Whether the item is in the list.",
        ("array_contains([1, 2], 2)", "true"),
        engine="array_has",
        aliases=("list_contains", "array_has", "list_has"),
    ),
    _list(
        "list_count(list)",
        "How many items aren't NULL.",
        ("list_count([1, NULL])", "1"),
        render=_count,
    ),
    _list(
        "array_dims(list)",
        "How many items there are on each level.",
        ("array_dims([[1], [2]])", "[2, 1]"),
        aliases=("list_dims",),
    ),
    _list(
        "array_distinct(list)",
        "Each item once.",
        ("array_distinct([2, 1, 2])", "[2, 1]"),
        aliases=("list_distinct",),
    ),
    _list(
        "array_element(list, index)",
        "The item at an index, also written list[index]; NULL beyond the ends.",
        ("array_element([1, 2], -1)", "2"),
        ("([1, 2])[1]", "1"),
        aliases=("array_extract", "list_element", "list_extract"),
    ),
    _list(
        "array_except(list, other)",
        "The items that aren't in the other list.",
        ("array_except([1, 2], [2, 3])", "[1]"),
        aliases=("list_except",),
    ),
    _list(
        "array_filter(list, condition)",
        "The items for which it is true.",
        ("array_filter([1, 2, 3], x -> x > 1)", "[2, 3]"),
        aliases=("list_filter",),
    ),
    _list(
        "array_first(list, condition)",
        "The first item for which it is true.",
        ("array_first([1, 2, 3], x -> x > 1)", "2"),
        aliases=("list_first",),
    ),
    _list(
        "array_has_all(list, others)",
        "Whether all the others are in the list.",
        ("array_has_all([1, 2], [2])", "true"),
        aliases=("list_has_all",),
    ),
    _list(
        "array_has_any(list, others)",
        "Whether one of the others is in the list.",
        ("array_has_any([1, 2], [2, 3])", "true"),
        aliases=("list_has_any", "arrays_overlap"),
    ),
    _list(
        "array_intersect(list, other)",
        "The items that are in both lists.",
        ("array_intersect([1, 2], [2, 3])", "[2]"),
        aliases=("list_intersect",),
    ),
    _list(
        "array_length(list[, level])",
        "How many items there are.",
        ("array_length([1, 2])", "2"),
        render=_as_integer("array_length"),
        aliases=("list_length",),
    ),
    _list(
        "array_ndims(list)",
        "How many levels there are.",
        ("array_ndims([[1], [2]])", "2"),
        render=_as_integer("array_ndims"),
        aliases=("list_ndims",),
    ),
    _list(
        "array_pop_back(list)",
        "The list without its last item.",
        ("array_pop_back([1, 2])", "[1]"),
        aliases=("list_pop_back",),
    ),
    _list(
        "array_pop_front(list)",
        "The list without its first item.",
        ("array_pop_front([1, 2])", "[2]"),
        aliases=("list_pop_front",),
    ),
    _list(
        "array_position(list, item[, start])",
        "The index of the item's first occurrence; NULL if there is none.",
        ("array_position(['a', 'b'], 'b')", "2"),
        render=_as_integer("array_position"),
        aliases=("list_position", "array_indexof", "list_indexof"),
    ),
    _list(
        "array_positions(list, item)",
        "The indexes of all its occurrences.",
        ("array_positions([1, 2, 1], 1)", "[1, 3]"),
        aliases=("list_positions",),
    ),
    _list(
        "array_prepend(item, list)",
        "The list with one more item at its front.",
        ("array_prepend(1, [2])", "[1, 2]"),
        aliases=("list_prepend", "array_push_front", "list_push_front"),
    ),
    _list(
        "array_remove(list, item)",
        "The list without the item's first occurrence.",
        ("array_remove([1, 2, 1], 1)", "[2, 1]"),
        aliases=("list_remove",),
    ),
    _list(
        "array_remove_all(list, item)",
        "The list without the item.",
        ("array_remove_all([1, 2, 1], 1)", "[2]"),
        aliases=("list_remove_all",),
    ),
    _list(
        "array_remove_n(list, item, count)",
        "The list without the item's first occurrences.",
        ("array_remove_n([1, 1, 1], 1, 2)", "[1]"),
        aliases=("list_remove_n",),
    ),
    _list(
        "array_repeat(item, count)",
        "A list of the same item.",
        ("array_repeat('a', 2)", "[a, a]"),
        aliases=("list_repeat",),
    ),
    _list(
        "array_replace(list, item, replacement)",
        "The list with the item's first occurrence replaced.",
        ("array_replace([1, 2, 1], 1, 9)", "[9, 2, 1]"),
        aliases=("list_replace",),
    ),
    _list(
        "array_replace_all(list, item, replacement)",
        "The list with the item replaced.",
        ("array_replace_all([1, 2, 1], 1, 9)", "[9, 2, 9]"),
        aliases=("list_replace_all",),
    ),
    _list(
        "array_replace_n(list, item, replacement, count)",
        "The list with the item's first occurrences replaced.",
        ("array_replace_n([1, 1, 1], 1, 9, 2)", "[9, 9, 1]"),
        aliases=("list_replace_n",),
    ),
    _list(
        "array_resize(list, length[, fill])",
        "The list, cut or filled at its end.",
        ("array_resize([1], 3, 0)", "[1, 0, 0]"),
        aliases=("list_resize",),
    ),
    _list(
        "array_reverse(list)",
        "The items from back to front.",
        ("array_reverse([1, 2])", "[2, 1]"),
        aliases=("list_reverse",),
    ),
    _list(
        "array_reverse_sort(list)",
        "The items from the greatest to the least, NULLs last.",
        ("array_reverse_sort([1, NULL, 3])", "[3, 1, NULL]"),
        render=_reverse_sort,
        aliases=("list_reverse_sort",),
    ),
    _list(
        "array_slice(list, first, last[, step])",
        "The items from the index first to the index last, also written list[first:last].",
        ("array_slice([1, 2, 3, 4], 2, 3)", "[2, 3]"),
        ("([1, 2, 3, 4])[2:3]", "[2, 3]"),
        aliases=("list_slice",),
    ),
    _list(
        "array_sort(list[, direction[, nulls]])",
        "The items in order: 'ASC' (NULLs last) or 'DESC' (NULLs first); 'NULLS FIRST' or "
        "'NULLS LAST'.",
        ("array_sort([3, NULL, 1])", "[1, 3, NULL]"),
        ("array_sort([3, 1], 'DESC')", "[3, 1]"),
        render=_sort,
        aliases=("list_sort",),
    ),
    _list(
        "len(value)",
        "How many characters a text has, or items a list or a map.",
        ("len([1, 2])", "2"),
        ("len('hé')", "2"),
        by_type=typed_calls.length,
    ),
    _list(
        "array_to_string(list, separator[, null_text])",
        "All items as text with the separator between them; NULLs are left out or null_text.",
        ("array_to_string([1, NULL, 2], ',')", "1,2"),
        aliases=("array_join", "list_join", "list_to_string"),
    ),
    _list(
        "array_transform(list, function)",
        "The function's value for each item.",
        ("array_transform([1, 2], x -> x * 10)", "[10, 20]"),
        aliases=("list_transform", "apply", "list_apply", "array_apply"),
    ),
    _list(
        "array_any_match(list, condition)",
        "Whether it is true for an item.",
        ("array_any_match([1, 2], x -> x > 1)", "true"),
        aliases=("list_any_match", "any_match"),
    ),
    _list(
        "array_union(list, other)",
        "The items of both lists, each once.",
        ("array_union([1, 2], [2, 3])", "[1, 2, 3]"),
        aliases=("list_union",),
    ),
    _list(
        "array_unique(list)",
        "How many different items there are, NULL aside.",
        ("array_unique([1, 1, 2, NULL])", "2"),
        render=_unique,
        aliases=("list_unique",),
    ),
    _list(
        "arrays_zip(list, ...)",
        "Structs of the items at the same index.",
        ("array_length(arrays_zip([1, 2], ['a', 'b']))", "2"),
        aliases=("list_zip",),
    ),
    _list(
        "cardinality(list)",
        "How many items a list or a map has, those of inner lists counted.",
        ("cardinality([1, 2])", "2"),
        render=_as_integer("cardinality"),
    ),
    _list(
        "empty(list)",
        "Whether there are no items.",
        ("empty([1])", "false"),
        aliases=("array_empty", "list_empty"),
    ),
    _list("flatten(list)", "The items of inner lists.", ("flatten([[1], [2]])", "[1, 2]")),
    _list(
        "make_array(item, ...)",
        "A list of these items, also written [item, …].",
        ("make_array(1, 2)", "[1, 2]"),
        aliases=("list_value", "make_list", "list_pack"),
    ),
)
