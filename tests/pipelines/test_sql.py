"""``python -m pipelines.sql``: what it prints, writes, reports, refuses; exit codes 0, 1, 2."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.sql import main
from tests.pseudo_terminal import python, python_on_terminal


class Done(NamedTuple):
    """What a command left."""

    returncode: int
    stdout: str
    stderr: str


Sql = Callable[..., Done]


@pytest.fixture
def sql(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Sql:
    """Runs the command in this process: starting Python and Beam anew takes seconds."""

    def run(*arguments: str | Path, stdin: str = "", **environment: str) -> Done:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        monkeypatch.setattr(sys, "argv", ["pipelines.sql"])
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as stopped:  # argparse
            code = int(stopped.code or 0)
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return run


@pytest.fixture
def orders(tmp_path: Path) -> str:
    path = tmp_path / "orders.csv"
    path.write_text(
        "id,customer,amount,status,ordered_at\n"
        "1,10,5.50,paid,2025-01-01 10:00:00\n"
        "2,11,7.25,cancelled,2025-01-01 10:10:00\n"
        "3,10,1.00,paid,2025-01-01 11:30:00\n"
        "4,12,,paid,2025-01-01 11:40:00\n"
    )
    return path.as_uri()


@pytest.fixture
def customers(tmp_path: Path) -> str:
    path = tmp_path / "customers.jsonl"
    path.write_text(
        '{"id":10,"country":"DE"}\n{"id":11,"country":"FR"}\n{"id":12,"country":"DE"}\n'
    )
    return path.as_uri()


@pytest.fixture
def numbers(tmp_path: Path) -> str:
    """300,000 rows in three files."""
    for part in range(3):
        values = pa.array(range(part * 100_000, (part + 1) * 100_000))
        pq.write_table(pa.table({"n": values}), tmp_path / f"numbers-{part}.parquet")
    return f"{tmp_path.as_uri()}/numbers-*.parquet"


def test_a_select_prints_a_table(sql: Sql, orders: str) -> None:
    done = sql("--query", f"SELECT id, amount, status FROM '{orders}' ORDER BY id")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "",
        "  id  amount  status",
        "  ─────────────────────",
        "   1     5.5  paid",
        "   2    7.25  cancelled",
        "   3       1  paid",
        "   4    null  paid",
    ]
    assert done.stderr == ""


def test_results_come_in_the_order_of_their_statements(sql: Sql, orders: str) -> None:
    text = f"""
        CREATE STREAM paid AS SELECT * FROM '{orders}' WHERE status = 'paid';
        SHOW STREAMS;
        SELECT COUNT(*) AS orders FROM paid;
        DESCRIBE paid;
    """
    done = sql("--query", text)
    assert done.returncode == 0, done.stderr
    places = [done.stdout.index(shown) for shown in ("stream", "orders", "timestamp")]
    assert places == sorted(places)


def test_a_stream_without_into_is_printed_where_it_comes_last(sql: Sql, orders: str) -> None:
    done = sql("--query", f"CREATE STREAM s AS SELECT COUNT(*) AS orders FROM '{orders}'")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["orders", "──────", "4"]


def test_json_prints_every_row_of_a_large_result(sql: Sql, numbers: str) -> None:
    done = sql("--json", "--query", f"SELECT n FROM '{numbers}'")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line)["n"] for line in done.stdout.splitlines()]
    assert sorted(rows) == list(range(300_000))


def test_json_of_an_ordered_result_is_in_order(sql: Sql, numbers: str) -> None:
    done = sql("--json", "--query", f"SELECT n FROM '{numbers}' ORDER BY n DESC")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line)["n"] for line in done.stdout.splitlines()]
    assert rows == list(range(299_999, -1, -1))


def test_a_table_is_as_high_as_the_terminal(numbers: str) -> None:
    """The terminal has 50 lines."""
    query = f"SELECT n FROM '{numbers}' ORDER BY n"
    session = python_on_terminal(80, "-m", "pipelines.sql", "--query", query)
    assert session.code == 0
    lines = session.text.splitlines()
    assert lines[-2].strip() == "43"
    assert "… 299,956 more rows" in lines[-1]
    assert len(lines) <= 49


def test_into_writes_and_the_stream_names_the_pipeline(
    sql: Sql, orders: str, customers: str, tmp_path: Path
) -> None:
    out = tmp_path / "revenue"
    text = f"""
        CREATE STREAM revenue AS
        SELECT window_start, c.country, COUNT(*) AS orders, SUM(o.amount) AS revenue
        FROM '{orders}' o
        JOIN '{customers}' c ON o.customer = c.id
        WHERE o.status <> 'cancelled'
        GROUP BY TUMBLE(o.ordered_at, INTERVAL '1' HOUR), c.country
        INTO '{out.as_uri()}/' WITH (format = 'jsonl')
    """
    done = sql("--query", text, "--report", tmp_path / "report.json")
    assert done.returncode == 0, done.stderr
    assert "identity  revenue (run " in done.stderr
    assert "written     2" in done.stdout
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["name"], report["rows_written"]) == ("revenue", 2)
    lines = "".join(path.read_text() for path in out.glob("*.jsonl")).splitlines()
    assert sorted((json.loads(line) for line in lines), key=lambda row: row["window_start"]) == [
        {"window_start": "2025-01-01T10:00:00", "country": "DE", "orders": 1, "revenue": 5.5},
        {"window_start": "2025-01-01T11:00:00", "country": "DE", "orders": 2, "revenue": 1.0},
    ]
    again = sql("--query", text)
    assert again.returncode == 0
    assert "'revenue' is finished" in again.stderr


def test_a_query_sees_all_rows_also_where_a_sink_holds_them(
    sql: Sql, orders: str, tmp_path: Path
) -> None:
    text = f"""
        CREATE STREAM s AS SELECT * FROM '{orders}' INTO '{tmp_path.as_uri()}/out/?format=csv';
        SELECT COUNT(*) AS orders FROM s;
    """
    for _ in range(2):
        done = sql("--quiet", "--query", text)
        assert done.returncode == 0, done.stderr
        assert done.stdout.split() == ["orders", "──────", "4"]


@pytest.mark.parametrize("name", ["lasting", "given"])
def test_a_name_in_the_text_or_on_the_command_line(
    sql: Sql, orders: str, tmp_path: Path, name: str
) -> None:
    text = (
        f"CREATE STREAM s AS SELECT * FROM '{orders}' INTO '{tmp_path.as_uri()}/out/'"
        " WITH (format = 'csv', name = 'lasting')"
    )
    flags = ["--name", "given"] if name == "given" else []
    done = sql("--query", text, *flags)
    assert f"identity  {name} (run " in done.stderr


def test_files_variables_and_standard_input(sql: Sql, orders: str, tmp_path: Path) -> None:
    text = f"SELECT COUNT(*) AS n FROM '{orders}' WHERE status = '${{wanted}}' AND id < ${{MOST}}"
    file = tmp_path / "q.sql"
    file.write_text(text)
    for arguments, stdin in ((["--file", file], ""), (["--file", "-"], text)):
        done = sql("--json", *arguments, "--set", "wanted=paid", stdin=stdin, MOST="4")
        assert done.stdout == '{"n":2}\n', done.stderr


def test_explain_runs_nothing(sql: Sql, orders: str, customers: str, tmp_path: Path) -> None:
    text = (
        f"CREATE STREAM s AS SELECT c.country, o.id FROM '{orders}' o JOIN '{customers}' c"
        f" ON o.customer = c.id WHERE o.amount > 2 INTO '{tmp_path.as_uri()}/out/?format=csv'"
    )
    flag = sql("--explain", "--query", text)
    assert flag.returncode == 0, flag.stderr
    statement = sql("--query", f"EXPLAIN {text}")
    assert statement.stdout == flag.stdout
    for shown in (
        f"s → {tmp_path.as_uri()}/out/",
        "Inner join on",
        "strategy: broadcast",
        "pushed to the source: WHERE o.amount > 2",
        "Beam transforms",
        "exactly once: ",
    ):
        assert shown in flag.stdout
    assert not (tmp_path / "out").exists()


def test_explain_analyze_counts(sql: Sql, orders: str) -> None:
    done = sql(
        "--query", f"EXPLAIN ANALYZE SELECT status, COUNT(*) FROM '{orders}' GROUP BY status"
    )
    assert done.returncode == 0, done.stderr
    aggregate = next(line for line in done.stdout.splitlines() if "Aggregate COUNT" in line)
    assert "[2 rows, " in aggregate
    assert "4 rows" in next(line for line in done.stdout.splitlines() if "Scan file" in line)


def test_explain_analyze_counts_what_workers_hold(sql: Sql, orders: str, customers: str) -> None:
    done = sql(
        "--query",
        f"EXPLAIN ANALYZE SELECT o.id FROM '{orders}' o JOIN "
        f"(SELECT id + 0 AS id FROM '{customers}' WHERE upper(country) = 'DE') c "
        "ON o.customer = c.id",
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    scan = next(at for at, line in enumerate(lines) if "customers.jsonl" in line)
    assert any("[2 rows, " in line and "3 rows in]" in line for line in lines[scan - 4 : scan])
    assert "Table" not in done.stdout


def test_broken_rows_stop_it_or_become_dead_letters(sql: Sql, orders: str, tmp_path: Path) -> None:
    query = f"SELECT id, 10 / (id - 2) AS q FROM '{orders}' ORDER BY id"
    strict = sql("--query", query)
    assert strict.returncode == 1
    assert "division by zero" in strict.stderr.lower() or "divide by zero" in strict.stderr.lower()
    letters = tmp_path / "rejected"
    done = sql("--json", "--query", query, "--dead-letters", f"{letters.as_uri()}/?format=jsonl")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [1, 3, 4]
    (letter,) = "".join(path.read_text() for path in letters.glob("*.jsonl")).splitlines()
    assert json.loads(letter)["reason"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("SELEC 1", "error: no statement starts with SELEC (line 1, column 1)\n  SELEC 1\n  ^^^^^"),
        ("SELECT nope FROM 'file:///nowhere.csv'", "file:///nowhere.csv"),
        ("SELECT ${NOT_SET}", "the variable NOT_SET is not set (line 1, column 8)"),
        ("INSERT INTO 'memory://o' SELECT 1 AS a WITH (delivery = 'often')", "delivery is "),
        ("INSERT INTO 'file:///tmp/o/' SELECT 1 AS a WITH (formt = 'csv')", "format"),
    ],
)
def test_wrong_texts_are_refused_before_the_start(sql: Sql, text: str, shown: str) -> None:
    done = sql("--query", text)
    assert done.returncode == 2
    assert shown in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_it_is_a_command_of_its_own(orders: str) -> None:
    query = f"SELECT COUNT(*) AS n FROM '{orders}'"
    done = python("-m", "pipelines.sql", "--json", "--query", query)
    assert (done.returncode, done.stdout, done.stderr) == (0, '{"n":4}\n', "")


def test_wrong_usage(sql: Sql, tmp_path: Path) -> None:
    assert sql().returncode == 2
    assert sql("--query", "SELECT 1", "--file", "x").returncode == 2
    missing = sql("--file", tmp_path / "none.sql")
    assert missing.returncode == 2
    assert "can't be read" in missing.stderr
    stray = sql("--query", "SELECT 1", "--dead-leters=x")
    assert stray.returncode == 2
    assert "did you mean --dead-letters?" in stray.stderr
    assert sql("--query", "SELECT 1", "--set", "a").returncode == 2


@pytest.mark.parametrize(
    ("text", "flags", "shown"),
    [
        ("SELECT 1 AS a", ["--name", "x"], "--name has no meaning"),
        ("SELECT 1 AS a", ["--delivery", "exactly_once"], "--delivery has no meaning"),
        ("SHOW STREAMS", ["--report", "r.json"], "--report has no meaning"),
        (
            "SELECT 1 AS a; INSERT INTO 'file:///tmp/o.csv' SELECT 1 AS a",
            ["--dead-letters", "file:///tmp/letters/?format=jsonl"],
            "put the queries into a text of their own",
        ),
    ],
)
def test_flags_without_a_meaning_are_refused(
    sql: Sql, text: str, flags: list[str], shown: str
) -> None:
    done = sql("--query", text, *flags)
    assert done.returncode == 2
    assert shown in done.stderr


def test_the_report_of_a_query(sql: Sql, orders: str, tmp_path: Path) -> None:
    done = sql("--query", f"SELECT id FROM '{orders}'", "--report", tmp_path / "report.json")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "report.json").read_text())["rows_read"] == 4
    assert "written" not in done.stdout


def test_the_file_of_an_error_is_named(sql: Sql, tmp_path: Path) -> None:
    file = tmp_path / "q.sql"
    file.write_text("-- a comment\nSELECT 1\nFORM t\n")
    done = sql("--file", file)
    assert done.returncode == 2
    assert f"({file}:3:1)\n  FORM t\n  ^^^^\n  did you mean FROM?" in done.stderr
