"""What a pipeline needs is found in its graph, and refused where its runner can't do it."""

from __future__ import annotations

import sys
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.transforms import window

import ferris_beam as fb
from ferris_beam.errors import PlanError
from ferris_beam.runners import beam_options, choose
from ferris_beam.runners.capabilities import FN_API, PRISM, STREAMING
from ferris_beam.runners.choice import Choice
from ferris_beam.runners.features import Feature, features_of
from ferris_beam.runners.gate import check, limits
from tests.runners.feature_pipelines import Seen, build


class OtherRunner(FnApiRunner):
    """A runner that is in no table."""


def settled(feature: Feature, *flags: str) -> Choice:
    options = PipelineOptions(list(flags))
    choice = choose(options)
    pipeline = beam.Pipeline(options=options)
    build(feature, pipeline, Seen())
    return choice.settled(pipeline)


@pytest.fixture
def without_prism(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "a prism"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return f"--prism_location={path}"


@pytest.mark.usefixtures("without_prism")
class TestChoice:
    def test_copies_stay_where_they_are(self, program: str) -> None:
        for feature in (Feature.BOUNDED_READ, Feature.ENDLESS_READ, Feature.GROUPING):
            assert settled(feature, program).runner == FN_API

    def test_live_windows_go_to_prism_where_there_is_one(self, program: str) -> None:
        for feature in (Feature.LIVE_GROUPING, Feature.LIVE_TIMERS, Feature.LIVE_SHUFFLE):
            choice = settled(feature, program)
            assert choice.runner == PRISM
            assert "never ends" in choice.line
            for flag in ("--environment_type=LOOPBACK", "--job_server_timeout=", "--streaming"):
                assert flag in choice.line

    def test_they_stay_in_this_process_where_there_is_none(self) -> None:
        choice = settled(Feature.LIVE_GROUPING, "--runner=local")
        assert choice.runner == STREAMING
        assert "no Prism was found" in choice.line

    def test_what_prism_can_t_do_stays_in_this_process(self, program: str) -> None:
        choice = settled(Feature.LIVE_SESSIONS, program)
        assert choice.runner == STREAMING
        assert "Prism can't" in choice.line

    def test_a_runner_that_was_named_is_kept(self, program: str) -> None:
        assert settled(Feature.LIVE_GROUPING, "--runner=FnApiRunner").runner == FN_API
        assert settled(Feature.GROUPING, "--runner=LocalStreamingRunner").runner == STREAMING
        for name in ("prism", "PrismRunner"):
            choice = settled(Feature.GROUPING, f"--runner={name}", program)
            assert choice.runner == PRISM
            assert "--streaming" not in choice.line

    def test_a_prism_that_is_not_there_is_a_configuration_error(self, tmp_path: Path) -> None:
        with pytest.raises(fb.errors.ConfigurationError, match="go install"):
            choose(PipelineOptions(["--runner=prism"]))
        with pytest.raises(fb.errors.ConfigurationError, match="is no program"):
            choose(PipelineOptions(["--runner=prism", f"--prism_location={tmp_path}"]))

    def test_prism_is_found_on_the_path(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "prism").write_text("#!/bin/sh\n")
        (tmp_path / "prism").chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        assert choose(PipelineOptions(["--runner=prism"])).program == tmp_path / "prism"

    def test_prism_is_found_in_beams_cache(self, tmp_path: Path) -> None:
        folder = tmp_path / ".apache_beam" / "cache" / "prism" / "bin"
        folder.mkdir(parents=True)
        name = f"apache_beam-v{beam.__version__}-prism-{sys.platform}-amd64"
        for found in (folder / name, folder / f"{name}.zip"):
            found.write_text("")
            found.chmod(0o755)
        assert choose(PipelineOptions(["--runner=prism"])).program == folder / name


class TestFeatures:
    def test_a_copy_shuffles_its_splits_and_nothing_else(self, tmp_path: Path) -> None:
        def needed(uri: str) -> set[Feature]:
            pipeline = beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"]))
            pipeline | fb.read(uri) | fb.write(f"file:{tmp_path}/out.jsonl")
            return set(features_of(pipeline))

        ends = {Feature.BOUNDED_READ, Feature.SHUFFLE, Feature.GROUPING}
        assert needed(f"file:{tmp_path}/*.csv") == ends
        endless = {Feature.BOUNDED_READ, Feature.SHUFFLE, Feature.ENDLESS_READ}
        assert needed(f"file:{tmp_path}/*.csv?watch=true") == endless

    def test_windows_that_merge_are_sessions_or_ones_own(self) -> None:
        for feature, other in (
            (Feature.LIVE_SESSIONS, Feature.LIVE_CUSTOM_MERGING),
            (Feature.LIVE_CUSTOM_MERGING, Feature.LIVE_SESSIONS),
        ):
            pipeline = beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"]))
            build(feature, pipeline, Seen())
            assert feature in features_of(pipeline)
            assert other not in features_of(pipeline)


class TestGate:
    def test_a_refusal_names_feature_runner_reason_and_another_runner(self) -> None:
        needed = {Feature.LIVE_GROUPING: "Count/Group", Feature.LIVE_SESSIONS: "Count/Group"}
        with pytest.raises(PlanError) as caught:
            check(PRISM, needed, allow_unverified=True)
        (line,) = caught.value.message.splitlines()
        for part in ("Prism", "Count/Group", "session", "33623", "2.77.0", "LocalStreamingRunner"):
            assert part in line

    def test_all_that_fails_is_told_at_once(self) -> None:
        needed = {Feature.LIVE_GROUPING: "a", Feature.LIVE_TIMERS: "b"}
        with pytest.raises(PlanError) as caught:
            check(FN_API, needed, allow_unverified=False)
        assert len(caught.value.message.splitlines()) == 2

    def test_what_nobody_has_seen_must_be_allowed(self) -> None:
        needed = {Feature.SHUFFLE: "Spread"}
        with pytest.raises(PlanError, match=r"--allow_unverified.*--runner=FnApiRunner"):
            check("Spark", needed, allow_unverified=False)
        check("Spark", needed, allow_unverified=True)
        check("Spark", {Feature.GROUPING: "Group"}, allow_unverified=False)

    def test_limits_are_told(self) -> None:
        assert list(limits(FN_API, [Feature.LIVE_SIDE_INPUT])) == []
        (told,) = limits(PRISM, [Feature.GROUPING, Feature.LIVE_SIDE_INPUT])
        assert "Reshuffle" in told

    def test_a_launch_is_refused_before_anything_starts(self, tmp_path: Path) -> None:
        def build_windows(pipeline: beam.Pipeline) -> None:
            rows = pipeline | fb.read(f"file:{tmp_path}/*.csv?watch=true", rows=True)
            keyed = rows | beam.Map(lambda row: (0, row)).with_output_types(tuple[int, dict])
            windows = keyed | beam.WindowInto(window.FixedWindows(60))
            counts = windows | beam.combiners.Count.PerKey() | beam.Map(lambda kv: {"n": kv[1]})
            counts | fb.write(f"file:{tmp_path}/out.jsonl")

        with pytest.raises(PlanError, match="windows don't fire"):
            fb.launch(build_windows, beam_options(["--runner=FnApiRunner"]), quiet=True)
        assert list(tmp_path.iterdir()) == []

    def test_a_runner_of_beam_that_nobody_tried_needs_a_word(self, tmp_path: Path) -> None:
        (tmp_path / "in.csv").write_text("x\n1\n")

        def copy(pipeline: beam.Pipeline) -> None:
            pipeline | fb.read(f"file:{tmp_path}/in.csv") | fb.write(f"file:{tmp_path}/out.csv")

        flags = ["--runner=tests.runners.test_gate.OtherRunner"]
        with pytest.raises(PlanError, match=r"whether OtherRunner can run .* is not known"):
            fb.launch(copy, beam_options(flags), quiet=True)
        fb.launch(copy, beam_options([*flags, "--allow_unverified"]), quiet=True)
        assert (tmp_path / "out.csv").read_text() == "x\n1\n"


def test_options_are_left_as_they_were_for_the_default() -> None:
    options = PipelineOptions(["--runner=local"])
    choose(options)
    assert options.view_as(StandardOptions).runner == FN_API
