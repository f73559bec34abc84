"""Killed with SIGKILL and started again with the same command: every row once."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.harness import (
    Copy,
    everything_once,
    only_whole_files,
    run_and_kill,
    wait_until,
)
from tests.chaos.orders import Orders, generate


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Orders:
    return generate(tmp_path_factory.mktemp("chaos") / "in")


@pytest.mark.parametrize("seed", [1, 2])
def test_every_row_and_every_reject_once(orders: Orders, tmp_path: Path, seed: int) -> None:
    copy = Copy(orders, tmp_path)
    kills = run_and_kill(copy, 3, seed, only_whole_files)
    assert kills == 3
    everything_once(copy)


def test_restarts_with_other_threads_and_batch_sizes_stay_exact(
    orders: Orders, tmp_path: Path
) -> None:
    class Changing(Copy):
        starts = 0

        def command(self) -> list[str]:
            self.starts += 1
            self.batch_size = (4_000, 30_000, 9_000, 70_000)[self.starts % 4]
            return [*super().command(), f"--direct_num_workers={1 + self.starts % 3}"]

    copy = Changing(orders, tmp_path)
    assert run_and_kill(copy, 3, 3, only_whole_files) == 3
    everything_once(copy)


def test_without_masking_rows_are_doubled(orders: Orders, tmp_path: Path) -> None:
    # Small batches make many commits, so that the kill comes long before the end.
    copy = Copy(orders, tmp_path, module="tests.chaos.unmasked", batch_size=200)
    assert run_and_kill(copy, 1, 4, lambda _: None, commits=(20, 40)) == 1
    with pytest.raises(AssertionError, match="more than once"):
        everything_once(copy)


def test_the_older_of_two_processes_is_superseded(orders: Orders, tmp_path: Path) -> None:
    copy = Copy(orders, tmp_path, batch_size=200)  # thousands of commits: it is not done soon
    older = copy.start()
    assert wait_until(older, lambda: copy.progress() >= 4)
    older.send_signal(signal.SIGSTOP)
    try:
        newer = replace(copy, batch_size=9_000).run()
        assert newer.returncode == 0, newer.stderr
        everything_once(copy)
    finally:
        older.send_signal(signal.SIGCONT)
    _, errors = older.communicate(timeout=60)
    assert older.returncode == 1
    assert "superseded" in errors
    everything_once(copy)


def test_a_finished_name_is_not_run_again_unless_told(orders: Orders, tmp_path: Path) -> None:
    copy = Copy(orders, tmp_path)
    assert copy.run().returncode == 0
    again = copy.run()
    assert again.returncode == 0
    everything_once(copy)
