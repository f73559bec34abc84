"""PostgreSQL as source, as stream of changes, as sink: killed, cut off and restarted."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.chaos.conftest import FEW
from tests.chaos.endless import stopped_cleanly, wait_until
from tests.chaos.harness import PATIENCE, run_and_kill
from tests.chaos.postgresql import (
    Shop,
    Transfer,
    json_lines,
    ledger_of,
    log_of,
    parquet_rows,
    replayed,
    rows_of,
)
from tests.services import postgresql
from tests.services.database import Database

ROWS = 60_000
COLUMNS = ("id", "amount", "note")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Parquet files of ``ROWS`` rows, every thousandth of which the table refuses."""
    folder = tmp_path_factory.mktemp("files")
    for number in range(10):
        ids = [number * ROWS // 10 + n for n in range(ROWS // 10)]
        amounts = [None if i % 1000 == 7 else Decimal(i) / 4 for i in ids]
        table = pa.table({"id": ids, "amount": pa.array(amounts, pa.decimal128(12, 2))})
        pq.write_table(table, folder / f"{number}.parquet", row_group_size=2_000)
    return folder


def into_table(database: Database, files: Path, rejected: Path, **changes: str) -> Transfer:
    database.execute("CREATE TABLE orders (id int8, amount numeric(12,2) NOT NULL)")
    sink = database.uri(table="orders", batch_rows=2_000)
    return Transfer(
        f"file://{files}/*.parquet",
        sink,
        ledger_of(database),
        f"file://{rejected}/?format=jsonl",
        **changes,
    )


def table_is_whole(database: Database, rejected: Path) -> None:
    ids = Counter(i for (i,) in database.execute("SELECT id FROM orders"))
    assert max(ids.values()) == 1, "a row was written more than once"
    assert ids.keys() == {i for i in range(ROWS) if i % 1000 != 7}
    letters = [line for path in rejected.glob("*.jsonl") for line in json_lines(path)]
    assert len(letters) == ROWS // 1000
    assert {letter["category"] for letter in letters} == {"constraint"}


def ids_once(database: Database) -> None:
    """What others see in the middle."""
    twice = database.execute("SELECT id FROM orders GROUP BY id HAVING count(*) > 1")
    assert not twice


# ── files into a table ──────────────────────────────────────────────────────────────────────────


def test_file_to_table_killed(database: Database, files: Path, tmp_path: Path, kills: int) -> None:
    transfer = into_table(database, files, tmp_path)
    commits = (1, 4) if kills <= FEW else (1, 2)
    assert run_and_kill(transfer, kills, 11, lambda _: ids_once(database), commits) == kills
    table_is_whole(database, tmp_path)


def test_without_masking_rows_are_doubled(database: Database, files: Path, tmp_path: Path) -> None:
    transfer = into_table(database, files, tmp_path, module="tests.chaos.unmasked")
    assert run_and_kill(transfer, 1, 12, lambda _: None, commits=(6, 12)) == 1
    with pytest.raises(AssertionError, match="more than once"):
        table_is_whole(database, tmp_path)


def test_the_older_of_two_processes_is_superseded(
    database: Database, files: Path, tmp_path: Path
) -> None:
    transfer = into_table(database, files, tmp_path)
    older = transfer.start()
    wait_until(lambda: transfer.progress() >= 4, older)
    older.send_signal(signal.SIGSTOP)
    try:
        finished(transfer.start())
        table_is_whole(database, tmp_path)
    finally:
        older.send_signal(signal.SIGCONT)
    _, errors = older.communicate(timeout=PATIENCE)
    assert older.returncode == 1
    assert "superseded" in errors
    table_is_whole(database, tmp_path)


def test_the_server_is_killed_while_a_table_is_written(files: Path, tmp_path: Path) -> None:
    """The copy waits for it, also when that takes a while."""
    with postgresql.running() as own:
        database = Database(own)
        transfer = into_table(database, files, tmp_path)
        process = transfer.start()
        for goal, seconds in ((3, 0.0), (9, 8.0)):
            wait_until(lambda goal=goal: transfer.progress() >= goal, process)  # type: ignore[misc]
            own.kill()
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(seconds)
            own.start()
        finished(process)
        table_is_whole(database, tmp_path)


def finished(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors


# ── a table into files, into a table: it can't be read twice ────────────────────────────────────


@pytest.mark.parametrize("sink", ["file", "table"])
def test_table_killed_while_it_is_copied(
    database: Database, tmp_path: Path, sink: str, kills: int
) -> None:
    """Rows change between the tries: nothing of an earlier one is there, or ever was."""
    shop = Shop(database, 200_000, 21)
    other = Database(database.server)
    try:
        if sink == "file":
            place = f"file://{tmp_path}/out/?format=parquet&batch_size=4000"
            progress, written = log_of(tmp_path / "out"), lambda: parquet_rows(tmp_path / "out")
        else:
            place = other.uri(table="copied", batch_rows=4_000)
            progress, written = ledger_of(other), lambda: rows_of(other, "copied")

        def nothing_shows(_: Transfer) -> None:
            assert not written()
            for _change in range(5):
                shop.change()

        transfer = Transfer(database.uri(table="orders", batch_rows=4_000), place, progress)
        assert run_and_kill(transfer, kills, 22, nothing_shows, commits=(2, 8)) == kills
        assert written() == shop.rows()
    finally:
        other.drop()


def test_table_killed_while_it_replaces_rows_by_their_key(database: Database, kills: int) -> None:
    """Effectively once: each key with its latest row; what was deleted meanwhile may stay."""
    shop = Shop(database, 100_000, 31)
    other = Database(database.server)
    try:
        other.execute("CREATE TABLE copied (id int8 PRIMARY KEY, amount numeric(12,2), note text)")
        before = shop.rows()
        sink = other.uri(table="copied", mode="upsert", batch_rows=4_000)
        transfer = Transfer(database.uri(table="orders", batch_rows=4_000), sink, ledger_of(other))

        def changed(_: Transfer) -> None:
            for _change in range(5):
                shop.change()

        assert run_and_kill(transfer, kills, 32, changed, commits=(2, 8)) == kills
        copied, rows = rows_of(other, "copied"), shop.rows()
        assert rows.keys() <= copied.keys()
        gone = {row[0] for row in copied} - {row[0] for row in rows}
        assert gone <= {row[0] for row in before}
        assert max(Counter(row[0] for row in copied).values()) == 1
    finally:
        other.drop()


# ── changes ─────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def kept_changing(shop: Shop) -> Iterator[None]:
    ended = threading.Event()

    def change() -> None:
        with shop.database.connect() as connection:
            while not ended.wait(0.002):
                shop.change(connection)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def kill_while_changed(transfer: Transfer, shop: Shop, kills: int) -> subprocess.Popen[str]:
    """Kills at seeded numbers of commits; gives the process that was started last."""
    process = transfer.start()
    with kept_changing(shop):
        for _ in range(kills):
            goal = transfer.progress() + shop.chance.randint(1, 4)
            wait_until(lambda goal=goal: transfer.progress() >= goal, process)  # type: ignore[misc]
            process.kill()
            process.communicate()
            process = transfer.start()
        goal = transfer.progress() + 2
        wait_until(lambda: transfer.progress() >= goal, process)
    return process


def test_changes_to_file_killed(database: Database, tmp_path: Path, kills: int) -> None:
    shop = Shop(database, 5_000, 41)
    file = tmp_path / "changes.jsonl"
    source = database.uri(table="orders", mode="cdc", slot="chaos_file", poll_interval="20ms")
    transfer = Transfer(source, f"file://{file}", log_of(tmp_path))
    process = kill_while_changed(transfer, shop, kills)
    wanted = Counter((i, float(a), n) for i, a, n in shop.rows())

    def everything() -> bool:
        return (
            Counter((i, float(a), n) for i, a, n in replayed(json_lines(file), COLUMNS, "id"))
            == wanted
        )

    wait_until(everything, process)
    stopped_cleanly(process, signal.SIGTERM)
    assert everything()


def test_changes_to_table_killed(database: Database, kills: int) -> None:
    shop = Shop(database, 5_000, 51)
    other = Database(database.server)
    try:
        source = database.uri(table="orders", mode="cdc", slot="chaos_table", poll_interval="20ms")
        sink = other.uri(table="replica", mode="apply", key="id")
        transfer = Transfer(source, sink, ledger_of(other))
        process = kill_while_changed(transfer, shop, kills)
        wanted = shop.rows()

        def replica() -> Counter:
            rows = other.execute(f"SELECT {', '.join(COLUMNS)} FROM replica")
            return Counter(rows)

        wait_until(lambda: replica() == wanted, process)
        stopped_cleanly(process, signal.SIGTERM)
        assert replica() == wanted
    finally:
        other.drop()


def test_the_server_is_killed_while_changes_are_read(tmp_path: Path) -> None:
    with postgresql.running() as own:
        database = Database(own)
        shop = Shop(database, 2_000, 61)
        file = tmp_path / "changes.jsonl"
        source = database.uri(table="orders", mode="cdc", slot="chaos", poll_interval="20ms")
        transfer = Transfer(source, f"file://{file}", log_of(tmp_path))
        process = transfer.start()
        wait_until(lambda: len(json_lines(file)) >= 2_000, process)
        for _ in range(2):
            for _change in range(50):
                shop.change()
            own.kill()
            own.start()
        if process.poll() is not None:
            assert "Traceback" not in process.communicate()[1]
            process = transfer.start()
        shop.change()
        wanted = {row[0] for row in shop.rows()}

        def everything() -> bool:
            return {row[0] for row in replayed(json_lines(file), COLUMNS, "id")} == wanted

        wait_until(everything, process)
        stopped_cleanly(process, signal.SIGTERM)
