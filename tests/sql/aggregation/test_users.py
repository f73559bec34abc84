"""Aggregate functions of the user's own."""

from __future__ import annotations

import math
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from ferris_beam.errors import BadRecordError, FatalError
from ferris_beam.sql.aggregation import plan_aggregate
from ferris_beam.sql.functions import function, using
from tests.sql.aggregation.stages import aggregate, cut, run

_FLOAT = pa.float64()


@function(kind="aggregate", returns=_FLOAT, arguments=[_FLOAT])
def spread(values: Any) -> Any:
    return pc.max(values).as_py() - pc.min(values).as_py()


@function(kind="aggregate", returns=pa.string(), arguments=[pa.string(), pa.int64()])
def told(names: Any, counts: Any) -> Any:
    return " ".join(f"{n}{c}" for n, c in zip(names.to_pylist(), counts.to_pylist(), strict=True))


@function(kind="aggregate", returns=_FLOAT, arguments=[_FLOAT])
class geometric_mean:
    state_type = pa.struct({"logs": _FLOAT, "rows": pa.int64()})

    def state(values: Any) -> Any:
        if pc.min(values).as_py() <= 0:
            raise ValueError("a value is not positive")
        return {"logs": pc.sum(pc.ln(values)).as_py(), "rows": len(values)}

    def merge(states: Any) -> Any:
        logs, rows = states.flatten()
        return {"logs": pc.sum(logs).as_py(), "rows": pc.sum(rows).as_py()}

    def finish(state: Any) -> Any:
        return math.exp(state["logs"].as_py() / state["rows"].as_py())


_ROWS = pa.record_batch(
    {"k": ["a", "b", "a", "b", "a"], "v": [1.0, 5.0, 4.0, 5.0, 16.0], "n": [3, 1, 2, 2, 1]}
)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("spread(v)", {"a": 15.0, "b": 0.0}),
        ("spread(n)", {"a": 2.0, "b": 1.0}),
        ("spread(v) FILTER (WHERE n > 1)", {"a": 3.0, "b": 0.0}),
        ("geometric_mean(v)", {"a": 4.0, "b": 5.0}),
        ("geometric_mean(v) FILTER (WHERE k = 'a')", {"a": 4.0, "b": None}),
        ("told(k, n)", {"a": "a1 a2 a3", "b": "b1 b2"}),
        ("spread(DISTINCT v)", {"a": 15.0, "b": 0.0}),
    ],
)
def test_users_functions(call: str, expected: dict[str, Any]) -> None:
    with using([spread, geometric_mean, told]):
        node = aggregate(_ROWS.schema, [call], ["k"])
        plan = plan_aggregate(node)
    for seed in range(4):
        found = run(node, cut(_ROWS, seed), 1 + seed % 3, 1 + seed, plan).to_pylist()
        rows = {row["k"]: row["c0"] for row in found}
        assert rows.keys() == expected.keys()
        for key, value in expected.items():
            assert rows[key] == (pytest.approx(value) if isinstance(value, float) else value)


def test_what_they_raise_in_front_of_the_shuffle_rejects_rows_and_behind_it_ends_the_job() -> None:
    @function(kind="aggregate", returns=_FLOAT, arguments=[_FLOAT])
    def broken(values: Any) -> Any:
        raise RuntimeError("no idea")

    with using([geometric_mean, broken]):
        plan = plan_aggregate(aggregate(_ROWS.schema, ["geometric_mean(v - 4.0)"], ["k"]))
        node = aggregate(_ROWS.schema, ["broken(v)"], ["k"])
        other = plan_aggregate(node)
    plan.preparation.open()
    with pytest.raises(BadRecordError, match="geometric_mean has failed: ValueError"):
        plan.preparation.add(_ROWS, None)
    with pytest.raises(FatalError, match="broken has failed: RuntimeError: no idea"):
        run(node, [_ROWS], plan=other)
