"""Pipeline options of SQL."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError

from apache_beam.options.pipeline_options import PipelineOptions

from ferris_beam.sql.rules import BROADCAST_LIMIT

MB = 1_000_000

HELD_FACTOR = 8
"""How many times as much as was estimated a table may take before it is refused."""


class SqlOptions(PipelineOptions):
    """``--broadcast_limit`` and ``--sql_memory_limit``."""

    @classmethod
    def _add_argparse_args(cls, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--broadcast_limit",
            type=int,
            default=int(BROADCAST_LIMIT) // MB,
            metavar="MB",
            help="One side of a join is held by every worker where it is estimated to take up to "
            "so many megabytes; both are partitioned by hash where they are larger. 0: always.",
        )
        parser.add_argument(
            "--sql_memory_limit",
            type=_megabytes,
            default=None,
            metavar="MB",
            help="What a join by hash, a sort, window functions or groups hold at a time, in each "
            "thread, in megabytes; what is more goes through files or is computed in shares. By "
            "default 512, for groups 1024.",
        )


def _megabytes(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no whole number of megabytes above 0")
    return int(text)
