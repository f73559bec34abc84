"""The report of a run as a file, whether the run succeeds or fails."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from ferris_beam.errors import FerrisError

if TYPE_CHECKING:
    from ferris_beam.monitoring import Report


def reported(run: Callable[[], Report | None], file: str | None) -> Report | None:
    """The report that ``run`` returns, or that its error carries, written to ``file``, if any."""
    try:
        report = run()
    except FerrisError as error:
        if file and hasattr(error, "report"):
            with suppress(FerrisError):  # the first error is the one to be told
                error.report.write(file)
        raise
    if report is not None and file:
        report.write(file)
    return report
