"""What all commands share: exit codes (0 done, 1 failed, 2 wrong usage or configuration)."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable

from ferris_beam.errors import ConfigurationError, FerrisError

_INTERRUPTED = 130
"""128 and the number of SIGINT, as shells have it."""


def run_command(command: Callable[[], int | None]) -> int:
    """The exit code of ``command``; our own errors are shown without a traceback.

    A reader of the output that has seen enough (``… | head``) is no error. What was imported for
    the command stays to the end: the garbage collector need not look at it again and again (half
    a second of a short pipeline, most of it at the exit).
    """
    gc.freeze()
    try:
        code = command() or 0
        sys.stdout.flush()
        return code
    except FerrisError as error:
        from ferris_beam.monitoring.terminal import show_error

        show_error(error)
        return 2 if isinstance(error, ConfigurationError) else 1
    except BrokenPipeError:
        # What is still buffered would fail once more when the interpreter exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return _INTERRUPTED
