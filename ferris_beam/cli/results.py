"""Results of queries: a table that fits the terminal, or all rows as JSON lines."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from rich.text import Text

from ferris_beam.cli.tables import show_rows, show_text
from ferris_beam.monitoring.terminal import console

if TYPE_CHECKING:
    from ferris_beam.sql.results import Result

_FEWEST = 5
_AROUND = 6
"""Lines that a table needs beside its rows: its head, the count, the prompt."""


def count_of_rows_shown() -> int:
    """As many as the terminal is high."""
    return max(_FEWEST, shutil.get_terminal_size().lines - _AROUND)


def show_result(result: Result, *, json: bool = False) -> None:
    """On standard output."""
    if json:
        _show_lines(result)
    else:
        _show_table(result, count_of_rows_shown())


def _show_table(result: Result, most: int) -> None:
    screen = console()
    records = result.head(most)
    more = result.num_rows() - records.num_rows
    screen.print()
    if not records.num_rows:
        names = ", ".join(result.schema.names)
        show_text(screen, f"no rows ({names})", "dim")
        return
    show_rows(screen, records)
    if more:
        rows = f"{more:,} more row{'s'[: more != 1]}"
        screen.print(Text(f"  … {rows}; --json prints all, INTO 'uri' writes them", "dim"))


def _show_lines(result: Result) -> None:
    """Batch after batch, so that any number of rows passes through."""
    from ferris_beam.formats.jsonl.writer import JsonLinesWriter

    sys.stdout.flush()
    writer = JsonLinesWriter(sys.stdout.buffer, result.schema, non_finite="null")
    for records in result.batches():
        writer.write(records)
    writer.close()
