"""Options of Beam's Flink runner that its Python part doesn't know, and one of ours."""

from __future__ import annotations

from argparse import ArgumentParser

from apache_beam.options.pipeline_options import (
    FlinkRunnerOptions,
    PipelineOptions,
    PortableOptions,
)


class FlinkOptions(PipelineOptions):
    """Passed on to the job server under these names; None leaves one to the cluster."""

    @classmethod
    def _add_argparse_args(cls, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add(
            "--checkpointing_interval",
            type=int,
            help="Milliseconds between two checkpoints of a job on Flink; -1: none.",
        )
        add(
            "--max_bundle_time_mills",
            type=int,
            help="Milliseconds after which a bundle on Flink ends, so that rows are committed.",
        )
        add(
            "--finish_bundle_before_checkpointing",
            action="store_true",
            default=None,
            help="Ends the bundle at hand before each checkpoint on Flink.",
        )
        add(
            "--savepoint_path",
            help="The savepoint from which a job on Flink goes on; the command stop makes one.",
        )
        add(
            "--allow_non_restored_state",
            action="store_true",
            default=None,
            help="Leaves out state of the savepoint that the pipeline has no step for.",
        )
        add(
            "--number_of_execution_retries",
            type=int,
            help="How often Flink starts a failed job again; without it the cluster says.",
        )
        add(
            "--shutdown_sources_after_idle_ms",
            type=int,
            help="Milliseconds after which a source on Flink that has ended ends its task; with "
            "checkpoints it would stay for ever.",
        )
        add(
            "--unchecked_pool",
            action="store_true",
            default=False,
            help="Starts without a word with the worker pool, which only the cluster can reach.",
        )


def master_of(options: PipelineOptions) -> str | None:
    """The address of the JobManager; None where it isn't said."""
    master = options.view_as(FlinkRunnerOptions).flink_master
    return master if master and not master.startswith("[") else None


def pool_of(options: PipelineOptions) -> str | None:
    portable = options.view_as(PortableOptions)
    found: str | None = portable.environment_config or portable.lookup_environment_option(
        "external_service_address"
    )
    return found
