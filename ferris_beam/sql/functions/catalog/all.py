"""All functions, category after category."""

from __future__ import annotations

from ferris_beam.sql.functions.catalog import (
    aggregates,
    conditional,
    hashing,
    json_functions,
    lists,
    maps,
    numbers,
    regular_expressions,
    text,
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
    *times.FUNCTIONS,
    *lists.FUNCTIONS,
    *maps.FUNCTIONS,
    *json_functions.FUNCTIONS,
    *urls.FUNCTIONS,
    *hashing.FUNCTIONS,
    *aggregates.FUNCTIONS,
    *windows.FUNCTIONS,
)
