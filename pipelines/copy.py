"""Copies one URI to another: ``python -m pipelines.copy --source URI --sink URI``.

`ferris_beam.cli.copying.copy` is the graph; ``python -m ferris_beam preview`` with the same flags
shows what it would do.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ferris_beam.cli import run_command
from ferris_beam.cli.arguments import add_copy_arguments
from ferris_beam.cli.reporting import reported

IMPORTS = (
    "ferris_beam.cli.copying",
    "ferris_beam.connectors.file.choose",
    "ferris_beam.connectors.file.writer",
    "apache_beam.runners.portability.fn_api_runner.fn_runner",
)
"""What most copies need: the runner and connector that are not the usual ones come later."""


def arguments_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.copy",
        description="Copies one URI to another, exactly once. "
        "All other flags are Beam's: --runner=…, --direct_num_workers=…",
        epilog="exit code: 0 done, 1 failed, 2 wrong usage or configuration",
        allow_abbrev=False,
    )
    add_copy_arguments(parser)
    parser.add_argument("--report", metavar="FILE.json", help="writes a report for machines")
    parser.add_argument("--quiet", action="store_true", help="prints errors only")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    parser = arguments_parser()
    arguments, flags = parser.parse_known_args(argv)

    def command() -> int:
        from ferris_beam.cli.copying import checked, copy
        from ferris_beam.monitoring import Report
        from ferris_beam.monitoring.terminal import show_report
        from ferris_beam.runners import launch

        options = checked(arguments, flags, parser)

        def run() -> Report:
            return launch(lambda p: copy(p, arguments), options, quiet=arguments.quiet)

        report = reported(run, arguments.report)
        if report is not None and not arguments.quiet:
            show_report(report)
        return 0

    return run_command(command, imports=IMPORTS)


if __name__ == "__main__":
    sys.exit(main())
