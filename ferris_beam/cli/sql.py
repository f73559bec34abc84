"""``python -m pipelines.sql``: a SQL text planned, run, and its results shown."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

import ferris_beam as fb
from ferris_beam.cli.copying import set_progress
from ferris_beam.cli.explaining import explanation
from ferris_beam.cli.results import count_of_rows_shown, show_result
from ferris_beam.errors import ConfigurationError, OptionError
from ferris_beam.monitoring import Report
from ferris_beam.runners import Problems, beam_options, launch, new_pipeline
from ferris_beam.sql.execution.program import Built, run_program
from ferris_beam.sql.nodes import Rows
from ferris_beam.sql.pipeline_options import pipeline_options
from ferris_beam.sql.plan import Catalog, Output, Program, plan_program
from ferris_beam.sql.results import CollectResult, Result
from ferris_beam.sql.statements import Describe, Explain, ShowStreams
from ferris_beam.sql.syntax import parse, replace_variables
from ferris_beam.sql.text import SqlText


@dataclass(frozen=True)
class SqlJob:
    """A planned text and how it is to be run: what is written under the pipeline's identity by
    ``options``, what is only shown by ``query_options``."""

    text: SqlText
    program: Program
    options: PipelineOptions
    query_options: PipelineOptions
    dead_letters: str | None = None

    def of(self, outputs: Iterable[Output]) -> SqlJob:
        """The same job with these outputs only."""
        return replace(self, program=replace(self.program, outputs=tuple(outputs)))

    def build(self, pipeline: beam.Pipeline) -> Built:
        """Applies the transforms of the whole program."""
        letters = fb.DeadLetters(self.dead_letters) if self.dead_letters else None
        with letters or nullcontext():
            return run_program(pipeline, self.program, text=self.text, dead_letters=letters)


def planned(
    arguments: argparse.Namespace, flags: Sequence[str], parser: argparse.ArgumentParser
) -> SqlJob:
    """Everything that can be known before the start; raises all that is wrong with it."""
    problems = Problems("the SQL job can't start")
    options = problems.attempt(beam_options, flags, parser)
    if arguments.dead_letters:
        problems.attempt(fb.create_sink, arguments.dead_letters)
    problems.raise_any()
    assert options is not None
    text = replace_variables(text_of(arguments), os.environ, dict(arguments.set))
    statements = parse(text)
    for name, value in pipeline_options(statements, text).items():
        if not getattr(arguments, name) and not (name == "name" and arguments.resume):
            setattr(arguments, name, value)
    program = plan_program(statements, text, Catalog())
    program = replace(program, outputs=tuple(_with_names(program.outputs)))
    _refuse_flags_without_meaning(arguments, program)
    set_progress(options, arguments)
    return SqlJob(text, program, options, beam_options(flags, parser), arguments.dead_letters)


_PROGRESS = {
    "--name": "name",
    "--resume": "resume",
    "--rerun": "rerun",
    "--reset": "reset",
    "--continue": "continue_changed",
    "--delivery": "delivery",
}


def _refuse_flags_without_meaning(arguments: argparse.Namespace, program: Program) -> None:
    writes = any(output.sink and _is_run(output) for output in program.outputs)
    asks = any(not output.sink and _is_run(output) for output in program.outputs)
    flags = ("name", "resume", "rerun", "reset", "continue_changed", "delivery")
    given = [
        name.replace("continue_changed", "continue") for name in flags if getattr(arguments, name)
    ]
    if given and not (writes or arguments.explain):
        raise OptionError(f"--{given[0]} has no meaning: no statement writes (INTO 'uri')")
    if arguments.report and not (writes or asks):
        raise OptionError("--report has no meaning: no statement is run")
    if arguments.dead_letters and writes and asks:
        raise OptionError(
            "--dead-letters holds the rejected rows of one run, and what is written and what is "
            "printed are two: put the queries into a text of their own"
        )


def text_of(arguments: argparse.Namespace) -> SqlText:
    """What ``--query`` or ``--file`` says."""
    if arguments.query is not None:
        return SqlText(arguments.query)
    if arguments.file == "-":
        return SqlText(sys.stdin.read(), "standard input")
    try:
        return SqlText(Path(arguments.file).read_text(encoding="utf-8-sig"), arguments.file)
    except OSError as error:
        raise ConfigurationError(
            f"{arguments.file} can't be read: {error.strerror}; --query '…' takes SQL itself"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{arguments.file} is no UTF-8 at byte {error.start:,}; save it as UTF-8"
        ) from error


def _with_names(outputs: Sequence[Output]) -> Iterable[Output]:
    """Queries have no name of their own; labels need one, the same at every start."""
    for place, output in enumerate(outputs):
        yield replace(output, name=output.name or f"query {place + 1}")


def run(job: SqlJob, *, json: bool = False, quiet: bool = False) -> Report | None:
    """Runs what is to be run, then shows the results in the order of their statements. The report
    of what was written, else that of the queries; None if nothing had to run.

    Queries are a pipeline of their own: they want all rows, also where sinks hold some of them.
    """
    writing = [output for output in job.program.outputs if _is_run(output) and output.sink]
    asking = [output for output in job.program.outputs if _is_run(output) and not output.sink]
    with tempfile.TemporaryDirectory(prefix="ferris-sql-") as folder:
        collected = Collected(Path(folder), None if json else count_of_rows_shown())
        written = Launched(job.of(writing), collected)
        asked = Launched(job.of(asking), collected)
        if writing:
            written.launch(job.options, quiet=quiet)
        if asking:
            asked.launch(job.query_options, quiet=True)
        for output in job.program.outputs:
            if isinstance(output.statement, Explain):
                print(_explanation(job, output, written if output.sink else asked))
            elif output.sink is None:
                show_result(collected.result_of(output), json=json)
    return written.report or asked.report


def _is_run(output: Output) -> bool:
    """DESCRIBE and SHOW have their rows in the plan; EXPLAIN runs with ANALYZE only."""
    if isinstance(output.statement, Explain):
        return output.statement.analyze
    return not isinstance(output.statement, (Describe, ShowStreams))


@dataclass(frozen=True)
class Collected:
    """Where results lie that are shown; ``most`` rows of each batch are kept."""

    folder: Path
    most: int | None

    def folder_of(self, output: Output) -> Path:
        folder = self.folder / quote(output.name, safe="")
        folder.mkdir(exist_ok=True)
        return folder

    def result_of(self, output: Output) -> Result:
        if isinstance(output.node, Rows) and not _is_run(output):
            return Result.of_text(output.node.rows, output.node.schema)
        return Result(self.folder_of(output), output.node.schema)


class Launched:
    """One pipeline of the job: ``built`` and ``report`` are there once it has run."""

    def __init__(self, job: SqlJob, collected: Collected) -> None:
        self.job = job
        self.collected = collected
        self.built: Built | None = None
        self.report: Report | None = None
        self.pipeline: beam.Pipeline | None = None

    def launch(self, options: PipelineOptions, *, quiet: bool) -> None:
        self.report = launch(self._build, options, quiet=quiet)

    def _build(self, pipeline: beam.Pipeline) -> None:
        self.built = self.job.build(pipeline)
        for output in self.job.program.outputs:
            if output.sink is None:
                most = 0 if isinstance(output.statement, Explain) else self.collected.most
                collect = CollectResult(self.collected.folder_of(output), most)
                self.built.results[output.name] | f"{output.name}: Collect" >> collect
        self.pipeline = pipeline


def explained(job: SqlJob) -> str:
    """The plans of all outputs; the pipeline is built, and not run."""
    with new_pipeline(job.options) as pipeline:
        return explanation(job.program, job.build(pipeline), pipeline)


def _explanation(job: SqlJob, output: Output, launched: Launched) -> str:
    """Of an EXPLAIN; with what was counted, if it ran."""
    alone = job.of([output])
    if launched.built is None or launched.report is None or not _is_run(output):
        return explained(alone)
    return explanation(alone.program, launched.built, launched.pipeline, launched.report)
