"""``dead-letters show`` and ``summary``: of any source that holds them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ferris_beam.cli.letters import OTHERS, Filter, Tally
from ferris_beam.connector import Reject
from ferris_beam.connectors import memory
from ferris_beam.reliability.dead_letters import SCHEMA, DeadLetterFormat
from pipelines.copy import main as copy
from tests.cli.conftest import Cli

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def letter(number: int, **changed: Any) -> dict[str, Any]:
    reject = Reject(
        number, f"line {number}", f"amount: 'x{number}' is not a double", b"raw", "schema"
    )
    made = DeadLetterFormat("nightly", "Read(file:in/)", "file", "file:in/")
    (row,) = made.of_rejects("in/1.csv", [reject]).to_pylist()
    return {**row, "time": START + timedelta(hours=number), **changed}


def table(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=SCHEMA)


@pytest.fixture
def letters(clean_memory: None) -> str:
    rows = [letter(number) for number in range(20)]
    rows += [letter(30, stage="Write(file:out/)", reason="too long", category="validation")]
    rows += [letter(31, payload="AP8=", payload_encoding="base64")]
    memory.put("letters", table(*rows))
    return "memory://letters"


def test_letters_of_a_real_copy(cli: Cli, orders: Path, tmp_path: Path) -> None:
    for form in ("jsonl", "parquet"):
        rejected = f"file://{tmp_path}/rejected-{form}/"
        code = copy(
            [
                *("--source", f"file://{orders}/", "--dead-letters", f"{rejected}?format={form}"),
                *("--sink", f"file://{tmp_path}/{form}/?format=parquet", "--quiet"),
            ]
        )
        assert code == 0
        shown = cli("dead-letters", "show", rejected, "--json").document
        assert sorted(row["payload"] for row in shown) == ["4,FR", "5,FR,9a.90"]
        assert set(shown[0]) == set(SCHEMA.names)
        summary = cli("dead-letters", "summary", rejected, "--json").document
        assert summary["rows"] == 2
        assert summary["by_source"] == {f"file://{orders}/": 2}
        assert summary["by_reason"] == {
            "2 columns where 3 were expected": 1,
            "amount: '…' is not a double": 1,
        }


def test_show_is_limited_and_filtered(cli: Cli, letters: str) -> None:
    assert len(cli("dead-letters", "show", letters, "--json").document) == 10
    assert len(cli("dead-letters", "show", letters, "--json", "--limit", "3").document) == 3

    def numbers(*filters: str) -> list[str]:
        found = cli("dead-letters", "show", letters, "--json", "--limit", "99", *filters).document
        return [row["position"] for row in found]

    assert numbers("--reason", "X1") == ["1", *map(str, range(10, 20))]
    assert numbers("--category", "validation") == ["30"]
    assert numbers("--stage", "write") == ["30"]
    assert numbers("--stage", "write", "--category", "schema") == []


def test_people_see_reason_place_row_and_encoding(cli: Cli, letters: str) -> None:
    out = cli("dead-letters", "show", letters, "--limit", "99").out
    for told in ("amount: 'x3' is not a double", "line 3", "raw", "base64", "of nightly"):
        assert told in out
    none = cli("dead-letters", "show", letters, "--reason", "nothing like this")
    assert (none.code, none.out) == (0, "no rejected rows in memory://letters\n")


def test_summary_counts_and_draws(cli: Cli, letters: str) -> None:
    summary = cli("dead-letters", "summary", letters, "--json").document
    assert summary["rows"] == 22
    assert summary["by_category"] == {"schema": 21, "validation": 1}
    assert summary["by_stage"] == {"Read(file:in/)": 21, "Write(file:out/)": 1}
    assert summary["by_reason"] == {"amount: '…' is not a double": 21, "too long": 1}
    assert summary["first"].startswith("2026-01-01 00:00:00")
    assert summary["last"].startswith("2026-01-02 07:00:00")
    drawn = cli("dead-letters", "summary", letters).out
    assert "By reason" in drawn
    assert "21  ██████" in drawn
    filtered = cli("dead-letters", "summary", letters, "--category", "validation", "--json")
    assert filtered.document["rows"] == 1


def test_what_holds_no_dead_letters_says_so(cli: Cli, orders: Path) -> None:
    done = cli("dead-letters", "show", f"file://{orders}/")
    assert done.code == 1
    assert "holds no dead letters: it has no column category" in done.err


def test_columns_that_are_missing_are_empty(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "old.parquet"
    pq.write_table(table(letter(1)).drop_columns(["attempts", "schema_fingerprint", "id"]), path)
    (row,) = cli("dead-letters", "show", f"file://{path}", "--json").document
    assert row["id"] is None
    assert row["reason"] == "amount: 'x1' is not a double"


@pytest.mark.usefixtures("clean_memory")
def test_letters_do_not_steer_the_terminal(cli: Cli) -> None:
    hostile = {name: "\x1b]0;x\x07" * 200 for name in ("reason", "place", "payload", "stage")}
    memory.put("hostile", table(letter(1, **hostile)))
    for action in ("show", "summary"):
        done = cli("dead-letters", action, "memory://hostile")
        assert done.code == 0
        assert "\x1b" not in done.out
        assert max(map(len, done.out.splitlines())) < 400


def test_a_tally_holds_a_bounded_number_of_reasons() -> None:
    tally = Tally()
    rows = [letter(0, reason=f"reason {number}") for number in range(10_500)]
    tally.add(Filter().kept(table(*rows).combine_chunks().to_batches()[0]))
    assert len(tally.reasons) == 10_001
    assert tally.reasons[OTHERS] == 500
    assert sum(tally.reasons.values()) == tally.rows == 10_500
