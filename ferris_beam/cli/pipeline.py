"""The command line of a small pipeline: its places as flags, all other flags Beam's."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

from ferris_beam.cli.command import run_command
from ferris_beam.cli.reporting import reported


def run_pipeline(
    build: Callable[[Any, argparse.Namespace], Any],
    description: str | None,
    argv: Sequence[str] | None = None,
    **places: str,
) -> int:
    """Runs ``build(pipeline, places)`` and shows its report; the exit code.

    ``places`` are the pipeline's own flags, each required, with what it means: ``source="the
    files"`` is ``--source``, and arrives as ``places.source``. ``description`` is the module's
    docstring. ``--report FILE`` writes the report for machines, ``--quiet`` prints errors only.
    """
    parser = argparse.ArgumentParser(
        prog=_program(),
        description=" ".join((description or "").split()),
        epilog="All other flags are Beam's and the package's: --name=NAME, --runner=…, "
        "--direct_num_workers=… Exit code: 0 done, 1 failed, 2 wrong usage or configuration.",
        allow_abbrev=False,
    )
    for name, meaning in places.items():
        parser.add_argument(
            f"--{name.replace('_', '-')}", metavar="URI", required=True, help=meaning
        )
    parser.add_argument("--report", metavar="FILE.json", help="writes a report for machines")
    parser.add_argument("--quiet", action="store_true", help="prints errors only")
    arguments, flags = parser.parse_known_args(sys.argv[1:] if argv is None else argv)
    return run_command(lambda: _run(build, arguments, flags, parser))


def _run(
    build: Callable[[Any, argparse.Namespace], Any],
    arguments: argparse.Namespace,
    flags: Sequence[str],
    parser: argparse.ArgumentParser,
) -> None:
    from ferris_beam.monitoring import Report
    from ferris_beam.monitoring.terminal import show_report
    from ferris_beam.runners import beam_options, launch

    options = beam_options(flags, parser)

    def run() -> Report:
        return launch(lambda pipeline: build(pipeline, arguments), options, quiet=arguments.quiet)

    report = reported(run, arguments.report)
    if report is not None and not arguments.quiet:
        show_report(report)


def _program() -> str | None:
    """How the pipeline was called; None: argparse's own guess."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return f"python -m {spec.name}" if spec is not None else None
