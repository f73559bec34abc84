"""What a copy is: the graph, and the check of its command line; for the one who runs it
(`python -m pipelines.copy`) and the one who only looks (`preview`)."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import nullcontext

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

import ferris_beam as fb
from ferris_beam.runners import Problems, beam_options


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


def checked(
    arguments: argparse.Namespace,
    flags: Sequence[str] = (),
    parser: argparse.ArgumentParser | None = None,
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
    set_progress(options, arguments)
    return options


def set_progress(options: PipelineOptions, arguments: argparse.Namespace) -> None:
    """What `add_progress_arguments` read, as options of the pipeline."""
    progress = options.view_as(fb.ProgressOptions)
    for name in ("name", "resume", "rerun", "reset", "continue_changed", "delivery"):
        setattr(progress, name, getattr(arguments, name))
