"""UNNEST, held against a loop over rows."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.sql.execution import unnest
from ferris_beam.sql.execution.unnest import Explode

LISTS = st.none() | st.lists(st.none() | st.integers(0, 9), max_size=5)


def expected(rows: list[Any], outer: bool, position: bool) -> list[dict[str, Any]]:
    found = []
    for number, items in enumerate(rows):
        listed: list[tuple[Any, Any]] = list(enumerate(items or [], 1))
        if not listed and outer:
            listed = [(None, None)]
        for place, item in listed:
            row = {"n": number, "item": item}
            found.append({**row, "place": place} if position else row)
    return found


@given(st.lists(LISTS, max_size=12), st.booleans(), st.booleans(), st.integers(1, 4))
def test_every_item_once(rows: list[Any], outer: bool, position: bool, most_rows: int) -> None:
    schema = {"n": pa.int64(), "item": pa.int32(), **({"place": pa.int64()} if position else {})}
    step = Explode(pa.schema(schema), outer, position)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unnest, "MOST_ROWS", most_rows)
        for offset in (0, 2):
            padded = [[7]] * offset + rows
            batch = pa.record_batch(
                [list(range(-offset, len(rows))), pa.array(padded, pa.list_(pa.int32()))],
                ["n", "items"],
            )
            parts = list(step.results(batch.slice(offset), ""))
            assert parts
            assert all(part.schema == step.schema for part in parts)
            found = [row for part in parts for row in part.to_pylist()]
            assert found == expected(rows, outer, position)
