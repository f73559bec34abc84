"""What must hold before a job is submitted to Flink; all that doesn't is told at once."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import grpc
from apache_beam.options.pipeline_options import (
    FlinkRunnerOptions,
    JobServerOptions,
    PipelineOptions,
    PortableOptions,
)

from ferris_beam.errors import ConfigurationError, FatalError, UnreachableError
from ferris_beam.runners.arguments import Problems
from ferris_beam.runners.flink.cluster import FlinkCluster
from ferris_beam.runners.flink.options import FlinkOptions, master_of, pool_of
from ferris_beam.runners.flink.pool import check_pool

CONNECT_SECONDS = 10.0
_LOCAL = {"localhost", "127.0.0.1", "::1", "0.0.0.0"}
_ON_DEMAND = ("kubernetes.cluster-id", "yarn.application.id")
"""Settings of clusters that start TaskManagers when a job asks for slots."""


@dataclass(frozen=True, slots=True)
class Submission:
    """Where a job goes: ``cluster`` is None where only the job server knows it."""

    cluster: FlinkCluster | None
    job_endpoint: str | None
    pool: str | None


def submission_of(options: PipelineOptions) -> Submission:
    master = master_of(options)
    portable = options.view_as(PortableOptions)
    external = portable.environment_type == "EXTERNAL"
    return Submission(
        FlinkCluster(master) if master else None,
        portable.job_endpoint,
        pool_of(options) if external else None,
    )


def check_submission(options: PipelineOptions) -> None:
    """Raises `ConfigurationErrors` with each problem and its fix. Sets ``--flink_version`` as the
    cluster has it, where a job server is to be started."""
    submission = submission_of(options)
    problems = Problems("the job can't be started on Flink")
    hosts: list[str] = []
    if submission.cluster is not None:
        hosts = problems.attempt(_check_cluster, submission.cluster, options) or []
    if submission.job_endpoint:
        problems.attempt(_check_job_server, submission.job_endpoint)
    else:
        problems.attempt(_check_java, options)
    if submission.pool and not options.view_as(FlinkOptions).unchecked_pool:
        for address in sorted(set(_pools(submission.pool, hosts))):
            problems.attempt(check_pool, address)
    problems.raise_any()


def _check_cluster(cluster: FlinkCluster, options: PipelineOptions) -> list[str]:
    """The hosts of its TaskManagers."""
    try:
        overview, settings = cluster.overview(), cluster.configuration()
        hosts = cluster.task_managers()
    except UnreachableError as error:
        raise ConfigurationError(
            f"{error.message}; --flink_master=http://HOST:8081 says where the JobManager's REST "
            "API is"
        ) from None
    except FatalError as error:
        raise ConfigurationError(f"{error.message} (--flink_master)") from None
    if not options.view_as(PortableOptions).job_endpoint:
        _set_version(overview["flink-version"], options)
    if not any(name in settings for name in _ON_DEMAND):
        _check_slots(cluster, overview, settings, options)
    return hosts


def _check_slots(
    cluster: FlinkCluster,
    overview: dict[str, Any],
    settings: dict[str, str],
    options: PipelineOptions,
) -> None:
    asked = options.view_as(FlinkRunnerOptions).parallelism
    needed = asked if asked > 0 else int(settings.get("parallelism.default", 1))
    free, total = overview["slots-available"], overview["slots-total"]
    if needed > free:
        raise ConfigurationError(
            f"the job needs {needed} {'slots' if needed > 1 else 'slot'} (--parallelism), and "
            f"{free} of the {total} at {cluster.address} are free: stop a job there, start another "
            "TaskManager, or ask for less"
        )


def _set_version(version: str, options: PipelineOptions) -> None:
    """Beam has a job server for each minor version of Flink."""
    known = FlinkRunnerOptions.PUBLISHED_FLINK_VERSIONS
    minor = ".".join(version.split(".")[:2])
    if minor not in known and not options.view_as(FlinkRunnerOptions).flink_job_server_jar:
        raise ConfigurationError(
            f"the cluster runs Flink {version}; this version of Beam has job servers for "
            f"{', '.join(known)}: --job_endpoint=HOST:PORT takes one that you run yourself"
        )
    if minor in known:
        options.view_as(FlinkRunnerOptions).flink_version = minor


def _check_job_server(endpoint: str) -> None:
    with grpc.insecure_channel(endpoint) as channel:
        try:
            grpc.channel_ready_future(channel).result(CONNECT_SECONDS)
        except grpc.FutureTimeoutError:
            raise ConfigurationError(
                f"no job server answers at {endpoint} (--job_endpoint): start Beam's job server "
                "for Flink there, or leave the flag out, which starts one for this run"
            ) from None


def _check_java(options: PipelineOptions) -> None:
    server = options.view_as(JobServerOptions)
    if shutil.which(server.job_server_java_launcher) is None:
        raise ConfigurationError(
            f"Beam's job server needs Java, and {server.job_server_java_launcher!r} is no program "
            "here: install Java 11 or 17, or give --job_endpoint=HOST:PORT of one that runs"
        )
    jar = options.view_as(FlinkRunnerOptions).flink_job_server_jar
    if jar and "://" not in jar and not os.path.exists(jar):
        raise ConfigurationError(f"--flink_job_server_jar={jar}: there is no such file")


def _pools(address: str, hosts: list[str]) -> Iterator[str]:
    """The addresses of all pools: where one is said to be local, that is on each TaskManager."""
    host, _, port = address.rpartition(":")
    if host not in _LOCAL or all(_is_here(each) for each in hosts):
        yield address
        return
    for each in hosts:
        yield f"{each}:{port}"


def _is_here(host: str) -> bool:
    """Whether a host is this machine: then one of its addresses can be bound."""
    if host in _LOCAL:
        return True
    try:
        with socket.socket() as probe:
            probe.bind((host, 0))
    except OSError:
        return False
    return True
