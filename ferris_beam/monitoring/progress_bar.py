"""The bar that shows progress on a terminal; imported only where there is one."""

from __future__ import annotations

import sys
from typing import TextIO

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ferris_beam.monitoring.figures import human_seconds
from ferris_beam.monitoring.progress import Snapshot, View
from ferris_beam.monitoring.terminal import console


class TerminalView(View):
    """A bar and the counts below it; at the end only the bar stays."""

    def __init__(self, stream: TextIO) -> None:
        self._last = Snapshot()
        self._live = Live(
            console=console(stream),
            auto_refresh=False,
            # Redirecting moves what is printed to the bar's stream: wrong for a piped stdout.
            redirect_stdout=sys.stdout.isatty(),
        )
        self._live.start()

    def show(self, snapshot: Snapshot) -> None:
        self._last = snapshot
        self._live.update(bar_and_counts(snapshot), refresh=True)

    def stop(self) -> None:
        try:
            last = self._last
            self._live.update(bar_line(last) if last.bytes_expected else "", refresh=True)
        finally:
            self._live.stop()


def bar_and_counts(snapshot: Snapshot) -> RenderableType:
    counts = Text(snapshot.rows_line(), style="dim", no_wrap=True, overflow="ellipsis")
    return Group(bar_line(snapshot), counts)


def bar_line(snapshot: Snapshot) -> RenderableType:
    """A bar, how much of how many bytes, the time; it pulses where the whole isn't known."""
    share = snapshot.share
    bar = ProgressBar(
        total=1.0, completed=share or 0.0, pulse=share is None, animation_time=snapshot.seconds
    )
    line = Table.grid(expand=True, padding=(0, 2, 0, 0))
    line.add_column(ratio=1)
    line.add_column(no_wrap=True)
    line.add_column(no_wrap=True, justify="right", width=10)
    line.add_row(bar, Text(snapshot.bytes_line()), Text(human_seconds(snapshot.seconds)))
    return line
