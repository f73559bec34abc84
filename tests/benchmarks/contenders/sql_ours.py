"""SQL by the framework, as its users call it."""

from __future__ import annotations

from ferris_beam.cli.command import import_for_good
from pipelines import sql

import_for_good(sql.IMPORTS)  # as the command does


def query(text: str, threads: int) -> None:
    """``python -m pipelines.sql``, without the start of the interpreter and imports."""
    code = sql.main(["--query", text, "--quiet", f"--direct_num_workers={threads}"])
    if code != 0:
        raise RuntimeError(f"the query exited {code}")
