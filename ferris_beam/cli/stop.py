"""``python -m ferris_beam stop JOB``: ends a job on Flink, with a savepoint where asked for."""

from __future__ import annotations

import argparse
from typing import Any

from ferris_beam.cli.documents import print_json


def run(arguments: argparse.Namespace) -> None:
    told = _stopped(arguments.job, arguments.flink_master, arguments.savepoint)
    if arguments.json:
        print_json(told)
        return
    print(f"job {told['job']} is stopped; what was read is committed")
    if told["savepoint"]:
        print(f"its savepoint: {told['savepoint']}")
        print("the same command with this flag goes on from there:")
        print(f"  --savepoint_path={told['savepoint']}")
    else:
        print("the same command goes on from the rows that its sinks hold")


def _stopped(name: str, address: str, savepoint: str | None) -> dict[str, Any]:
    """``savepoint``: None for none, '' for the cluster's own folder."""
    from ferris_beam.runners.flink.cluster import FlinkCluster, find_job

    cluster = FlinkCluster(address)
    job = find_job(cluster, name)
    place = None
    if savepoint is None:
        cluster.cancel_and_wait(job.id)
    else:
        place = cluster.stop_with_savepoint(job.id, savepoint or None)
    return {"job": job.id, "name": job.name, "savepoint": place}
