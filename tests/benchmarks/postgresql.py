"""Cases with a PostgreSQL server, which runs as long as the case does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks.contenders.postgresql_table import COLUMNS
from tests.benchmarks.datasets import Dataset
from tests.benchmarks.model import Case, Contender, Paths, rate, times_as_fast
from tests.services import postgresql
from tests.services.database import Database

_CONTENDERS = "tests.benchmarks.contenders"
_SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "1h"}


def cases(rows: int | None) -> Sequence[Case]:
    return (
        _reading(rows or 2_000_000),
        _writing(rows or 2_000_000),
        _changes(rows or 500_000),
    )


@contextmanager
def _empty_server(cache: Path) -> Iterator[Mapping[str, str]]:
    with postgresql.running(**_SETTINGS) as server:
        yield {"BENCH_POSTGRESQL": Database(server, "bench").uri()}


def _server_with_orders(dataset: Dataset) -> Any:
    @contextmanager
    def running(cache: Path) -> Iterator[Mapping[str, str]]:
        with postgresql.running(**_SETTINGS) as server:
            database = Database(server, "bench")
            database.execute(f"CREATE TABLE orders ({COLUMNS})")
            with (
                database.connect() as connection,
                open(dataset.path(cache), "rb") as file,
                connection.cursor().copy("COPY orders FROM STDIN (FORMAT csv, HEADER)") as copy,
            ):
                while data := file.read(1 << 20):
                    copy.write(data)
            database.execute("VACUUM ANALYZE orders")
            yield {"BENCH_POSTGRESQL": database.uri()}

    return running


def _reading(rows: int) -> Case:
    dataset = Dataset("csv", rows)

    def contender(
        name: str, function: str, arguments: Any, foreign: bool = False, rival: str | None = None
    ) -> Contender:
        return Contender(
            name,
            f"{_CONTENDERS}.{function}",
            rows,
            arguments,
            rival,
            ".parquet",
            foreign=foreign,
        )

    def ours(threads: int) -> Contender:
        def arguments(paths: Paths) -> Mapping[str, Any]:
            sink = f"file://{paths.folder}?format=parquet&compression=snappy"
            return {"sink": sink, "threads": threads}

        return contender(f"ours-{threads}", "postgresql_ours:read", arguments)

    def target(paths: Paths) -> Mapping[str, Any]:
        return {"target": f"{paths.folder}all.parquet"}

    def duckdb(threads: int) -> Contender:
        return contender(
            f"duckdb-{threads}",
            "postgresql_duckdb:read",
            lambda paths: {**target(paths), "threads": threads},
            foreign=True,
            rival=f"ours-{threads}",
        )

    return Case(
        "postgresql-to-parquet",
        f"{rows:,} rows of a PostgreSQL table to Parquet (snappy)",
        (
            *(make(threads) for threads in (1, 2) for make in (ours, duckdb)),
            contender("adbc", "postgresql_bare:read_adbc", target, rival="ours-1"),
            contender(
                "connectorx, 2 partitions",
                "postgresql_dlt:read_connectorx",
                target,
                foreign=True,
                rival="ours-2",
            ),
        ),
        [
            times_as_fast("ours-1", "duckdb-1", at_least=0.8),
            times_as_fast("ours-2", "duckdb-2", at_least=0.8),
            times_as_fast("ours-1", "adbc", at_least=1.2),
            times_as_fast("ours-2", "adbc", "connectorx, 2 partitions", at_least=1.2),
        ],
        [dataset],
        _server_with_orders(dataset),
    )


def _writing(rows: int) -> Case:
    dataset = Dataset("parquet", rows)

    def contender(name: str, function: str, foreign: bool = False, **given: Any) -> Contender:
        def arguments(paths: Paths) -> Mapping[str, Any]:
            path = paths.of(dataset)
            return {"source": f"file://{path}" if name.startswith("ours") else path, **given}

        rival = None if name.startswith("ours") else "ours-1"
        return Contender(name, f"{_CONTENDERS}.{function}", rows, arguments, rival, foreign=foreign)

    return Case(
        "parquet-to-postgresql",
        f"{rows:,} rows of Parquet into a PostgreSQL table",
        (
            contender("ours-1", "postgresql_ours:write", threads=1),
            contender("ours-2", "postgresql_ours:write", threads=2),
            contender("duckdb-1", "postgresql_duckdb:write", foreign=True, threads=1),
            contender("duckdb-2", "postgresql_duckdb:write", foreign=True, threads=2),
            contender("COPY BINARY by pgpq", "postgresql_bare:write_pgpq"),
            contender("adbc", "postgresql_bare:write_adbc"),
            contender("dlt", "postgresql_dlt:write", foreign=True),
        ),
        [
            times_as_fast("ours-1", "duckdb-1", at_least=1.1),
            times_as_fast("ours-2", "duckdb-2", at_least=1.1),
            times_as_fast("ours-1", "dlt", at_least=6),
            times_as_fast("ours-1", "COPY BINARY by pgpq"),
        ],
        [dataset],
        _empty_server,
    )


def _changes(rows: int) -> Case:
    rows = max(1000, rows // 1000 * 1000)

    def contender(name: str, function: str) -> Contender:
        def arguments(paths: Paths) -> Mapping[str, Any]:
            return {"file": f"{paths.folder}changes.jsonl", "rows": rows}

        rival = None if name == "ours" else "ours"
        return Contender(name, f"{_CONTENDERS}.{function}", rows, arguments, rival)

    return Case(
        "changes-to-jsonl",
        f"{rows:,} inserts from a PostgreSQL replication slot into a file of JSON lines",
        (
            contender("ours", "changes_ours:pipeline"),
            contender("our reader in a loop", "changes_ours:loop"),
            contender("debezium", "changes_debezium:engine"),
        ),
        [
            times_as_fast("ours", "debezium", at_least=2.5),
            times_as_fast("ours", "our reader in a loop", at_least=0.5),
            rate("ours", rows, at_least=100),
        ],
        (),
        _empty_server,
    )
