"""A first look: ``python -m pipelines.quickstart``.

200,000 orders in gzipped CSV files, joined with their customers → Parquet, a folder for each
country; their revenue by week → JSON lines; rejected rows, too. Started again, it runs again;
interrupted, it goes on where it stopped.

The job is pipelines/quickstart.sql.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.dataset

import ferris_beam as fb
from ferris_beam.cli import run_command
from ferris_beam.errors import ConfigurationError
from ferris_beam.monitoring import Report, terminal
from ferris_beam.runners import beam_options, launch
from pipelines.quickstart_data import write_customers, write_orders

FOLDER = "ferris-quickstart"
STATEMENTS = Path(__file__).with_name("quickstart.sql")


class Places:
    """Where everything lies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.input = folder / "input"
        self.customers = folder / "customers.jsonl"
        self.orders = folder / "orders"
        self.revenue = folder / "revenue"
        self.rejected = folder / "rejected"


def uri(folder: Path, inside: str = "") -> str:
    """``file:///…/orders/`` for a folder, or the URI of what is ``inside`` of it."""
    return f"{fb.Uri.of(folder).text()}/{inside}"


def quickstart(pipeline: beam.Pipeline, places: Places) -> None:
    """CSV ⋈ JSON lines → Parquet by country, and revenue by week; rejected rows → JSON lines."""
    text = STATEMENTS.read_text(encoding="utf-8")
    folder = fb.Uri.of(places.folder).text()
    with fb.DeadLetters(uri(places.rejected), format="jsonl", if_exists="overwrite") as dead:
        _ = pipeline | fb.sql(text, variables={"folder": folder}, dead_letters=dead)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.quickstart",
        description=" ".join((__doc__ or "").split("\n\n")[1].split()),
        epilog="All other flags are Beam's, such as --direct_num_workers=2. "
        "Exit code: 0 done, 1 failed, 2 wrong usage or configuration.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--folder",
        metavar="F",
        type=Path,
        default=FOLDER,
        help=f"where everything is written (default: {FOLDER}, in the working folder)",
    )
    arguments, flags = parser.parse_known_args(argv)

    def command() -> None:
        options = beam_options(["--name=quickstart", "--rerun", *flags], parser)
        places = Places(arguments.folder.resolve())
        prepare(places)
        report = launch(lambda pipeline: quickstart(pipeline, places), options)
        terminal.show_report(report)
        show_results(places, report)
        show_next_steps(places)

    return run_command(command)


def prepare(places: Places) -> None:
    """Writes the input; raises `ConfigurationError` where that isn't possible."""
    terminal.show_start({"folder": str(places.folder)})
    try:
        write_orders(places.input)
        write_customers(places.customers)
    except OSError as error:
        raise ConfigurationError(
            f"the quickstart's input can't be written to {places.input}: {error.strerror}; choose "
            "another place by --folder F"
        ) from error


def show_results(places: Places, report: Report) -> None:
    """What was written, read back by other means than ours: pyarrow and json."""
    orders = pa.dataset.dataset(places.orders, format="parquet", partitioning="hive").to_table()
    counts = orders.group_by("country").aggregate([([], "count_all")])
    counts = counts.sort_by([("count_all", "descending")])
    by_country = zip(*(counts[name].to_pylist() for name in ("country", "count_all")), strict=True)
    weeks = sorted(json_lines(places.revenue), key=lambda row: (row["week"], row["segment"]))
    before = orders.num_rows + len(weeks) - report.rows_written
    interrupted = f", {before:,} of them written before the interruption" if before else ""
    terminal.show_bars(f"{orders.num_rows:,} orders by country{interrupted}", dict(by_country))

    orders = orders.sort_by("order_id")
    sample = orders.take([orders.num_rows * part // 5 for part in range(5)])
    terminal.show_rows("Five of them", sample.to_pylist())
    terminal.show_rows("Revenue of the first week", weeks[:3])
    letters: dict[str, dict[str, Any]] = {}
    for letter in json_lines(places.rejected):
        letters.setdefault(letter["reason"], letter)
    terminal.show_dead_letters("Two of the rejected rows", list(letters.values())[:2])


def json_lines(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*.jsonl")):
        yield from map(json.loads, path.read_text(encoding="utf-8").splitlines())


def show_next_steps(places: Places) -> None:
    terminal.show_facts(
        "Where it lies",
        {
            "input": f"{places.input}/orders-*.csv.gz",
            "customers": f"{places.customers}",
            "orders": f"{places.orders}/country=*/*.parquet",
            "revenue": f"{places.revenue}/*.jsonl",
            "rejected": f"{places.rejected}/*.jsonl",
        },
    )
    csv = uri(places.input)
    commands = {
        "two columns of all the Parquet files, as one CSV file": (
            *("--source", uri(places.orders, "?recursive=true"), "--columns", "order_id,amount"),
            *("--sink", uri(places.folder, "amounts.csv?if_exists=overwrite")),
        ),
        "the first ten orders, as JSON lines": (
            *("--source", csv, "--limit", "10"),
            *("--sink", uri(places.folder, "ten.jsonl?if_exists=overwrite")),
        ),
        "without dead letters, the first broken row stops it": (
            *("--source", csv),
            *("--sink", uri(places.folder, "strict/?format=parquet&if_exists=overwrite")),
        ),
    }
    question = f"""SELECT segment, COUNT(*) AS orders, MAX(amount) AS largest
        FROM '{quoted(uri(places.orders, "?recursive=true"))}' GROUP BY segment ORDER BY segment"""
    copy, sql = ([interpreter(), "-m", f"pipelines.{name}"] for name in ("copy", "sql"))
    shown = {why: shlex.join([*copy, *arguments]) for why, arguments in commands.items()}
    shown["a question in SQL"] = shlex.join([*sql, "--query", " ".join(question.split())])
    terminal.show_commands("What to try next", shown)


def quoted(text: str) -> str:
    """As it stands between the quotes of a SQL string."""
    return text.replace("'", "''")


def interpreter() -> str:
    """How to call this Python from here: ``python``, if that is it, or its path."""
    if shutil.which("python") == sys.executable:
        return "python"
    beside = os.path.relpath(sys.executable)
    return sys.executable if beside.startswith(os.pardir) else beside


if __name__ == "__main__":
    sys.exit(main())
