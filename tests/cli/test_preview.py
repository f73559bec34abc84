"""``preview``: what a copy would do, and that nothing is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ferris_beam.connectors import memory
from ferris_beam.interval import Interval, Origin
from ferris_beam.ledger import Entry
from pipelines.copy import main as copy
from tests.cli.conftest import Cli
from tests.cli.test_ledger import ROWS, started


def content(folder: Path) -> dict[Path, tuple[int, bytes]]:
    """Everything below a folder: content and time of change."""
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def ends(orders: Path, tmp_path: Path) -> list[str]:
    """A copy with dead letters and a name."""
    return [
        *("--source", f"file://{orders}/*.csv", "--name", "nightly"),
        *("--sink", f"file://{tmp_path}/out/?format=parquet&partition_by=country"),
        *("--dead-letters", f"file://{tmp_path}/rejected/?format=jsonl"),
    ]


def previewed(cli: Cli, *arguments: str) -> Any:
    return cli("preview", *arguments, "--json").document


def test_a_preview_is_what_the_copy_then_does(cli: Cli, ends: list[str], tmp_path: Path) -> None:
    found = previewed(cli, *ends)
    assert copy([*ends, "--quiet"]) == 0
    written = duckdb.sql(f"SELECT * FROM '{tmp_path}/out/*/*.parquet' ORDER BY id").fetchall()
    named = ("id", "amount", "country")
    assert sorted(tuple(row[name] for name in named) for row in found["sample"]["rows"]) == written
    folders = {path.name for path in (tmp_path / "out").glob("*=*")}
    assert all(folder in found["sinks"][0]["facts"]["partitions"] for folder in folders)
    schema = pq.read_schema(next((tmp_path / "out").rglob("*.parquet")))
    types = {column["name"]: column["sink_type"] for column in found["columns"]}
    assert types == {"country": "folder name", **{f.name: str(f.type) for f in schema}}
    assert found["source"]["formats"] == {"csv": 2}
    assert found["sample"]["rows_rejected"] == 2
    assert found["delivery"]["kind"] == "exactly_once"
    assert [sink["role"] for sink in found["sinks"]] == ["data", "dead_letters"]


def test_nothing_is_written(cli: Cli, ends: list[str], tmp_path: Path) -> None:
    before = content(tmp_path)
    assert cli("preview", *ends).code == 0
    assert content(tmp_path) == before
    copy([*ends, "--quiet"])
    before = content(tmp_path)
    for more in ((), ("--rerun",), ("--reset",), ("--json",)):
        cli("preview", *ends, *more)
        assert content(tmp_path) == before


def test_what_a_killed_run_left_is_not_touched(cli: Cli, orders: Path, tmp_path: Path) -> None:
    """A sink with a committed, unpublished part: opening it would publish."""
    sink = f"file://{tmp_path}/out.parquet"
    writer = started(sink)
    staged = writer.begin()
    staged.write(ROWS)
    writer.commit(1, staged, [Entry(Origin(("Read",), Interval("u", 0, 1)), 2)])
    before = content(tmp_path)
    flags = ("--source", f"file://{orders}/1.csv", "--sink", sink, "--name", "nightly")
    done = cli("preview", *flags, "--json")
    assert done.code == 2, "the plan has changed"
    assert done.document["identity"]["state"] == "refused"
    assert "--continue" in done.document["problems"][0]
    assert content(tmp_path) == before


# ── identity ────────────────────────────────────────────────────────────────────────────────────


def test_new_finished_and_once_more(cli: Cli, ends: list[str]) -> None:
    assert previewed(cli, *ends)["identity"]["state"] == "new"
    copy([*ends, "--quiet"])
    done = previewed(cli, *ends)
    assert (done["identity"]["state"], done["identity"]["rows_committed"]) == ("finished", 4)
    assert done["problems"] == []
    again = previewed(cli, *ends, "--rerun")
    assert again["identity"]["state"] == "new"
    assert "if_exists=append" in again["problems"][0], "there is data, and if_exists=error"


def test_an_unfinished_run_is_resumed(cli: Cli, orders: Path, tmp_path: Path) -> None:
    """The second file stops the first run; then it is corrected."""
    flags = [
        *("--source", f"file://{orders}/*.csv", "--name", "nightly"),
        *("--sink", f"file://{tmp_path}/out/?format=jsonl&batch_size=1"),
    ]
    assert copy([*flags, "--quiet", "--direct_num_workers=1"]) == 1
    found = previewed(cli, *flags)
    assert found["identity"]["state"] == "resume"
    assert found["identity"]["splits_done"] == found["identity"]["rows_committed"] // 2
    assert "resume: the rest of an unfinished run" in cli("preview", *flags).out


def test_a_run_that_is_not_there_cannot_be_resumed(cli: Cli, ends: list[str]) -> None:
    flags = [*ends[:2], *ends[4:], "--resume", "20260101-000000-abcdef"]
    done = cli("preview", *flags)
    assert done.code == 2
    assert "to resume in these sinks" in done.out


# ── mapping ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("clean_memory")
def test_what_the_sink_cannot_take_is_told_by_column(cli: Cli, tmp_path: Path) -> None:
    memory.put("nested", pa.table({"a": [1], "b": [{"x": 1}], "c": [[1, 2]]}))
    csv = previewed(cli, "--source", "memory://nested", "--sink", f"file://{tmp_path}/o.csv")
    columns = {column["name"]: column for column in csv["columns"]}
    assert columns["a"]["sink_type"] == "text"
    assert columns["a"]["refused"] is None
    assert columns["b"]["refused"]
    assert columns["c"]["refused"]
    assert [problem.split(":")[0] for problem in csv["problems"]] == ["b", "c"]
    flags = ("--source", "memory://nested", "--sink", f"file://{tmp_path}/o.parquet")
    assert previewed(cli, *flags)["problems"] == []
    assert cli("preview", *flags).code == 0
    shown = cli("preview", "--source", "memory://nested", "--sink", f"file://{tmp_path}/o.csv")
    assert shown.code == 2
    assert "can't be written: " in shown.out


def test_columns_and_limit(cli: Cli, orders: Path, tmp_path: Path) -> None:
    flags = ("--source", f"file://{orders}/1.csv", "--sink", f"file://{tmp_path}/o.csv")
    found = previewed(cli, *flags, "--columns", "amount,id", "--limit", "1")
    assert found["sample"]["rows"] == [{"amount": 12.5, "id": 1}]
    assert [column["name"] for column in found["columns"]] == ["amount", "id"]
    assert found["source"]["limit"] == 1
    wrong = cli("preview", *flags, "--columns", "amont")
    assert wrong.code in (1, 2)
    assert "amont" in wrong.err


@pytest.mark.parametrize(
    ("policy", "there", "problems"),
    [("error", "refuses", 1), ("append", "rows are added", 0), ("overwrite", "is replaced", 0)],
)
def test_data_that_is_there(
    cli: Cli, orders: Path, tmp_path: Path, policy: str, there: str, problems: int
) -> None:
    (tmp_path / "o.csv").write_text("id,country,amount\n0,DE,1\n")
    sink = f"file://{tmp_path}/o.csv?if_exists={policy}"
    found = previewed(cli, "--source", f"file://{orders}/1.csv", "--sink", sink)
    assert there in found["sinks"][0]["facts"]["data there"]
    assert len(found["problems"]) == problems


def test_a_rejected_row_without_dead_letters_is_a_problem(
    cli: Cli, orders: Path, tmp_path: Path
) -> None:
    flags = ("--source", f"file://{orders}/2.csv", "--sink", f"file://{tmp_path}/o.csv")
    done = cli("preview", *flags)
    assert done.code == 2
    assert "which stops the copy" in done.out
    assert copy([*flags, "--quiet"]) == 1


# ── any connector, and what goes wrong ──────────────────────────────────────────────────────────


@pytest.mark.usefixtures("numbers")
def test_connectors_that_say_nothing_of_themselves(cli: Cli) -> None:
    found = previewed(cli, "--source", "faulty://a?password=hunter2", "--sink", "faulty://b")
    assert found["identity"]["state"] == "unknown"
    assert "can't list its ledgers" in found["identity"]["why"]
    assert [column["sink_type"] for column in found["columns"]] == [None, None]
    assert len(found["sample"]["rows"]) == 10
    assert found["problems"] == []
    flags = ("--source", "faulty://a", "--sink", "faulty://b", "--delivery", "at_least_once")
    assert previewed(cli, *flags)["delivery"]["kind"] == "at_least_once"


@pytest.mark.usefixtures("numbers")
def test_secrets_are_in_no_output(cli: Cli) -> None:
    flags = ("--source", "faulty://a?password=hunter2", "--sink", "faulty://b?password=hunter2")
    for form in ((), ("--json",)):
        done = cli("preview", *flags, *form)
        assert done.code == 0
        assert "hunter2" not in done.out + done.err


def test_all_configuration_errors_at_once(cli: Cli, tmp_path: Path) -> None:
    flags = ("--source", "file:x.csv?delimter=;", "--sink", "fil:o.csv", "--dead-letters", "kafak:")
    done = cli("preview", *flags, "--json")
    assert done.code == 2
    assert len(done.document["error"]["problems"]) == 3
    missing = cli("preview", "--source", f"file://{tmp_path}/none.csv", "--sink", "memory://o")
    assert missing.code == 1
    assert "none.csv" in missing.err
