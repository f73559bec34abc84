"""What a run on Flink needs set, where the command line leaves it open."""

from __future__ import annotations

from collections.abc import Iterator

from apache_beam.options.pipeline_options import (
    FlinkRunnerOptions,
    PipelineOptions,
    PortableOptions,
    StandardOptions,
)

from ferris_beam.errors import ConfigurationError
from ferris_beam.runners.flink.options import FlinkOptions, master_of, pool_of

BEAMS_NAME = "FlinkRunner"
TIMEOUT_SECONDS = 365 * 24 * 3600
"""``job_server_timeout``: with Beam's default a run of more than 300 s is reported as failed."""

CHECKPOINT_MILLISECONDS = 10_000
BUNDLE_MILLISECONDS = 500
"""With checkpoints Beam's Flink runner keeps a bundle open for as long as rows are few: without a
limit of time none would ever be committed."""


def is_flink(name: str, options: PipelineOptions) -> bool:
    """Whether ``--runner`` and the other flags mean a cluster that can be watched. Without an
    address FlinkRunner is left to Beam, which starts a Flink of its own."""
    addressed = master_of(options) is not None
    if name == "flink":
        return True
    endpoint = options.view_as(PortableOptions).job_endpoint
    if name == BEAMS_NAME:
        return addressed or endpoint is not None
    return name == "PortableRunner" and addressed


def choose_flink(name: str, options: PipelineOptions) -> str:
    """Sets the runner and where workers are; returns the place of the cluster, in words."""
    portable = options.view_as(PortableOptions)
    master, endpoint = master_of(options), portable.job_endpoint
    if master is None and endpoint is None:
        raise ConfigurationError(
            "--runner=flink needs a cluster: --flink_master=http://HOST:8081 is the address of its "
            "JobManager, --job_endpoint=HOST:8099 that of a job server which runs already"
        )
    if portable.environment_type is None:
        if pool_of(options):
            portable.environment_type = "EXTERNAL"
        elif name == "flink":
            raise ConfigurationError(
                "--runner=flink needs workers: --environment_config=HOST:PORT is a worker pool "
                "beside each TaskManager; --environment_type=DOCKER or PROCESS lets Flink start "
                "them"
            )
    options.view_as(StandardOptions).runner = BEAMS_NAME
    if master is None:
        return f"job server {endpoint}; --flink_master would let the cluster be checked and watched"
    return master if endpoint is None else f"{master} by job server {endpoint}"


def set_defaults(options: PipelineOptions, endless: bool) -> list[str]:
    """Sets what is open; returns the flags that say the same."""
    return list(_set_defaults(options, endless))


def _set_defaults(options: PipelineOptions, endless: bool) -> Iterator[str]:
    portable, flink = options.view_as(PortableOptions), options.view_as(FlinkOptions)
    if portable.environment_type is not None:
        yield f"--environment_type={portable.environment_type}"
    portable.job_server_timeout = TIMEOUT_SECONDS
    yield f"--job_server_timeout={TIMEOUT_SECONDS}"
    parallelism = options.view_as(FlinkRunnerOptions).parallelism
    if parallelism > 0:
        yield f"--parallelism={parallelism}"
    options.view_as(StandardOptions).streaming = endless
    if endless:
        yield "--streaming"
        if flink.checkpointing_interval is None:
            flink.checkpointing_interval = CHECKPOINT_MILLISECONDS
    if (flink.checkpointing_interval or -1) > 0:
        yield f"--checkpointing_interval={flink.checkpointing_interval}"
        if flink.max_bundle_time_mills is None:
            flink.max_bundle_time_mills = BUNDLE_MILLISECONDS
        yield f"--max_bundle_time_mills={flink.max_bundle_time_mills}"
        flink.finish_bundle_before_checkpointing = True
        yield "--finish_bundle_before_checkpointing"
