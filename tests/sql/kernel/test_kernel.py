"""Running fragments: layouts of batches, threads, memory, seeds."""

from __future__ import annotations

import datetime
import pickle
import re
import threading
import uuid
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.errors import BadRecordError, FatalError, SchemaError
from ferris_beam.sql.kernel import Fragment, Kernel, is_deterministic, types_of
from ferris_beam.sql.syntax import parse
from ferris_beam.sql.text import SqlText
from tests.sql.kernel.evaluating import column, computed, planned

SCHEMA = pa.schema([("a", pa.int64()), ("s", pa.string()), ("d", pa.decimal128(10, 2))])
QUERY = "SELECT a + 1 AS b, upper(s) AS u, d * 2 AS e FROM input_0 WHERE a > 0"


def table(rows: int) -> pa.RecordBatch:
    numbers = np.arange(rows) - 2
    return pa.record_batch(
        [
            pa.array(numbers),
            pa.array([None if number % 5 == 0 else f"t{number % 3}" for number in numbers]),
            pa.array(numbers).cast(pa.decimal128(19, 0)).cast(pa.decimal128(10, 2)),
        ],
        schema=SCHEMA,
    )


def test_one_batch_of_exactly_the_schema() -> None:
    fragment = planned(QUERY, SCHEMA)
    assert fragment.schema == pa.schema(
        [("b", pa.int64()), ("u", pa.string()), ("e", pa.decimal128(12, 2))]
    )
    kernel = Kernel(fragment)
    for batches in ([table(10)], [table(10), table(0), table(7)], [table(0)], []):
        result = kernel.run(batches)
        assert result.schema == fragment.schema
        assert result.num_rows == sum(max(0, batch.num_rows - 3) for batch in batches)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1 AS one FROM input_0",
        "SELECT count(*) AS n FROM input_0",
        "SELECT a FROM input_0 ORDER BY a DESC LIMIT 2",
        "SELECT s, sum(a) AS total FROM input_0 GROUP BY s",
        "SELECT a, row_number() OVER (PARTITION BY s ORDER BY a) AS n FROM input_0",
        "SELECT DISTINCT s FROM input_0",
        "SELECT a FROM input_0 UNION ALL SELECT -a FROM input_0",
        "SELECT x.a FROM input_0 AS x JOIN input_0 AS y ON x.a = y.a",
    ],
)
def test_running_twice_gives_the_same(query: str) -> None:
    """Plans with a state (a join's table, a sort's rows) are not run a second time."""
    kernel = Kernel(planned(query, SCHEMA))
    first = kernel.run([table(9)])
    assert kernel.run([table(4)]).num_rows <= first.num_rows
    assert sorted(map(str, kernel.run([table(9)]).to_pylist())) == sorted(
        map(str, first.to_pylist())
    )


def test_an_input_of_which_no_column_is_read_keeps_its_rows() -> None:
    kernel = Kernel(planned("SELECT 7 AS seven FROM input_0", SCHEMA))
    assert kernel.run([table(5)]).to_pydict() == {"seven": [7] * 5}
    assert kernel.run([table(0)]).num_rows == 0
    empty = pa.schema([])
    nothing = pa.RecordBatch.from_struct_array(pa.array([{}, {}], pa.struct([])))
    assert Kernel(planned("SELECT 7 AS seven FROM input_0", empty)).run([nothing]).num_rows == 2


def test_only_columns_that_are_read_are_looked_at() -> None:
    wide = pa.schema([(f"c{number}", pa.int64()) for number in range(2000)])
    fragment = planned("SELECT c7 + c1999 AS x FROM input_0 WHERE c3 > 0", wide)
    assert [schema.names for schema in fragment.inputs] == [["c3", "c7", "c1999"]]
    assert len(pickle.dumps(fragment)) < 2000
    row = pa.RecordBatch.from_arrays([pa.array([number]) for number in range(2000)], schema=wide)
    assert Kernel(fragment).run([row]).to_pydict() == {"x": [2006]}


LAYOUTS = (
    lambda array: array,
    lambda array: array.dictionary_encode(),
    lambda array: array.cast(pa.large_string()) if pa.types.is_string(array.type) else array,
    lambda array: array.cast(pa.string_view()) if pa.types.is_string(array.type) else array,
    lambda array: pa.concat_arrays([array, array]).slice(len(array)),
)


@given(st.lists(st.sampled_from(LAYOUTS), min_size=3, max_size=3))
def test_results_do_not_depend_on_how_columns_are_stored(layouts: Sequence) -> None:  # type: ignore[type-arg]
    plain = table(11)
    stored = pa.RecordBatch.from_arrays(
        [layout(array) for layout, array in zip(layouts, plain.columns, strict=True)],
        names=plain.schema.names,
    )
    expected = Kernel(planned(QUERY, SCHEMA)).run([plain])
    assert Kernel(planned(QUERY, SCHEMA)).run([stored]).equals(expected)
    assert computed(QUERY, stored).equals(expected)


def test_a_column_of_nulls_and_columns_in_another_order() -> None:
    kernel = Kernel(planned(QUERY, SCHEMA))
    given = pa.record_batch({"x": [1, 2], "d": pa.nulls(2), "s": pa.nulls(2), "a": [1, 2]})
    assert kernel.run([given]).to_pydict() == {"b": [2, 3], "u": [None] * 2, "e": [None] * 2}


def test_a_missing_column_is_named() -> None:
    kernel = Kernel(planned(QUERY, SCHEMA))
    with pytest.raises(SchemaError, match=r"'d' is missing.*there are: a, s"):
        kernel.run([table(3).select(["a", "s"])])


def test_a_value_that_does_not_fit_the_planned_type_is_a_row_fault() -> None:
    kernel = Kernel(planned(QUERY, SCHEMA))
    given = table(3).set_column(0, "a", pa.array(["1", "x", "3"]))
    with pytest.raises(BadRecordError, match="a: 'x' is not an int64"):
        kernel.run([given])


def test_a_fragment_is_a_small_value() -> None:
    first, second = planned(QUERY, SCHEMA), planned(QUERY, SCHEMA)
    assert first == second
    assert hash(first) == hash(second)
    assert first != planned(QUERY.replace("1", "2"), SCHEMA)
    restored = pickle.loads(pickle.dumps(first))
    assert restored == first
    assert isinstance(restored, Fragment)


def test_a_kernel_is_pickled_without_its_plans() -> None:
    kernel = Kernel(planned(QUERY, SCHEMA), 10**8, name="Sort", option="x")
    expected = kernel.run([table(9)])
    restored = pickle.loads(pickle.dumps(kernel))
    assert restored.run([table(9)]).equals(expected)
    assert (restored.limits, restored.name, restored.option) == (kernel.limits, "Sort", "x")


def test_threads_share_a_kernel() -> None:
    kernel = Kernel(planned("SELECT a * 2 AS b FROM input_0", SCHEMA))
    failures: list[str] = []

    def work(start: int) -> None:
        for number in range(start, start + 100):
            result = kernel.run([table(number)])
            if result.column(0).to_pylist() != [2 * (row - 2) for row in range(number)]:
                failures.append(f"{number}")

    threads = [threading.Thread(target=work, args=(start,)) for start in (1, 150, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_many_rows_stay_in_order() -> None:
    rows = pa.record_batch({"a": np.arange(300_000)})
    result = computed("SELECT a + 1 AS b FROM input_0 WHERE a % 3 = 0", rows)
    assert np.array_equal(result.column(0).to_numpy(), np.arange(1, 300_001, 3))


# ── memory ──────────────────────────────────────────────────────────────────────────────────────


def test_a_sort_beyond_the_limit_spills(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    rows = [
        pa.record_batch({"a": random.integers(0, 10**9, 50_000), "s": ["x" * 20] * 50_000})
        for _ in range(20)
    ]
    fragment = planned("SELECT a, s FROM input_0 ORDER BY a", rows[0].schema)
    kernel = Kernel(fragment, 40_000_000, spill_folder=str(tmp_path))
    found = kernel.run(rows).column(0).to_numpy()
    assert np.array_equal(found, np.sort(np.concatenate([batch["a"] for batch in rows])))


def test_what_cannot_be_spilled_names_the_node_and_the_option() -> None:
    rows = pa.record_batch({"a": np.arange(200_000)})
    fragment = planned(
        "SELECT count(*) AS n FROM input_0 AS x JOIN input_0 AS y ON x.a = y.a", rows.schema
    )
    kernel = Kernel(fragment, 100_000, name="Join on a", option="join_memory")
    with pytest.raises(FatalError, match=r"memory limit of Join on a .*raise join_memory"):
        kernel.run([rows])


# ── values that change ──────────────────────────────────────────────────────────────────────────

SEED = "2026-11-24T03:00:00Z orders file:///a[0,1)"


def test_the_same_seed_gives_the_same_values() -> None:
    query = "SELECT random() AS r, uuid() AS u, random() AS other, now() AS n FROM input_0"
    first, again = (computed(query, table(100), seed=SEED) for _ in range(2))
    assert first.equals(again)
    later = computed(query, table(100), seed=SEED.replace("T03", "T04"))
    assert [first.column(at) == later.column(at) for at in range(4)] == [True, True, True, False]
    different = computed(query, table(100), seed=f"{SEED} another")
    for name in ("r", "u", "other"):
        assert not first[name].equals(different[name])
        assert len(set(first[name].to_pylist())) == 100
    assert not first["r"].equals(first["other"])
    assert all(0 <= value < 1 for value in first["r"].to_pylist())


def test_values_that_change_have_a_type_wherever_they_stand() -> None:
    texts = ("length(uuid())", "upper(uuid())", "random() < 2", "CAST(now() AS DATE)")
    (statement,) = parse(SqlText(f"SELECT {', '.join(texts)}"))
    found = types_of(statement.query.expressions, pa.schema([]))  # type: ignore[union-attr]
    assert found == [pa.int32(), pa.string(), pa.bool_(), pa.date32()]


def test_times_are_the_runs_start() -> None:
    query = "SELECT now() AS n, current_timestamp AS c, current_date AS d FROM input_0"
    start = datetime.datetime(2026, 11, 24, 3, tzinfo=datetime.timezone.utc)
    assert computed(query, table(1), seed=SEED).to_pylist() == [
        {"n": start, "c": start, "d": start.date()}
    ]
    kernel = Kernel(planned(query, SCHEMA))
    for hour in (4, 5, 4):
        (row,) = kernel.run([table(1)], seed=f"2026-11-24T0{hour}:00:00Z x").to_pylist()
        assert row["n"] == start.replace(hour=hour)


def test_identifiers_are_version_4() -> None:
    found = computed("SELECT gen_random_uuid() AS u FROM input_0", table(50), seed=SEED)
    for text in found.column(0).to_pylist():
        parsed = uuid.UUID(text)
        assert (parsed.version, parsed.variant) == (4, uuid.RFC_4122)
        assert re.fullmatch("[0-9a-f-]{36}", text)


def test_random_values_follow_their_row_through_inner_queries() -> None:
    inner = "SELECT a, random() AS r FROM input_0"
    plain = computed(inner, table(20), seed=SEED).to_pylist()
    kept = computed(f"SELECT * FROM ({inner}) AS t WHERE a > 3", table(20), seed=SEED).to_pylist()
    assert kept == [row for row in plain if row["a"] > 3]
    outer = computed(
        "SELECT a, random() AS r FROM (SELECT a FROM input_0 WHERE a > 3) AS t",
        table(20),
        seed=SEED,
    )
    assert outer.to_pylist() == kept
    filtered = computed("SELECT a FROM input_0 WHERE random() < 0.5", table(1000), seed=SEED)
    assert 400 < filtered.num_rows < 600


def test_random_values_are_uniform() -> None:
    found = computed("SELECT random() AS r FROM input_0", table(100_000), seed=SEED)
    counts, _ = np.histogram(found.column(0).to_numpy(), bins=10, range=(0, 1))
    assert counts.min() > 9_500
    assert counts.max() < 10_500


@pytest.mark.parametrize(
    ("expression", "expected"),
    [("a", True), ("now()", False), ("random() + a", False), ("uuid()", False), ("upper(s)", True)],
)
def test_what_decides_the_result(expression: str, expected: bool) -> None:
    fragment = planned(f"SELECT {expression} AS x FROM input_0", SCHEMA)
    assert is_deterministic(fragment) is expected


def test_integers_beyond_a_type_are_found_wherever_they_are() -> None:
    numbers = np.arange(100_000)
    numbers[77_777] = 2**63 - 1
    with pytest.raises(BadRecordError, match="does not fit BIGINT"):
        computed("SELECT a + 1 AS b FROM input_0", column(numbers, pa.int64()))
