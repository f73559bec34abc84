"""Connections to PostgreSQL that are cut, slowed and half-opened while a pipeline works."""

from __future__ import annotations

import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.chaos.endless import stopped_cleanly, wait_until
from tests.chaos.harness import PATIENCE
from tests.chaos.postgresql import Shop, Transfer, json_lines, ledger_of, log_of, replayed
from tests.services import toxiproxy
from tests.services.database import Database
from tests.services.toxiproxy import Proxy

ROWS = 40_000


@pytest.fixture(scope="module")
def proxies() -> Iterator[toxiproxy.Toxiproxy]:
    with toxiproxy.running() as started:
        yield started


@pytest.fixture
def proxy(database: Database, proxies: toxiproxy.Toxiproxy) -> Proxy:
    return proxies.proxy(database.server.port)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    table = pa.table({"id": range(ROWS), "note": [f"note {n}" for n in range(ROWS)]})
    pq.write_table(table, folder / "all.parquet", row_group_size=1_000)
    return folder


def cut(proxy: Proxy, goes_on: Callable[[], None]) -> None:
    proxy.interrupt()


def slow(proxy: Proxy, goes_on: Callable[[], None]) -> None:
    with proxy.slow(kilobytes_per_second=20):
        goes_on()


def half_open(proxy: Proxy, goes_on: Callable[[], None]) -> None:
    """Answers get lost, also those of commits; then the connection is closed."""
    with proxy.half_open("downstream"):
        pass


@pytest.mark.parametrize("fault", [cut, slow, half_open])
def test_a_table_is_written_over_a_bad_line(
    database: Database,
    proxy: Proxy,
    files: Path,
    fault: Callable[[Proxy, Callable[[], None]], None],
) -> None:
    table = f"over_{fault.__name__}"
    database.execute(f"CREATE TABLE {table} (id int8, note text)")
    sink = database.uri(port=proxy.port, table=table, batch_rows=1_000)
    transfer = Transfer(f"file://{files}/*.parquet", sink, ledger_of(database), name=table)
    process = transfer.start()
    for _ in range(3):
        goal = transfer.progress() + 4

        def goes_on(goal: int = goal) -> None:
            wait_until(lambda: transfer.progress() >= goal, process)

        goes_on()
        fault(proxy, goes_on)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    found = Counter(i for (i,) in database.execute(f"SELECT id FROM {table}"))
    assert found == Counter(range(ROWS))


@pytest.mark.parametrize("fault", [cut, half_open])
def test_changes_are_read_over_a_bad_line(
    database: Database,
    proxy: Proxy,
    tmp_path: Path,
    fault: Callable[[Proxy, Callable[[], None]], None],
) -> None:
    shop = Shop(database, 1_000, 71)
    file = tmp_path / "changes.jsonl"
    slot = f"line_{fault.__name__}"
    source = database.uri(
        port=proxy.port, table="orders", mode="cdc", slot=slot, poll_interval="20ms"
    )
    process = Transfer(source, f"file://{file}", log_of(tmp_path)).start()

    def everything() -> bool:
        rows = replayed(json_lines(file), ("id", "amount", "note"), "id")
        return {(i, n) for i, _, n in rows} == {(i, n) for i, _, n in shop.rows()}

    for _ in range(4):
        wait_until(everything, process)
        for _change in range(40):
            shop.change()
        fault(proxy, lambda: None)
    wait_until(everything, process)
    stopped_cleanly(process, signal.SIGTERM)


def test_a_line_that_stays_dead_is_an_error_and_no_hang(
    database: Database, proxy: Proxy, files: Path
) -> None:
    database.execute("CREATE TABLE dead_line (id int8, note text)")
    sink = database.uri(port=proxy.port, table="dead_line", batch_rows=1_000)
    transfer = Transfer(f"file://{files}/*.parquet", sink, ledger_of(database), name="dead")
    process = transfer.start()
    wait_until(lambda: transfer.progress() >= 3, process)
    proxy.cut()
    errors = _ended(process)
    assert f"127.0.0.1:{proxy.port}" in errors
    assert "Traceback" not in errors
    proxy.restore()
    _, errors = (again := transfer.start()).communicate(timeout=PATIENCE)
    assert again.returncode == 0, errors
    ((count, distinct),) = database.execute("SELECT count(*), count(DISTINCT id) FROM dead_line")
    assert (count, distinct) == (ROWS, ROWS)


def _ended(process: subprocess.Popen[str]) -> str:
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1, errors
    return errors
