"""`fb.sql` as a transform: over URIs and PCollections together, with dead letters, exactly once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

import ferris_beam as fb
from ferris_beam.errors import PlanError, SqlError
from ferris_beam.sql.execution import compiler
from ferris_beam.sql.execution.compiler import Compiler
from ferris_beam.sql.execution.options import SqlOptions
from ferris_beam.sql.execution.program import run_program
from ferris_beam.sql.nodes import Join, walk
from ferris_beam.sql.plan import Catalog, plan_program
from ferris_beam.sql.syntax import parse
from ferris_beam.sql.text import SqlText
from tests.transforms.pipelines import run

ORDERS = [
    {"id": 1, "customer": 10, "amount": "5"},
    {"id": 2, "customer": 11, "amount": "7"},
    {"id": 3, "customer": 10, "amount": "none"},
    {"id": 4, "customer": 12, "amount": "1"},
]
CUSTOMERS = [{"id": 10, "country": "DE"}, {"id": 11, "country": "FR"}]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_lines(tmp_path / "orders.jsonl", ORDERS)
    write_lines(tmp_path / "customers.jsonl", CUSTOMERS)
    return tmp_path


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """What was written to a folder as Parquet, sorted."""
    rows = [row for path in folder.rglob("*.parquet") for row in pq.read_table(path).to_pylist()]
    return sorted(rows, key=repr)


def result(data: Path, text: str, *flags: str, **arguments: Any) -> list[dict[str, Any]]:
    """The rows that a query gives."""

    def build(p: beam.Pipeline) -> None:
        rows = p | fb.sql(text.replace("$data", data.as_uri()), **arguments)
        rows | fb.write(f"{data.as_uri()}/out/?format=parquet&if_exists=overwrite")

    run(build, *flags)
    return rows_of(data / "out")


def test_a_query_over_uris(data: Path) -> None:
    text = """
        SELECT c.country, COUNT(*) AS orders FROM '$data/orders.jsonl' o
        JOIN '$data/customers.jsonl' c ON o.customer = c.id GROUP BY c.country
    """
    expected = [{"country": "DE", "orders": 2}, {"country": "FR", "orders": 1}]
    assert result(data, text) == expected


class Order(NamedTuple):
    id: int
    amount: float


def test_pcollections_of_rows_by_name(data: Path) -> None:
    def build(p: beam.Pipeline) -> None:
        rows = beam.Create([Order(1, 2.5), Order(2, 4.0), Order(1, 1.0)])
        orders = p | "Orders" >> rows.with_output_types(Order)
        names = p | "Names" >> beam.Create([{"id": 1, "name": "a"}])
        joined = p | fb.sql(
            "SELECT n.name, SUM(o.amount) AS total FROM orders o JOIN names n ON n.id = o.id "
            "GROUP BY n.name",
            orders=orders,
            names=names,
            schemas={
                "names": pa.schema({"id": pa.int64(), "name": pa.string()}),
            },
        )
        joined | fb.write(f"{data.as_uri()}/out/?format=parquet")

    run(build)
    assert rows_of(data / "out") == [{"name": "a", "total": 3.5}]


def test_a_pcollection_and_a_dictionary_of_them(data: Path) -> None:
    def build(p: beam.Pipeline) -> None:
        orders = p | fb.read(f"{data.as_uri()}/orders.jsonl")
        few = orders | "Few" >> fb.sql("SELECT id, customer FROM input WHERE id < 3")
        joined = {"few": few, "orders": orders} | "Join" >> fb.sql(
            "SELECT few.id FROM few JOIN orders ON few.id = orders.id"
        )
        joined | fb.write(f"{data.as_uri()}/out/?format=parquet")

    run(build)
    assert rows_of(data / "out") == [{"id": 1}, {"id": 2}]


def test_columns_that_can_not_be_seen_are_asked_for() -> None:
    def build(p: beam.Pipeline) -> None:
        rows = p | beam.Create([{"id": 1}])
        rows | fb.sql("SELECT id FROM input")

    with pytest.raises(PlanError, match=r"schemas=\{'input': pyarrow.schema"):
        run(build)


def test_several_statements_and_streams_that_read_streams(data: Path) -> None:
    text = f"""
        CREATE STREAM good AS SELECT * FROM '{data.as_uri()}/orders.jsonl' WHERE amount <> 'none';
        CREATE STREAM totals AS
          SELECT customer, SUM(CAST(amount AS BIGINT)) AS total FROM good GROUP BY customer
          INTO '{data.as_uri()}/totals/' WITH (format = 'parquet');
        INSERT INTO '{data.as_uri()}/pairs/?format=parquet'
          SELECT a.id AS a, b.id AS b FROM good a JOIN good b ON a.customer = b.customer;
    """
    run(lambda p: p | fb.sql(text))
    assert rows_of(data / "totals") == [
        {"customer": 10, "total": 5},
        {"customer": 11, "total": 7},
        {"customer": 12, "total": 1},
    ]
    assert rows_of(data / "pairs") == [{"a": 1, "b": 1}, {"a": 2, "b": 2}, {"a": 4, "b": 4}]


@pytest.mark.parametrize(("limit", "strategy"), [(64, "broadcast"), (0, "hash")])
def test_a_stream_is_joined_as_its_size_asks_for(data: Path, limit: int, strategy: str) -> None:
    text = SqlText(f"""
        CREATE STREAM good AS SELECT * FROM '{data.as_uri()}/orders.jsonl' WHERE amount <> 'none';
        SELECT a.id FROM '{data.as_uri()}/orders.jsonl' a LEFT JOIN good b ON a.id = b.customer;
    """)
    program = plan_program(parse(text), text, Catalog())
    pipeline = beam.Pipeline(options=PipelineOptions([f"--broadcast_limit={limit}"]))
    plans = run_program(pipeline, program, text=text).plans
    joins = [each for plan in plans.values() for each in walk(plan) if isinstance(each, Join)]
    assert [each.strategy for each in joins] == [strategy]


SHUFFLED = """
    SELECT a.n % 5000 AS k, sum(b.n) AS s, row_number() OVER (ORDER BY a.n % 5000) AS place
    FROM '$data/n.parquet' a FULL JOIN '$data/n.parquet' b ON a.n = b.n
    GROUP BY a.n % 5000 ORDER BY k DESC
"""


def test_what_stages_hold_is_limited_by_an_option(data: Path) -> None:
    text = SqlText(SHUFFLED.replace("$data", data.as_uri()))
    pq.write_table(pa.table({"n": range(3)}), data / "n.parquet")
    pipeline = beam.Pipeline(options=PipelineOptions(["--sql_memory_limit=40"]))
    with patch.object(compiler, "Partitioned", wraps=compiler.Partitioned) as stages:
        run_program(pipeline, plan_program(parse(text), text, Catalog()))
    limits = [
        value
        for call in stages.call_args_list
        for name, value in vars(call.args[1]).items()
        if name.strip("_") == "memory_limit"
    ]
    assert limits == [40_000_000] * 4


def test_more_than_the_limit_gives_the_same(data: Path) -> None:
    pq.write_table(pa.table({"n": range(300_000)}), data / "n.parquet")
    rows = result(data, SHUFFLED, "--sql_memory_limit=1", "--broadcast_limit=0")
    assert sorted(row["k"] for row in rows) == list(range(5000))
    assert all(row["place"] == row["k"] + 1 for row in rows)
    assert sum(row["s"] for row in rows) == sum(range(300_000))


def test_a_limit_of_nothing_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        PipelineOptions(["--sql_memory_limit=0"]).view_as(SqlOptions)
    assert "no whole number of megabytes above 0" in capsys.readouterr().err


def test_a_source_that_several_statements_read_is_read_once(data: Path) -> None:
    text = f"""
        INSERT INTO '{data.as_uri()}/a/?format=parquet'
          SELECT id FROM '{data.as_uri()}/orders.jsonl' o;
        INSERT INTO '{data.as_uri()}/b/?format=parquet'
          SELECT amount FROM '{data.as_uri()}/orders.jsonl' o;
    """
    counted = run(lambda p: p | fb.sql(text)).metrics().query()["counters"]
    read = sum(c.result for c in counted if c.key.metric.name == "data.rows_read")
    assert read == len(ORDERS)
    assert [row["id"] for row in rows_of(data / "a")] == [1, 2, 3, 4]
    assert [row["amount"] for row in rows_of(data / "b")] == ["1", "5", "7", "none"]


def letters_of(folder: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in folder.glob("*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT CAST(amount AS BIGINT) AS n FROM '$data/orders.jsonl' o", [1, 5, 7]),
        ("SELECT SUM(CAST(amount AS BIGINT)) AS n FROM '$data/orders.jsonl' o", [13]),
        (
            "SELECT CAST(o.amount AS BIGINT) + c.id AS n FROM '$data/orders.jsonl' o "
            "LEFT JOIN '$data/customers.jsonl' c ON o.customer = c.id",
            [15, 18, None],
        ),
        (
            "SELECT c.id AS n FROM '$data/customers.jsonl' c "
            "JOIN '$data/orders.jsonl' o ON c.id = o.customer AND CAST(o.amount AS BIGINT) > 0",
            [10, 11],
        ),
    ],
)
def test_a_row_that_can_not_be_computed_is_a_dead_letter(
    data: Path, query: str, expected: list[Any]
) -> None:
    text = query.replace("$data", data.as_uri())

    def build(p: beam.Pipeline) -> None:
        with fb.DeadLetters(f"{data.as_uri()}/dead/?format=jsonl") as dead:
            rows = p | fb.sql(text, dead_letters=dead)
            rows | fb.write(f"{data.as_uri()}/out/?format=parquet", dead_letters=dead)

    run(build)
    assert [row["n"] for row in rows_of(data / "out")] == expected
    (letter,) = letters_of(data / "dead")
    assert "none" in letter["reason"]
    assert '"id": 3' in letter["payload"] or '"none"' in letter["payload"]


def test_without_dead_letters_it_stops_the_job(data: Path) -> None:
    with pytest.raises(Exception, match="none"):
        result(data, "SELECT CAST(amount AS BIGINT) AS n FROM '$data/orders.jsonl' o")


def test_an_error_shows_where(data: Path) -> None:
    with pytest.raises(SqlError, match="amount") as caught:
        result(data, "SELECT amuont FROM '$data/orders.jsonl' o")
    assert "^^^^^^" in str(caught.value)


def test_labels_are_the_same_whenever_it_is_built(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ledger knows intervals by the labels on their way."""
    text = f"""
        SELECT customer, COUNT(*) AS n FROM '{data.as_uri()}/orders.jsonl' o GROUP BY customer
        UNION ALL SELECT id, 0 FROM '{data.as_uri()}/customers.jsonl' c
    """
    seen: list[list[str]] = []
    build = Compiler.build

    def noted(self: Compiler, *arguments: Any) -> Any:
        built = build(self, *arguments)
        seen.append(list(self.labels))
        return built

    monkeypatch.setattr(Compiler, "build", noted)
    for _ in range(2):
        result(data, text)
    assert seen[0] == seen[1]
    assert seen[0]


def test_a_job_that_is_started_again_after_its_end_has_nothing_to_do(data: Path) -> None:
    text = f"""
        CREATE STREAM totals AS SELECT customer, COUNT(*) AS n
        FROM '{data.as_uri()}/orders.jsonl' o GROUP BY customer
        INTO '{data.as_uri()}/out/' WITH (format = 'parquet');
    """
    run(lambda p: p | fb.sql(text), "--name=n")
    before = rows_of(data / "out")
    with pytest.raises(Exception, match="is finished"):
        run(lambda p: p | fb.sql(text), "--name=n")
    assert rows_of(data / "out") == before
    run(lambda p: p | fb.sql(text.replace("format =", "if_exists = 'overwrite', format =")),
        "--name=n", "--rerun")  # fmt: skip
    assert rows_of(data / "out") == before


@pytest.mark.parametrize("limit", [0, 64])
def test_both_ways_of_joining_give_the_same(data: Path, limit: int) -> None:
    text = """
        SELECT o.id, c.country FROM '$data/orders.jsonl' o
        LEFT JOIN '$data/customers.jsonl' c ON o.customer = c.id
    """
    seen: set[str] = set()
    build = Compiler.build

    def noted(self: Compiler, *arguments: Any) -> Any:
        built = build(self, *arguments)
        seen.update(node.strategy for nodes in self.labels.values() for node in nodes
                    if isinstance(node, Join))  # fmt: skip
        return built

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Compiler, "build", noted)
        rows = result(data, text, f"--broadcast_limit={limit}")
    assert seen == {"broadcast" if limit else "hash"}
    assert [row["country"] for row in rows] == ["DE", "FR", "DE", None]


def test_a_derived_side_of_a_join_is_a_side_input(data: Path) -> None:
    text = """
        SELECT o.id, t.n FROM '$data/orders.jsonl' o
        JOIN (SELECT customer, COUNT(*) AS n FROM '$data/orders.jsonl' p GROUP BY customer) t
        ON o.customer = t.customer
    """
    rows = result(data, text)
    assert [(row["id"], row["n"]) for row in rows] == [(1, 2), (2, 1), (3, 2), (4, 1)]
