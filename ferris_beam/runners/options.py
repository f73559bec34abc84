"""Pipeline options about the runner and what it is asked to do."""

from __future__ import annotations

from argparse import ArgumentParser

from apache_beam.options.pipeline_options import PipelineOptions


class RunnerOptions(PipelineOptions):
    """``--allow_unverified`` and ``--verbose``."""

    @classmethod
    def _add_argparse_args(cls, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--allow_unverified",
            "--allow-unverified",
            action="store_true",
            default=False,
            help="Starts although nobody has seen this runner do all that the pipeline needs.",
        )
        parser.add_argument(
            "-v",
            "--verbose",
            action="store_true",
            default=False,
            help="Shows what Beam and the runner log, with each traceback of its workers.",
        )
