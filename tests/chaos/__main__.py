"""``python -m tests.chaos [--kills N] [--seed S] [--folder F]``: as many kills as asked for."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.chaos.harness import Copy, everything_once, only_whole_files, run_and_kill
from tests.chaos.orders import generate


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        orders = generate(Path(folder) / "in")
        kills, rounds = 0, 0
        while kills < arguments.kills:
            rounds += 1
            copy = Copy(orders, Path(folder) / f"out-{rounds}")
            left = arguments.kills - kills
            kills += run_and_kill(copy, left, arguments.seed + rounds, only_whole_files)
            everything_once(copy)
            print(f"round {rounds}: {kills} kills so far, everything once", flush=True)
        print(
            f"{kills} kills in {rounds} rounds; {len(orders.good):,} rows and "
            f"{len(orders.bad):,} rejected rows, each exactly once in every round"
        )


if __name__ == "__main__":
    main()
