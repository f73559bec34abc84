"""What all commands share: exit codes (0 done, 1 failed, 2 wrong usage or configuration)."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from ferris_beam.errors import ConfigurationError, FerrisError

DONE, FAILED, MISCONFIGURED = 0, 1, 2
_INTERRUPTED = 130
"""128 and the number of SIGINT, as shells have it."""


def run_command(
    command: Callable[[], int | None], as_json: bool = False, imports: Sequence[str] = ()
) -> int:
    """The exit code of ``command``; our own errors are shown without a traceback, or as JSON on
    standard output. ``imports`` are the heavy modules that the command is going to need.

    A reader of the output that has seen enough (``… | head``) is no error.
    """
    import_for_good(imports)
    try:
        try:
            code = command() or DONE
        except FerrisError as error:
            code = MISCONFIGURED if isinstance(error, ConfigurationError) else FAILED
            _tell(error, code, as_json)
        except Exception as error:
            if not as_json or isinstance(error, BrokenPipeError):
                raise
            code = _tell_of_a_fault(error)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # What is still buffered would fail once more when the interpreter exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return _INTERRUPTED


def import_for_good(modules: Sequence[str]) -> None:
    """What is imported for a command stays to the end: the garbage collector need not look at it
    again and again (a second of a short pipeline, half of it while Beam is imported)."""
    gc.disable()
    try:
        for module in modules:
            import_module(module)
        gc.freeze()
    finally:
        gc.enable()


def _tell_of_a_fault(error: Exception) -> int:
    """An error that nobody foresaw: a document all the same, and the traceback for its mending."""
    import traceback

    from ferris_beam.cli.documents import of_error, print_json

    traceback.print_exc()
    told = of_error(FerrisError(str(error)), FAILED)
    told["error"]["type"] = type(error).__name__
    print_json(told)
    return FAILED


def _tell(error: FerrisError, code: int, as_json: bool) -> None:
    if as_json:
        from ferris_beam.cli.documents import of_error, print_json

        print_json(of_error(error, code))
    else:
        from ferris_beam.monitoring.terminal import show_error

        show_error(error)
