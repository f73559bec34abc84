"""Which runner is chosen: what was said stays, what was left open is pinned."""

from __future__ import annotations

import sys

import pytest
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, StandardOptions

from ferris_beam.errors import ConfigurationErrors, OptionError
from ferris_beam.runners import Problems, beam_options, choose


def direct(options: PipelineOptions) -> tuple[str, int]:
    found = options.view_as(DirectOptions)
    return found.direct_running_mode, found.direct_num_workers


def test_the_default_is_pinned_with_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 6)
    monkeypatch.setattr(sys, "argv", ["program"])
    for options in (PipelineOptions([]), PipelineOptions()):
        choice = choose(options)
        assert choice.runner == "FnApiRunner"
        assert choice.in_process
        assert "6 threads" in choice.line
        assert options.view_as(StandardOptions).runner == "FnApiRunner"
        assert direct(options) == ("multi_threading", 6)


@pytest.mark.parametrize("workers", [1, 3])
def test_flags_win_also_where_they_equal_beams_default(workers: int) -> None:
    options = PipelineOptions([f"--direct_num_workers={workers}"])
    assert f"{workers} thread" in choose(options).line
    assert direct(options) == ("multi_threading", workers)


def test_keywords_and_the_command_line_win(monkeypatch: pytest.MonkeyPatch) -> None:
    options = PipelineOptions([], direct_num_workers=1)
    choose(options)
    assert direct(options)[1] == 1
    monkeypatch.setattr(sys, "argv", ["program", "--direct_num_workers=1"])
    options = PipelineOptions()
    choose(options)
    assert direct(options)[1] == 1


def test_processes_are_not_this_process() -> None:
    options = PipelineOptions(["--direct_running_mode=multi_processing", "--direct_num_workers=2"])
    assert not choose(options).in_process


def test_another_runner_is_left_alone() -> None:
    options = PipelineOptions(["--runner=PortableRunner"])
    choice = choose(options)
    assert (choice.runner, choice.in_process) == ("PortableRunner", False)
    assert "--runner" in choice.line


def test_unknown_flags_are_refused_with_a_suggestion() -> None:
    assert beam_options(["--job_name=x"]).get_all_options()["job_name"] == "x"
    with pytest.raises(OptionError, match="did you mean --direct_num_workers"):
        beam_options(["--direct_num_worker=2"])
    with pytest.raises(OptionError, match="unknown flag stray"):
        beam_options(["stray"])
    with pytest.raises(OptionError, match="direct_num_workers"):
        beam_options(["--direct_num_workers=many"])


def test_all_problems_are_told_together() -> None:
    problems = Problems("it can't start")
    problems.attempt(beam_options, ["--nonsense=1"])
    assert problems.attempt(len, "abc") == 3
    problems.attempt(beam_options, ["--rubbish=1"])
    with pytest.raises(ConfigurationErrors) as caught:
        problems.raise_any()
    assert len(caught.value.problems) == 2
