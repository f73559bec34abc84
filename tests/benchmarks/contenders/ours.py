"""The framework itself, as its users call it."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow.compute as pc

import ferris_beam as fb
from ferris_beam.cli.command import import_for_good
from ferris_beam.runners import beam_options
from pipelines import copy as copying

import_for_good(copying.IMPORTS)  # as the command does


def copy(source: str, sink: str, threads: int) -> None:
    """``python -m pipelines.copy``, without the start of the interpreter and imports."""
    command = ["--source", source, "--sink", sink, "--quiet", f"--direct_num_workers={threads}"]
    code = copying.main(command)
    if code != 0:
        raise RuntimeError(f"the copy exited {code}")


def filtered(source: str, sink: str, threads: int, columns: Sequence[str]) -> None:
    """Rows with an amount above 50, some of their columns."""
    predicate = pc.field("amount") > 50
    fb.launch(
        lambda pipeline: (
            pipeline | fb.read(source, columns=columns, predicate=predicate) | fb.write(sink)
        ),
        beam_options([f"--direct_num_workers={threads}"]),
        quiet=True,
    )
