"""A pipeline to build, and to run or not."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions


@contextmanager
def new_pipeline(options: PipelineOptions) -> Iterator[beam.Pipeline]:
    """An empty pipeline. Beam makes a folder for each and removes it after a run; here it is gone
    behind the block also where the pipeline was refused, or only looked at."""
    pipeline = beam.Pipeline(options=options)
    try:
        yield pipeline
    finally:
        shutil.rmtree(pipeline.local_tempdir, ignore_errors=True)
