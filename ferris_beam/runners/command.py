"""Exit codes: 0 done, 1 failed, 2 wrong usage or configuration."""

from __future__ import annotations

import sys
from collections.abc import Callable

from ferris_beam.errors import ConfigurationError, FerrisError
from ferris_beam.monitoring.terminal import show_error


def run_command(command: Callable[[], int | None]) -> int:
    """The exit code of ``command``; our own errors are shown without a traceback."""
    try:
        return command() or 0
    except ConfigurationError as error:
        show_error(error)
        return 2
    except FerrisError as error:
        show_error(error)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 1
