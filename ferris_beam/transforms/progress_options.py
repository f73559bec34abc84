"""Pipeline options about identity and progress: who resumes what."""

from __future__ import annotations

from argparse import ArgumentParser

from apache_beam.options.pipeline_options import PipelineOptions


class ProgressOptions(PipelineOptions):
    """``--name``, ``--resume``, ``--rerun``, ``--reset``, ``--continue``, ``--delivery``, and
    ``--state_memory``."""

    @classmethod
    def _add_argparse_args(cls, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--name",
            help="The pipeline's lasting name: started again, it goes on where it stopped.",
        )
        parser.add_argument(
            "--resume", metavar="ID", help="Goes on with an earlier run that had no name."
        )
        parser.add_argument(
            "--rerun",
            action="store_true",
            default=False,
            help="Runs a finished pipeline of this name once more, from the start.",
        )
        parser.add_argument(
            "--reset",
            action="store_true",
            default=False,
            help="Forgets the progress of this name and starts from zero.",
        )
        parser.add_argument(
            "--continue_changed",
            "--continue",
            dest="continue_changed",
            action="store_true",
            default=False,
            help="Goes on with unfinished progress although the pipeline has changed.",
        )
        parser.add_argument(
            "--delivery",
            choices=["exactly_once", "at_least_once"],
            default=None,
            help="Refuses to start if the plan can't do it; at_least_once keeps no ledger.",
        )
        parser.add_argument(
            "--state_memory",
            type=int,
            default=512,
            metavar="MB",
            help="Rows that wait for a join or an aggregate stay in memory up to so many "
            "megabytes, beyond that in temporary files.",
        )
