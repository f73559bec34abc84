"""All functions, category after category."""

from __future__ import annotations

from ferris_beam.sql.functions.catalog import (
    aggregates,
    conditional,
    hashing,
    json_functions,
    list_numbers,
    lists,
    maps,
    numbers,
    regular_expressions,
    text,
    time_parts,
    time_texts,
    times,
    urls,
    windows,
)
from ferris_beam.sql.functions.definition import Function

FUNCTIONS: tuple[Function, ...] = (
    *conditional.FUNCTIONS,
    *text.FUNCTIONS,
    *regular_expressions.FUNCTIONS,
    *numbers.FUNCTIONS,
    *time_parts.FUNCTIONS,
    *times.FUNCTIONS,
    *time_texts.FUNCTIONS,
    *lists.FUNCTIONS,
    *list_numbers.FUNCTIONS,
    *maps.FUNCTIONS,
    *json_functions.FUNCTIONS,
    *urls.FUNCTIONS,
    *hashing.FUNCTIONS,
    *aggregates.FUNCTIONS,
    *windows.FUNCTIONS,
)
