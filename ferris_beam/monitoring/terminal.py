"""What people look at: tables, plots, rows, rejected rows, errors; in colour on a terminal.

Where the output is no terminal it is plain text, and no line is cut or wrapped. ``NO_COLOR`` and
``COLUMNS`` are respected. What comes from data is shown without its control characters.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TextIO, cast

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ferris_beam.errors import FerrisError
from ferris_beam.monitoring.figures import (
    bar,
    human_count,
    human_number,
    human_seconds,
    human_size,
)
from ferris_beam.monitoring.report import Endpoint, Report

_PADDING = re.compile(r" +$", re.MULTILINE)
_UNLIMITED = 10_000
_LONGEST_BAR = 50
_LONGEST_CELL = 60
_LONGEST_ROW = 300


def console(stream: TextIO | None = None) -> Console:
    """A console on ``stream`` (standard output): text is taken as it is, never as markup."""
    stream = stream or sys.stdout
    plain = not stream.isatty()
    if "utf" not in (stream.encoding or "").lower() and hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")
    return _Console(
        file=cast(TextIO, _Unpadded(stream)) if plain else stream,
        width=_UNLIMITED if plain and "COLUMNS" not in os.environ else None,
        highlight=False,
        markup=False,
        emoji=False,
    )


class _Unpadded:
    """A stream without the spaces that rich puts at the end of lines."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(_PADDING.sub("", text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leaves the error to the caller: rich would end the thread and close standard output."""
        raise BrokenPipeError


def visible(text: str) -> str:
    """``text`` with control characters escaped: data must not steer a terminal."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in text
    )


def table(*columns: str) -> Table:
    """An empty table in the house style; columns may be added later, too."""
    empty = Table(
        box=box.SIMPLE_HEAD,
        header_style="bold",
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
    )
    for name in columns:
        empty.add_column(name)
    return empty


def pairs(facts: Mapping[str, Text], style: str) -> Table:
    """Names in ``style`` and what is said of each beside it, wrapped where there is no room."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style=style, no_wrap=True)
    grid.add_column(overflow="fold")
    for name, fact in facts.items():
        grid.add_row(name, fact)
    return grid


def show_table(screen: Console, shown: Table) -> None:
    screen.print(Padding(shown, (0, 0, 0, 2), expand=False))


def show_heading(screen: Console, title: str) -> None:
    screen.print()
    screen.print(Text(title, style="bold"))


def show_start(facts: Mapping[str, str], stream: TextIO | None = None) -> None:
    """What is about to happen, on standard error; long lines are wrapped between words."""
    shown = pairs({name: Text(visible(fact)) for name, fact in facts.items()}, "dim")
    shown.columns[0].min_width = len("delivery")
    console(stream or sys.stderr).print(shown)


# ── errors ──────────────────────────────────────────────────────────────────────────────────────


def show_error(error: BaseException, stream: TextIO | None = None) -> None:
    """Shows an error on standard error: its first line in bold, the others as they are.

    Lines keep their length, so that a caret stays below what it points at.
    """
    screen = console(stream or sys.stderr)
    message = error.message if isinstance(error, FerrisError) else str(error)
    first, *others = (message or type(error).__name__).splitlines()
    screen.print(Text.assemble(("error: ", "bold red"), (visible(first), "bold")), soft_wrap=True)
    for line in others:
        screen.print(Text("  " + visible(line)), soft_wrap=True)


# ── reports ─────────────────────────────────────────────────────────────────────────────────────


def show_report(report: Report, screen: Console | None = None) -> None:
    """A table of what was read, written and rejected, and a line about the run.

    Nothing for a pipeline that was finished already: it did nothing, and was told so.
    """
    if report.status == "already finished":
        return
    screen = screen or console()
    screen.print()
    show_table(screen, counts_table(report))
    screen.print()
    screen.print(Text("  " + summary(report)), soft_wrap=True)


def counts_table(report: Report) -> Table:
    """Rows and bytes read, written and rejected, with their endpoints."""
    counts = table("")
    counts.add_column("rows", justify="right", no_wrap=True)
    counts.add_column("size", justify="right", no_wrap=True)
    counts.add_column("where", overflow="fold")
    sinks = [sink for sink in report.sinks if sink.role == "data"]
    letters = [sink for sink in report.sinks if sink.role == "dead_letters"]
    read_size = human_size(report.bytes_read)
    written_size = human_size(report.bytes_written)
    counts.add_row("read", human_count(report.rows_read), read_size, _places(report.sources))
    counts.add_row(
        Text("written", "green"), human_count(report.rows_written), written_size, _places(sinks)
    )
    if letters:
        style = "yellow" if report.rows_dead else ""
        counts.add_row(Text("rejected", style), human_count(report.rows_dead), "", _places(letters))
    return counts


def summary(report: Report) -> str:
    """``done in 1.8 s · 110 k rows/s · exactly once``, and what was out of the ordinary."""
    parts = [f"{report.status} in {human_seconds(report.seconds)}"]
    if report.seconds:
        parts.append(f"{human_number(report.rows_read / report.seconds)} rows/s")
    parts.append(report.delivery.replace("_", " "))
    if report.masked_intervals:
        parts.append(f"{human_count(report.masked_intervals)} intervals were there already")
    if report.retries:
        parts.append(f"{human_count(report.retries)} retries")
    return " · ".join(parts)


def _places(ends: Sequence[Endpoint]) -> Text:
    return Text("\n".join(visible(end.uri) for end in ends), "dim")


# ── data ────────────────────────────────────────────────────────────────────────────────────────


def show_bars(title: str, values: Mapping[str, int], screen: Console | None = None) -> None:
    """A horizontal bar for each value, in the order given."""
    screen = screen or console()
    show_heading(screen, title)
    labels = {visible(str(label)): value for label, value in values.items()}
    figures = {label: human_count(value) for label, value in labels.items()}
    most = max(labels.values(), default=0)
    names = max(map(cell_len, labels), default=0)
    digits = max(map(len, figures.values()), default=0)
    room = max(8, min(screen.width - names - digits - 6, _LONGEST_BAR))
    for label, value in labels.items():
        name = label + " " * (names - cell_len(label))
        line = Text.assemble(
            f"  {name}  {figures[label]:>{digits}}  ", (bar(value, most, room), "cyan")
        )
        screen.print(line, no_wrap=True, overflow="crop")


def show_rows(title: str, rows: Sequence[Mapping[str, Any]], screen: Console | None = None) -> None:
    """Rows as a table; numbers stand to the right."""
    screen = screen or console()
    show_heading(screen, title)
    if not rows:
        screen.print("  none")
        return
    shown = table()
    for name, value in rows[0].items():
        numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
        shown.add_column(visible(name), justify="right" if numeric else "left")
    for row in rows:
        shown.add_row(*map(_cell, row.values()))
    show_table(screen, shown)


def show_dead_letters(
    title: str, letters: Iterable[Mapping[str, Any]], screen: Console | None = None
) -> None:
    """Rejected rows: where each stood, why it was rejected, and the row itself."""
    screen = screen or console()
    show_heading(screen, title)
    for number, letter in enumerate(letters):
        if number:
            screen.print()
        row = visible(letter["payload"].rstrip("\r\n"))
        facts = {
            "reason": Text(visible(letter["reason"]), "yellow"),
            "place": Text(visible(letter["place"])),
            "row": Text(_shortened(row, _LONGEST_ROW)),
        }
        show_table(screen, pairs(facts, "dim"))


def show_facts(title: str, facts: Mapping[str, str], screen: Console | None = None) -> None:
    """Names and what they stand for, one line each, never wrapped: they can be copied."""
    screen = screen or console()
    show_heading(screen, title)
    names = max((len(visible(name)) for name in facts), default=0)
    for name, fact in facts.items():
        line = Text.assemble((f"  {visible(name):<{names}}  ", "dim"), visible(fact))
        screen.print(line, soft_wrap=True)


def show_commands(title: str, commands: Mapping[str, str], screen: Console | None = None) -> None:
    """What can be done next: a line of explanation and the command, as it can be copied."""
    screen = screen or console()
    show_heading(screen, title)
    for explanation, command in commands.items():
        screen.print(Text(f"  # {explanation}", "dim"), soft_wrap=True)
        screen.print(Text(f"  {command}", "cyan"), soft_wrap=True)


def _cell(value: Any) -> Text:
    if value is None:
        return Text("null", "dim")
    text = value.isoformat(" ") if isinstance(value, datetime) else str(value)
    return Text(_shortened(visible(text), _LONGEST_CELL))


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
