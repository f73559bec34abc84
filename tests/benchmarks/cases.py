"""All cases: what runs against what, on which data, and what it must reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.benchmarks import postgresql, sql_aggregation, sql_joins
from tests.benchmarks.datasets import Dataset
from tests.benchmarks.kernel_case import kernel_case
from tests.benchmarks.model import (
    Case,
    Contender,
    Paths,
    Results,
    Target,
    milliseconds,
    peak_megabytes,
    rate,
    seconds_of,
    times_as_fast,
)

_CONTENDERS = "tests.benchmarks.contenders"
_FEW = 1_000
"""Rows of a copy that is all start-up."""

_PARQUET = "?format=parquet&compression=snappy"
_FILTER_COLUMNS = ("order_id", "country", "amount")


def all_cases(rows: int | None = None) -> dict[str, Case]:
    """The cases by name; ``rows`` instead of those of a full run."""
    cases = (
        _csv_to_parquet(rows or 10_000_000),
        _csv_gz_to_parquet(rows or 10_000_000),
        _jsonl_to_parquet(rows or 10_000_000),
        _parquet_filter(rows or 40_000_000),
        _parquet_to_text("csv", rows or 5_000_000),
        _parquet_to_text("jsonl", rows or 5_000_000),
        _beam_overhead(rows or 10_000_000),
        kernel_case(rows or 20_000_000),
        _uris(rows or 100_000),
        _start_up(),
        _memory(rows or 2_000_000),
        _planning(),
        *sql_aggregation.cases(rows),
        *sql_joins.cases(rows),
        *postgresql.cases(rows),
    )
    return {case.name: case for case in cases}


# ── conversions ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Conversion:
    """One file in, by us and by the peers, at 1 and at 2 threads. ``function`` is that of the
    peers' modules, ``sink`` our query string."""

    dataset: Dataset
    function: str
    output: str
    sink: str = _PARQUET
    columns: Sequence[str] = ()

    def ours(self, threads: int) -> Contender:
        def arguments(paths: Paths) -> Mapping[str, Any]:
            source, sink = f"file://{paths.of(self.dataset)}", f"file://{paths.folder}{self.sink}"
            return {"source": source, "sink": sink, "threads": threads, **self._columns()}

        function = "filtered" if self.columns else "copy"
        return self._contender("ours", threads, f"ours:{function}", arguments)

    def duckdb(self, threads: int) -> Contender:
        def arguments(paths: Paths) -> Mapping[str, Any]:
            return {**self._files(paths), "threads": threads, **self._columns()}

        return self._contender("duckdb", threads, f"with_duckdb:{self.function}", arguments)

    def polars(self, threads: int) -> Contender:
        def arguments(paths: Paths) -> Mapping[str, Any]:
            return {**self._files(paths), **self._columns()}

        return self._contender("polars", threads, f"with_polars:{self.function}", arguments)

    def contenders(self) -> tuple[Contender, ...]:
        return tuple(
            make(threads) for threads in (1, 2) for make in (self.ours, self.duckdb, self.polars)
        )

    def _contender(
        self,
        name: str,
        threads: int,
        function: str,
        arguments: Callable[[Paths], Mapping[str, Any]],
    ) -> Contender:
        return Contender(
            name=f"{name}-{threads}",
            function=f"{_CONTENDERS}.{function}",
            rows=self.dataset.rows,
            arguments=arguments,
            rival=None if name == "ours" else f"ours-{threads}",
            output=self.output,
            environment={"POLARS_MAX_THREADS": str(threads)} if name == "polars" else {},
        )

    def _files(self, paths: Paths) -> Mapping[str, Any]:
        return {"source": paths.of(self.dataset), "target": f"{paths.folder}all{self.output}"}

    def _columns(self) -> Mapping[str, Any]:
        return {"columns": list(self.columns)} if self.columns else {}


def _csv_to_parquet(rows: int) -> Case:
    conversion = _Conversion(Dataset("csv", rows), "csv_to_parquet", ".parquet")
    targets = [times_as_fast(f"ours-{n}", f"duckdb-{n}", at_least=1.2) for n in (1, 2)]
    return Case(
        "csv-to-parquet",
        f"{rows:,} rows of CSV to Parquet (snappy)",
        conversion.contenders(),
        targets,
        [conversion.dataset],
    )


def _csv_gz_to_parquet(rows: int) -> Case:
    conversion = _Conversion(Dataset("csv.gz", rows), "csv_to_parquet", ".parquet")
    targets = [times_as_fast(f"ours-{n}", f"duckdb-{n}", at_least=0.9) for n in (1, 2)]
    return Case(
        "csv-gz-to-parquet",
        f"{rows:,} rows of gzipped CSV to Parquet (snappy)",
        conversion.contenders(),
        targets,
        [conversion.dataset],
    )


def _jsonl_to_parquet(rows: int) -> Case:
    conversion = _Conversion(Dataset("jsonl", rows), "jsonl_to_parquet", ".parquet")
    targets = [
        times_as_fast(f"ours-{n}", f"duckdb-{n}", f"polars-{n}", at_least=0.8) for n in (1, 2)
    ]
    return Case(
        "jsonl-to-parquet",
        f"{rows:,} rows of JSON Lines to Parquet (snappy)",
        conversion.contenders(),
        targets,
        [conversion.dataset],
    )


def _parquet_filter(rows: int) -> Case:
    conversion = _Conversion(
        Dataset("parquet", rows), "filter_parquet", ".parquet", columns=_FILTER_COLUMNS
    )
    targets = [times_as_fast(f"ours-{n}", f"polars-{n}", at_least=0.5) for n in (1, 2)]
    return Case(
        "parquet-filter",
        f"{rows:,} rows of Parquet to Parquet: half of the rows, 3 of 6 columns",
        conversion.contenders(),
        targets,
        [conversion.dataset],
    )


def _parquet_to_text(form: str, rows: int) -> Case:
    conversion = _Conversion(
        Dataset("parquet", rows), f"parquet_to_{form}", f".{form}", sink=f"?format={form}"
    )
    return Case(
        f"parquet-to-{form}",
        f"{rows:,} rows of Parquet to {form}",
        conversion.contenders(),
        [times_as_fast(f"ours-{n}", f"duckdb-{n}") for n in (1, 2)],
        [conversion.dataset],
    )


# ── the framework alone ─────────────────────────────────────────────────────────────────────────


def _copy(name: str, function: str, dataset: Dataset, **arguments: Any) -> Contender:
    """A copy of a CSV file into a folder of Parquet, by us."""

    def all_arguments(paths: Paths) -> Mapping[str, Any]:
        source, sink = f"file://{paths.of(dataset)}", f"file://{paths.folder}{_PARQUET}"
        return {"source": source, "sink": sink, **arguments}

    function = f"{_CONTENDERS}.{function}"
    return Contender(name, function, dataset.rows, all_arguments, output=".parquet")


def _beam_overhead(rows: int) -> Case:
    data, few = Dataset("csv", rows), Dataset("csv", min(rows, _FEW))
    contenders = (
        _copy("beam", "ours:copy", data, threads=1),
        _copy("bare loop", "bare:copy", data),
        _copy("beam, few rows", "ours:copy", few, threads=1),
        _copy("bare loop, few rows", "bare:copy", few),
    )

    def net(results: Results) -> list[float]:
        """Beam against the loop, each without what it takes for a few rows."""
        work = [seconds_of(results, contender.name) for contender in contenders]
        return [
            (bare - bare_few) / (beam - beam_few)
            for beam, bare, beam_few, bare_few in zip(*work, strict=True)
        ]

    return Case(
        "beam-overhead",
        f"{rows:,} rows of CSV to Parquet by our Reader and Writer, in Beam and in a bare loop",
        contenders,
        [
            times_as_fast("beam", "bare loop"),
            Target("the same without Beam's start-up", net, at_least=0.9, unit="×"),
            milliseconds("beam, few rows"),
            milliseconds("bare loop, few rows"),
        ],
        [data, few],
    )


def _uris(count: int) -> Case:
    def contender(name: str, function: str) -> Contender:
        return Contender(
            name, f"{_CONTENDERS}.uris:{function}", count, lambda paths: {"count": count}
        )

    return Case(
        "uris",
        f"{count:,} calls, one after the other (the rows are calls)",
        (
            contender("Uri.parse, distinct", "parse_distinct"),
            contender("create_source, distinct", "create_distinct"),
            contender("create_source, repeated", "create_repeated"),
        ),
        [
            rate("Uri.parse, distinct", count, at_least=150),
            rate("create_source, distinct", count, at_least=30),
            rate("create_source, repeated", count, at_least=800),
        ],
    )


def _planning() -> Case:
    def contender(query: str) -> Contender:
        function = f"{_CONTENDERS}.planning:five_joins"
        return Contender(query, function, 0, lambda paths: {"query": query})

    queries = ("grouped", "all")
    return Case(
        "sql-planning",
        "SQL with five joins over sources of 200 columns, planned",
        tuple(contender(query) for query in queries),
        [milliseconds(query, at_most=150) for query in queries],
    )


def _start_up() -> Case:
    few = Dataset("csv", _FEW)

    def first_row(paths: Paths) -> Mapping[str, Any]:
        return {"source": f"file://{paths.of(few)}", "folder": paths.folder}

    def contender(name: str, function: str, arguments: Any = lambda paths: {}) -> Contender:
        return Contender(name, f"{_CONTENDERS}.startup:{function}", 0, arguments)

    return Case(
        "start-up",
        "how long a user waits",
        (
            contender("nothing", "nothing"),
            contender("import ferris_beam", "importing"),
            contender("python -m ferris_beam connectors", "listing"),
            contender("first row of a copy", "first_row", first_row),
        ),
        [
            milliseconds("import ferris_beam", at_most=80),
            milliseconds("python -m ferris_beam connectors", at_most=400),
            milliseconds("first row of a copy", at_most=2500),
        ],
        [few],
    )


def _memory(rows: int) -> Case:
    once, tenfold = Dataset("csv", rows), Dataset("csv", 10 * rows)
    contenders = (
        _copy("1×", "ours:copy", once, threads=2),
        _copy("10×", "ours:copy", tenfold, threads=2),
    )

    def growth(results: Results) -> list[float]:
        times = (seconds_of(results, name) for name in ("10×", "1×"))
        return [ten / one for ten, one in zip(*times, strict=True)]

    return Case(
        "memory",
        f"{rows:,} and {10 * rows:,} rows of CSV to Parquet at 2 threads",
        contenders,
        [
            peak_megabytes("1×", at_most=700),
            peak_megabytes("10×", at_most=700),
            Target("time of 10× against 1×", growth, at_most=10.5, unit="×"),
        ],
        [once, tenfold],
    )
