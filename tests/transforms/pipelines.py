"""Running pipelines in tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions


def run(build: Callable[[beam.Pipeline], Any], *flags: str, threads: int = 1) -> Any:
    """Builds a pipeline and runs it in this process; gives the result, for its metrics."""
    pipeline = beam.Pipeline(options=options(*flags, threads=threads))
    build(pipeline)
    result = pipeline.run()
    result.wait_until_finish()
    return result


def options(*flags: str, threads: int = 1) -> PipelineOptions:
    return PipelineOptions(
        [
            "--runner=FnApiRunner",
            "--direct_running_mode=multi_threading",
            f"--direct_num_workers={threads}",
            *flags,
        ]
    )


def counter(result: Any, name: str) -> int:
    """A Beam counter of ours, summed over connectors."""
    counters = result.metrics().query()["counters"]
    return sum(
        found.result
        for found in counters
        if found.key.metric.namespace.startswith("ferris.") and found.key.metric.name == name
    )
