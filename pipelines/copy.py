"""Copies one URI to another: ``python -m pipelines.copy --source URI --sink URI``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import nullcontext, suppress

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

import ferris_beam as fb
from ferris_beam.cli import run_command
from ferris_beam.errors import FerrisError
from ferris_beam.monitoring.terminal import show_report
from ferris_beam.runners import Problems, beam_options, launch


def copy(pipeline: beam.Pipeline, arguments: argparse.Namespace) -> None:
    """source → sink, rejected rows → dead letters."""
    dead_letters = fb.DeadLetters(arguments.dead_letters) if arguments.dead_letters else None
    with dead_letters or nullcontext():
        records = pipeline | fb.read(
            arguments.source,
            columns=arguments.columns,
            limit=arguments.limit,
            dead_letters=dead_letters,
        )
        records | fb.write(arguments.sink, dead_letters=dead_letters)


def arguments_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.copy",
        description="Copies one URI to another, exactly once. "
        "All other flags are Beam's: --runner=…, --direct_num_workers=…",
        epilog="exit code: 0 done, 1 failed, 2 wrong usage or configuration",
        allow_abbrev=False,
    )
    parser.add_argument("--source", metavar="URI", required=True, help="where rows come from")
    parser.add_argument("--sink", metavar="URI", required=True, help="where rows go")
    parser.add_argument(
        "--dead-letters", metavar="URI", help="where rejected rows go; without it they stop the job"
    )
    parser.add_argument(
        "--columns", metavar="A,B", type=_names, help="reads these columns only, in this order"
    )
    parser.add_argument("--limit", metavar="N", type=_count, help="copies the first N rows only")
    parser.add_argument("--report", metavar="FILE.json", help="writes a report for machines")
    parser.add_argument("--quiet", action="store_true", help="prints errors only")
    progress = parser.add_argument_group("identity and delivery")
    identity = progress.add_mutually_exclusive_group()
    identity.add_argument("--name", help="a lasting name: started again, it goes on")
    identity.add_argument("--resume", metavar="ID", help="goes on with an earlier unnamed run")
    progress.add_argument("--rerun", action="store_true", help="runs a finished name once more")
    progress.add_argument("--reset", action="store_true", help="forgets progress, starts from zero")
    progress.add_argument(
        "--continue", dest="continue_changed", action="store_true", help="goes on although changed"
    )
    progress.add_argument("--delivery", choices=["exactly_once", "at_least_once"])
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    parser = arguments_parser()
    arguments, flags = parser.parse_known_args(argv)

    def command() -> int:
        options = checked(arguments, flags, parser)
        try:
            report = launch(lambda p: copy(p, arguments), options, quiet=arguments.quiet)
        except FerrisError as error:
            if arguments.report and hasattr(error, "report"):
                with suppress(FerrisError):  # the first error is the one to be told
                    error.report.write(arguments.report)
            raise
        if arguments.report:
            report.write(arguments.report)
        if not arguments.quiet:
            show_report(report)
        return 0

    return run_command(command)


def checked(
    arguments: argparse.Namespace, flags: Sequence[str], parser: argparse.ArgumentParser
) -> PipelineOptions:
    """The pipeline's options; raises all configuration errors of the command line at once."""
    problems = Problems("the copy can't start")
    options = problems.attempt(beam_options, flags, parser)
    problems.attempt(fb.create_source, arguments.source)
    problems.attempt(fb.create_sink, arguments.sink)
    if arguments.dead_letters:
        problems.attempt(fb.create_sink, arguments.dead_letters)
    problems.raise_any()
    assert options is not None
    progress = options.view_as(fb.ProgressOptions)
    for name in ("name", "resume", "rerun", "reset", "continue_changed", "delivery"):
        setattr(progress, name, getattr(arguments, name))
    return options


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of names like a,b")
    return names


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of rows above 0")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
