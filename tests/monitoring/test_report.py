from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

import ferris_beam as fb
from ferris_beam.errors import FatalError
from ferris_beam.monitoring import Report
from ferris_beam.transforms.context import PipelineContext, Run
from ferris_beam.transforms.meter import tally

UNITS, CELLS, ROWS = 2, 3, 50
READ = UNITS * CELLS * ROWS


def _run_to_the_end() -> tuple[beam.runners.runner.PipelineResult, Run]:
    pipeline = beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"]))
    with fb.DeadLetters("faulty://rejected") as dead:
        source = f"faulty://in?units={UNITS}&cells={CELLS}&rows={ROWS}&reject_every=7"
        read = pipeline | fb.read(source, dead_letters=dead)
        read | fb.write("faulty://out", dead_letters=dead)
    run = PipelineContext.of(pipeline).as_run()
    result = pipeline.run()
    result.wait_until_finish()
    return result, run


def test_counts_of_beam_are_what_the_sinks_hold(numbers: ModuleType) -> None:
    result, run = _run_to_the_end()
    report = Report.of(result.metrics(), run, "FnApiRunner", "exactly_once", 1.5)
    assert report.rows_read == READ
    assert report.rows_written == len(numbers.TABLES["out"].rows())
    assert report.rows_dead == len(numbers.TABLES["rejected"].rows())
    assert report.rows_dead > 0
    assert report.rows_written + report.rows_dead == READ
    assert report.batches_read == UNITS * CELLS
    assert report.commits > 0
    assert report.read_seconds > 0
    assert report.write_seconds > 0
    assert [sink.role for sink in report.sinks] == ["data", "dead_letters"]
    assert [source.uri for source in report.sources] == ["faulty://in"]
    assert (report.status, report.error) == ("done", None)


def test_the_tally_of_this_process_gives_the_same_report(numbers: ModuleType) -> None:
    result, run = _run_to_the_end()
    arguments = (run, "FnApiRunner", "exactly_once", 1.5)
    counted = tally(run.identity.run)
    assert Report.of(counted, *arguments) == Report.of(result.metrics(), *arguments)


def test_the_file_holds_every_field(numbers: ModuleType, tmp_path: Path) -> None:
    result, run = _run_to_the_end()
    report = Report.of(result.metrics(), run, "FnApiRunner", "exactly_once", 1.5, "failed", "no")
    path = tmp_path / "report.json"
    path.write_text("an older one")
    report.write(path)
    written = json.loads(path.read_text())
    assert written == json.loads(json.dumps(report.to_json()))
    assert (written["status"], written["error"]) == ("failed", "no")
    assert written["name"] == run.identity.name
    assert written["run"] == run.identity.run
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.json"]


def test_a_path_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    report = Report("n", "r", "FnApiRunner", "exactly_once", "done", 1.0)
    with pytest.raises(FatalError, match=r"missing/report\.json.*No such file.*give a path"):
        report.write(tmp_path / "missing" / "report.json")
