"""Functions of the user's own: declaring, calling, pickling, failing."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import apache_beam as beam
import cloudpickle
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from apache_beam.testing.util import assert_that, equal_to
from hypothesis import given, settings
from hypothesis import strategies as st

import ferris_beam as fb
from ferris_beam.batches import Batch
from ferris_beam.errors import BadRecordError, FatalError, SqlError
from ferris_beam.sql.execution.transform import Sql
from ferris_beam.sql.functions import UserFunction, using
from ferris_beam.sql.functions.modules import functions_of
from tests.pseudo_terminal import python
from tests.sql.functions.running import select
from tests.sql.functions.written_elsewhere import quadratic_mean, shout, spread, tenth

ROWS = pa.record_batch({"k": ["a", "a", "b", "b"], "x": [1.0, 3.0, 5.0, None]})


def _rows(pipeline: beam.Pipeline, text: str, *functions: UserFunction) -> beam.PCollection:
    given_rows = pipeline | beam.Create([ROWS.slice(0, 3), ROWS.slice(3)])
    found = given_rows | Sql(text, functions=functions, schemas={"input": ROWS.schema})
    return found | beam.FlatMap(_tuples)


def _tuples(batch: Batch) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in batch.records.to_pylist()]


def test_scalar_functions_of_a_module_and_lambdas_in_a_pipeline() -> None:
    half = fb.function(
        lambda x: pc.divide(x, 2.0), name="half", returns="double", arguments=[float]
    )
    with beam.Pipeline() as pipeline:
        found = _rows(
            pipeline, "SELECT SHOUT(k), half(x) FROM input WHERE half(x) < 2", shout, half
        )
        assert_that(found, equal_to([("A!", 0.5), ("A!", 1.5)]))


def test_aggregate_functions_plain_and_mergeable_in_a_pipeline() -> None:
    text = "SELECT k, spread(x), quadratic_mean(x) FROM input GROUP BY k"
    with beam.Pipeline() as pipeline:
        found = _rows(pipeline, text, spread, quadratic_mean)
        assert_that(found, equal_to([("a", 2.0, 5.0**0.5), ("b", 0.0, 5.0)]))


def test_an_aggregate_function_over_a_window() -> None:
    text = "SELECT k, spread(x) OVER (PARTITION BY k) FROM input"
    with beam.Pipeline() as pipeline:
        found = _rows(pipeline, text, spread)
        assert_that(found, equal_to([("a", 2.0), ("a", 2.0), ("b", 0.0), ("b", 0.0)]))


@given(st.lists(st.lists(st.none() | st.integers(-9, 9), max_size=4), min_size=1, max_size=4))
@settings(deadline=None)
def test_states_that_are_merged_give_what_all_rows_give(parts: list[list[int | None]]) -> None:
    arrays = [pa.array(part, pa.float64()) for part in parts]
    states = pa.array(
        [quadratic_mean.state_of(each).as_py() for each in arrays], quadratic_mean.state_type
    )
    whole = quadratic_mean.reduce(pa.concat_arrays(arrays))
    merged = quadratic_mean.merged(pa.array(states, quadratic_mean.state_type))
    assert quadratic_mean.finished(merged) == whole


def test_types_are_told_by_annotations() -> None:
    assert (tenth.arguments, tenth.returns) == ((pa.int64(),), pa.float64())
    assert (spread.arguments, spread.returns) == ((pa.float64(),), pa.float64())
    with using([tenth]):
        assert select("tenth(n + 1)", n=pa.array([4, 9], pa.int32())).to_pylist() == [0.5, 1.0]


def test_functions_are_known_where_they_are_given_only() -> None:
    with pytest.raises(SqlError, match=r"there is no function shout"):
        select("shout('a')")
    with using([shout]), pytest.raises(SqlError, match=r"did you mean shout"):
        select("shoutt('a')")


@pytest.mark.parametrize("dumps", [pickle.dumps, cloudpickle.dumps])
def test_a_function_of_a_module_travels_by_reference(dumps: Any) -> None:
    for function in (shout, spread, quadratic_mean):
        dumped = dumps(function)
        assert len(dumped) < 250
        again = pickle.loads(dumped)
        assert (again, again.engine, type(again)) == (function, function.engine, type(function))


@pytest.mark.parametrize("dumps", [pickle.dumps, cloudpickle.dumps])
def test_a_function_without_a_module_travels_by_value(dumps: Any) -> None:
    offset = 3
    more = fb.function(lambda n: pc.add(n, offset), name="more", returns=int, arguments=[int])
    dumped = dumps(more)
    code = (
        "import pickle, sys, pyarrow as pa;"
        "f = pickle.loads(sys.stdin.buffer.read());"
        "assert f(pa.array([1])).to_pylist() == [4];"
        f"assert f.engine == {more.engine!r}"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=dumped, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


def test_two_functions_of_one_name_in_different_queries() -> None:
    one = fb.function(lambda n: n, name="f", returns=int, arguments=[int])
    two = fb.function(lambda n: pc.add(n, 1), name="f", returns=int, arguments=[int])
    for function, expected in ((one, 7), (two, 8)):
        with using([function]):
            assert select("f(n)", n=pa.array([7])).to_pylist() == [expected]
    with pytest.raises(SqlError, match="two functions are called f"), using([one, two]):
        pass


def test_what_is_no_function_of_ours_is_refused() -> None:
    given_functions: list[Any] = [len]
    with pytest.raises(SqlError, match=r"are made by @fb\.function"), using(given_functions):
        pass


def test_all_functions_of_a_module() -> None:
    found = functions_of("tests.sql.functions.written_elsewhere")
    assert {each.name for each in found} == {"shout", "tenth", "spread", "quadratic_mean"}
    with pytest.raises(SqlError, match="no module 'no_such_module'"):
        functions_of("no_such_module")
    with pytest.raises(SqlError, match="json has no functions"):
        functions_of("json")


def _fails_at_three(numbers: pa.Array) -> pa.Array:
    if pc.any(pc.equal(numbers, 3)).as_py():
        raise KeyError("three")
    return numbers


@pytest.mark.parametrize(
    ("run", "error", "message"),
    [
        (_fails_at_three, BadRecordError, "the function f has failed: KeyError: 'three'"),
        (lambda n: n.slice(1), FatalError, "was given 2 rows and has returned 1"),
        (lambda n: n.to_pylist(), FatalError, "must return a pyarrow.Array, not list"),
        (
            lambda n: pa.array([[1], [2]]),
            FatalError,
            "declared to return int64, and has returned list",
        ),
    ],
)
def test_a_function_that_fails_is_named(run: Any, error: type[Exception], message: str) -> None:
    function = fb.function(run, name="f", returns=int, arguments=[int])
    with using([function]), pytest.raises(error) as raised:
        select("f(n)", n=pa.array([2, 3]))
    assert message in str(raised.value)


def test_an_aggregate_that_returns_another_type_is_named() -> None:
    wrong = fb.function(
        lambda x: "text", kind="aggregate", name="wrong", returns=int, arguments=[int]
    )
    with pytest.raises(
        ValueError, match="the function wrong has returned 'text', which is no int64"
    ):
        wrong.reduce(pa.array([1]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "upper"}, "there is a function upper already"),
        ({"name": "LEN"}, "there is a function len already"),
        ({"name": "a b"}, "can't be the name of a function"),
        ({"returns": "nonsense"}, "there is no type 'nonsense'"),
        ({"arguments": []}, "declared with 0 arguments and takes 1"),
        ({"arguments": [int, int]}, "declared with 2 arguments and takes 1"),
        ({"arguments": None}, "doesn't tell the type of n"),
        ({"returns": None}, "doesn't tell the type of its result"),
    ],
)
def test_declarations_that_are_refused(arguments: dict[str, Any], message: str) -> None:
    declared = {"name": "f", "returns": int, "arguments": [int], **arguments}
    with pytest.raises(SqlError, match=message):
        fb.function(lambda n: n, **declared)


def test_a_class_that_lacks_a_part_is_refused() -> None:
    class half_made:
        state_type = pa.int64()

    with pytest.raises(SqlError, match="the aggregate function half_made lacks state, merge"):
        fb.function(half_made, kind="aggregate", returns=int, arguments=[int])


def test_arguments_that_do_not_fit_are_refused_with_a_caret() -> None:
    with using([shout]), pytest.raises(SqlError, match=r"shout takes 1 argument, not 2(.|\n)*\^"):
        select("shout('a', 'b')")


def test_the_command_line_takes_modules(tmp_path: Path) -> None:
    (tmp_path / "names.csv").write_text("name,x\nada,1\nbob,3\n", encoding="utf-8")
    query = f"SELECT shout(name) AS name FROM 'file:{tmp_path}/names.csv' ORDER BY name"
    module = "tests.sql.functions.written_elsewhere"
    done = python("-m", "pipelines.sql", "--json", "--functions", module, "--query", query)
    assert (done.returncode, done.stderr) == (0, "")
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"name": "ADA!"},
        {"name": "BOB!"},
    ]
