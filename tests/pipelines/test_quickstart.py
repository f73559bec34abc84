"""The quickstart, run as a user runs it; its counts against duckdb and the csv module."""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from pipelines import quickstart_data
from tests.pseudo_terminal import Session, environment, python, python_on_terminal

ROWS = len(quickstart_data.MONTHS) * quickstart_data.ORDERS_PER_MONTH
BROKEN = (len(quickstart_data.MONTHS) - 1) * quickstart_data.BROKEN_PER_MONTH
SEGMENTS = ("business", "public", "retail")
WEEKS = 18
"""From Monday, December 30th, 2024 on, to the end of April."""


def _lines(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*.csv.gz")):
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            next(file)
            yield from file


def _is_good(line: str) -> bool:
    """Whether a row is as the first file has them, judged by the csv module and Python's types."""
    (row,) = csv.reader([line])
    if len(row) != len(quickstart_data.COLUMNS):
        return False
    order, _, _, _, amount, ordered_at = row
    try:
        int(order), float(amount), datetime.fromisoformat(ordered_at)
    except ValueError:
        return False
    return True


def _figures(text: str) -> dict[str, int]:
    """The counts that a person is shown: of the table, and of each country."""
    shown = re.findall(r"^  (read|written|rejected|[A-Z]{2}) +([\d,]+) ", text, re.MULTILINE)
    return {name: int(count.replace(",", "")) for name, count in shown}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("a folder with 'quotes' & spaces") / "quickstart"


@pytest.fixture(scope="module")
def session(folder: Path) -> Session:
    """The first start, on a terminal."""
    return python_on_terminal(100, "-m", "pipelines.quickstart", "--folder", str(folder))


def _assert_right(folder: Path, text: str) -> None:
    """Table, plot, Parquet files and dead letters against the input."""
    lines = list(_lines(folder / "input"))
    good = [line for line in lines if _is_good(line)]
    totals = {
        "read": len(lines) + quickstart_data.CUSTOMERS,
        "written": len(good) + WEEKS * len(SEGMENTS),
        "rejected": len(lines) - len(good),
    }
    assert _figures(text) == {**totals, **Counter(line.split(",")[2] for line in good)}
    _assert_files_right(folder)


def _assert_files_right(folder: Path) -> None:
    """Parquet files and dead letters against the input."""
    lines = list(_lines(folder / "input"))
    countries = Counter(line.split(",")[2] for line in lines if _is_good(line))
    written = folder / "orders" / "*" / "*.parquet"
    query = "SELECT country, count(*) FROM read_parquet(?, hive_partitioning = true) GROUP BY 1"
    assert dict(duckdb.execute(query, [str(written)]).fetchall()) == countries

    letters = [
        json.loads(line)
        for path in (folder / "rejected").glob("*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    rejected = sorted(letter["payload"].rstrip("\r\n") for letter in letters)
    assert rejected == sorted(line.rstrip("\n") for line in lines if not _is_good(line))
    assert _revenue(folder) == _revenue_by_duckdb(folder)


def _revenue(folder: Path) -> dict[tuple[str, str], tuple[int, float]]:
    rows = [
        json.loads(line)
        for path in (folder / "revenue").glob("*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    found = {(row["week"], row["segment"]): (row["orders"], row["revenue"]) for row in rows}
    assert len(rows) == len(found) == WEEKS * len(SEGMENTS)
    return found


def _revenue_by_duckdb(folder: Path) -> dict[tuple[str, str], tuple[int, float]]:
    """From the good rows of the input."""
    good = [line.rstrip("\n").split(",") for line in _lines(folder / "input") if _is_good(line)]
    orders = pa.table(
        {
            "customer": [row[1] for row in good],
            "status": [row[3] for row in good],
            "amount": [float(row[4]) for row in good],
            "at": [datetime.fromisoformat(row[5]) for row in good],
        }
    )
    query = """
        SELECT strftime(date_trunc('week', o.at), '%Y-%m-%dT%H:%M:%S'), c.segment, count(*),
               round(sum(o.amount), 2)
        FROM orders o JOIN read_json(?) c ON o.customer = c.id
        WHERE o.status <> 'cancelled' GROUP BY 1, 2
    """
    connection = duckdb.connect()
    connection.register("orders", orders)
    rows = connection.execute(query, [str(folder / "customers.jsonl")]).fetchall()
    return {(week, segment): (count, revenue) for week, segment, count, revenue in rows}


def test_the_counts_shown_are_those_of_the_input(session: Session, folder: Path) -> None:
    assert session.code == 0, session.text
    _assert_right(folder, session.text)
    assert _figures(session.text)["read"] == ROWS + quickstart_data.CUSTOMERS
    assert _figures(session.text)["rejected"] == BROKEN


def test_every_value_arrives(session: Session, folder: Path) -> None:
    assert session.code == 0, session.text
    good = [line.rstrip("\n").split(",") for line in _lines(folder / "input") if _is_good(line)]
    expected = sorted((int(row[0]), row[1], row[2], row[3], float(row[4]), row[5]) for row in good)
    query = (
        "SELECT order_id, customer_id, country, status, amount, "
        "strftime(ordered_at, '%Y-%m-%d %H:%M:%S') "
        "FROM read_parquet(?, hive_partitioning = true) ORDER BY order_id"
    )
    written = str(folder / "orders" / "*" / "*.parquet")
    assert duckdb.execute(query, [written]).fetchall() == expected


def test_what_a_person_sees(session: Session, folder: Path) -> None:
    text = session.text
    headings = (
        *("folder  ", "\nrunner  ", "\ndelivery  exactly once", "\nidentity  "),
        *(
            "━━━",
            "\n  read ",
            "199,958 orders by country",
            "Five of them",
            "Revenue of the first week",
            "Two of the rejected rows",
        ),
        *("Where it lies", "What to try next"),
    )
    places = [text.index(heading) for heading in headings]
    assert places == sorted(places)
    assert text.count("  reason  ") == 2
    sample = text[text.index("Five of them") : text.index("Revenue of")].splitlines()
    assert len([line for line in sample if re.match(r" +\d+ +C\d{5} ", line)]) == 5
    for name in ("input", "orders", "revenue", "rejected"):
        assert f"{folder / name}/" in text
    assert f"{folder / 'customers.jsonl'}" in text


def test_a_second_start_runs_again(session: Session, folder: Path) -> None:
    assert session.code == 0, session.text
    before = {path: path.stat().st_mtime_ns for path in (folder / "input").iterdir()}
    again = python("-m", "pipelines.quickstart", "--folder", str(folder))
    assert again.returncode == 0, again.stderr
    _assert_right(folder, again.stdout)
    assert {path: path.stat().st_mtime_ns for path in (folder / "input").iterdir()} == before
    assert "\x1b" not in again.stdout + again.stderr


def test_what_is_proposed_next_works(session: Session, folder: Path) -> None:
    shown = python("-m", "pipelines.quickstart", "--folder", str(folder)).stdout
    lines = shown[shown.index("What to try next") :].splitlines()
    commands = [shlex.split(line) for line in lines if " -m pipelines.copy " in line]
    columns, limited, strict = (python(*command[1:]) for command in commands)
    assert columns.returncode == 0, columns.stderr
    amounts = (folder / "amounts.csv").read_text(encoding="utf-8").splitlines()
    assert amounts[0] == "order_id,amount"
    assert len(amounts) == 1 + ROWS - BROKEN
    assert limited.returncode == 0, limited.stderr
    first = [json.loads(line) for line in (folder / "ten.jsonl").read_text("utf-8").splitlines()]
    assert [order["order_id"] for order in first] == list(range(1, 11))
    assert strict.returncode == 1
    assert "was rejected at line" in strict.stderr
    question = next(line for line in lines if " -m pipelines.sql " in line)
    answer = python(*shlex.split(question)[1:])
    assert answer.returncode == 0, answer.stderr
    counts = re.findall(r"^  (\w+) +(\d+) ", answer.stdout, re.MULTILINE)
    assert tuple(segment for segment, _ in counts) == SEGMENTS
    assert sum(int(count) for _, count in counts) == ROWS - BROKEN


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    refused = python("-m", "pipelines.quickstart", "--folder", str(tmp_path / "file"))
    assert refused.returncode == 2
    assert "choose another place by --folder" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_input_is_the_same_at_every_start(session: Session, folder: Path) -> None:
    for number, path in enumerate(sorted((folder / "input").iterdir())):
        assert gzip.decompress(path.read_bytes()) == quickstart_data.orders_of_month(number)
    assert (folder / "customers.jsonl").read_bytes() == quickstart_data.customers()
    each = quickstart_data.BROKEN_PER_MONTH
    assert [_broken(number) for number in range(4)] == [0, each, each, each]


def _broken(number: int) -> int:
    lines = quickstart_data.orders_of_month(number).decode().splitlines()[1:]
    return sum(not _is_good(line) for line in lines)


def test_an_interrupted_one_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "quickstart"
    command = [sys.executable, "-m", "pipelines.quickstart", "--folder", str(folder)]
    log = folder / "orders" / "_ferris" / "quickstart" / "log"
    with subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL) as process:
        # The first entry is the claim; behind it are commits.
        while len(list(log.glob("*"))) < 2 and process.poll() is None:
            os.sched_yield()
        process.kill()
    again = python("-m", "pipelines.quickstart", "--folder", str(folder))
    assert again.returncode == 0, again.stderr
    _assert_files_right(folder)
    heading = next(line for line in again.stdout.splitlines() if "orders by country" in line)
    counts = [int(count.replace(",", "")) for count in re.findall(r"[\d,]*\d", heading)]
    assert counts[0] == ROWS - BROKEN
    written = _figures(again.stdout)["written"] + sum(counts[1:])
    assert written == ROWS - BROKEN + WEEKS * len(SEGMENTS)
