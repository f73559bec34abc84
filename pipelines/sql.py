"""Runs SQL over URIs: ``python -m pipelines.sql --query "SELECT … FROM 'uri'"``.

`ferris_beam.cli.sql` plans and runs the text; docs/sql.md is the language.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ferris_beam.cli import run_command
from ferris_beam.cli.arguments import add_sql_arguments
from ferris_beam.cli.reporting import reported

IMPORTS = (
    "ferris_beam.cli.sql",
    "ferris_beam.sql.plan.queries",
    "ferris_beam.sql.plan.joins",
    "ferris_beam.connectors.file.choose",
    "ferris_beam.connectors.file.reader",
    "ferris_beam.connectors.file.writer",
    "apache_beam.runners.portability.fn_api_runner.fn_runner",
)
"""What most queries need: the runner and connector that are not the usual ones come later."""


def arguments_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.sql",
        description="Runs SQL over URIs: results of SELECT are printed, those with INTO written, "
        "exactly once. All other flags are Beam's: --runner=…, --direct_num_workers=…",
        epilog="exit code: 0 done, 1 failed, 2 wrong usage, SQL or configuration",
        allow_abbrev=False,
    )
    add_sql_arguments(parser)
    parser.add_argument("--report", metavar="FILE.json", help="writes a report for machines")
    parser.add_argument("--quiet", action="store_true", help="prints results and errors only")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    parser = arguments_parser()
    arguments, flags = parser.parse_known_args(argv)

    def command() -> int:
        from ferris_beam.sql.functions.modules import using_modules

        with using_modules(arguments.functions):
            return run_text()

    def run_text() -> int:
        from ferris_beam.cli.sql import explained, planned, run
        from ferris_beam.monitoring.terminal import show_report

        job = planned(arguments, flags, parser)
        if arguments.explain:
            print(explained(job))
            return 0
        report = reported(
            lambda: run(job, json=arguments.json, quiet=arguments.quiet), arguments.report
        )
        if report is not None and report.sinks and not (arguments.quiet or arguments.json):
            show_report(report)
        return 0

    return run_command(command, imports=IMPORTS)


if __name__ == "__main__":
    sys.exit(main())
