"""The table of capabilities is what runners do: each entry that can be tried here is tried."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from ferris_beam.runners import page
from ferris_beam.runners.capabilities import (
    FLINK,
    FN_API,
    PRISM,
    RUNNERS,
    STREAMING,
    notes,
    runners_with,
    support,
)
from ferris_beam.runners.features import Feature, features_of
from ferris_beam.runners.worker_output import worker_tracebacks_held_back
from tests.runners.feature_pipelines import PIPELINES, Seen, build, is_right
from tests.services.flink import FlinkCluster

STREAMING_CLASS = "ferris_beam.runners.local_streaming.LocalStreamingRunner"


def is_live(feature: Feature) -> bool:
    return feature.name.startswith(("LIVE", "ENDLESS"))


def flags_of(runner: str, feature: Feature, request: pytest.FixtureRequest) -> list[str]:
    if runner == PRISM:
        endpoint = request.getfixturevalue("prism_endpoint")
        flags = ["--runner=PortableRunner", f"--job_endpoint={endpoint}"]
        flags.append("--environment_type=LOOPBACK")
        return [*flags, "--streaming"] if is_live(feature) else flags
    return [f"--runner={STREAMING_CLASS if runner == STREAMING else runner}"]


def entries() -> Iterator[tuple[str, Feature]]:
    for runner in (FN_API, STREAMING, PRISM):
        for feature in Feature:
            if support(runner, feature).state != "unverified":
                yield runner, feature


@pytest.mark.parametrize(
    ("runner", "feature"), list(entries()), ids=lambda each: getattr(each, "name", each)
)
def test_an_entry_says_what_happens(
    runner: str, feature: Feature, request: pytest.FixtureRequest
) -> None:
    seen = Seen()
    pipeline = beam.Pipeline(options=PipelineOptions(flags_of(runner, feature, request)))
    build(feature, pipeline, seen)
    assert feature in features_of(pipeline), "the pipeline does not use the feature"
    expected = support(runner, feature).state in ("works", "limited")
    with worker_tracebacks_held_back():
        if expected:
            pipeline.run().wait_until_finish()
        else:
            with suppress(Exception):
                pipeline.run().wait_until_finish()
    assert is_right(feature, seen) == expected, seen.results


# ── Flink: a job takes seconds, so that those features that work share two ────────────────────────


class One(beam.PTransform):
    """The pipeline of one feature beside those of others."""

    def __init__(self, feature: Feature, seen: Seen) -> None:
        super().__init__()
        self.feature, self.seen = feature, seen

    def expand(self, begin: beam.pvalue.PBegin) -> beam.pvalue.PDone:
        build(self.feature, begin.pipeline, self.seen)
        return beam.pvalue.PDone(begin.pipeline)


def run_on_flink(cluster: FlinkCluster, features: Iterable[Feature]) -> dict[Feature, Seen]:
    """Workers are threads of this process, so that what comes out can be seen."""
    flags = ["--runner=PortableRunner", f"--job_endpoint={cluster.job_endpoint}"]
    flags += ["--environment_type=LOOPBACK", "--number_of_execution_retries=0"]
    found = {feature: Seen() for feature in features}
    if any(map(is_live, found)):
        flags += ["--streaming", "--checkpointing_interval=1000", "--max_bundle_time_mills=200"]
        flags += ["--finish_bundle_before_checkpointing", "--shutdown_sources_after_idle_ms=500"]
    pipeline = beam.Pipeline(options=PipelineOptions(flags))
    for feature, seen in found.items():
        _ = pipeline | feature.name >> One(feature, seen)
    with worker_tracebacks_held_back():
        pipeline.run().wait_until_finish()
    return found


@pytest.fixture(scope="module")
def on_flink(flink_cluster: FlinkCluster) -> dict[Feature, Seen]:
    """What came of the features that work there."""
    works = [each for each in Feature if support(FLINK, each).state in ("works", "limited")]
    ends = run_on_flink(flink_cluster, (each for each in works if not is_live(each)))
    return ends | run_on_flink(flink_cluster, filter(is_live, works))


@pytest.mark.parametrize("feature", list(Feature), ids=lambda feature: feature.name)
def test_an_entry_says_what_happens_on_flink(
    feature: Feature, flink_cluster: FlinkCluster, on_flink: dict[Feature, Seen]
) -> None:
    if support(FLINK, feature).state in ("works", "limited"):
        assert is_right(feature, on_flink[feature]), on_flink[feature].results
        return
    assert support(FLINK, feature).state == "fails"
    if feature is Feature.LIVE_ACCUMULATING:
        seen = run_on_flink(flink_cluster, [feature])[feature]
        assert sorted(seen.results.values()) == [1, 2]
        return
    word = next(word for word in REFUSALS if word in support(FLINK, feature).why)
    with pytest.raises(RuntimeError, match=word):
        run_on_flink(flink_cluster, [feature])


REFUSALS = ("ClassCastException", "pickled_python")
"""Words of the cluster's own, which the reasons in the table repeat."""


def test_there_is_a_pipeline_for_each_feature() -> None:
    assert set(PIPELINES) == set(Feature)


def test_what_fails_or_is_limited_has_a_reason_and_a_version() -> None:
    for runner in RUNNERS:
        for feature in Feature:
            found = support(runner, feature)
            assert (found.state == "works") == (not found.why)
            assert found.beam or found.state == "unverified"


def test_input_that_ends_has_a_runner_for_each_feature() -> None:
    for feature in Feature:
        assert any(runners_with(feature)) or feature is Feature.ENDLESS_SIDE_INPUT


def test_a_runner_that_nobody_knows_is_unverified() -> None:
    assert support("DataflowRunner", Feature.BOUNDED_READ).state == "unverified"
    assert support("FlinkRunner", Feature.LIVE_GROUPING).state == "works"


def test_the_page_tells_each_note_once() -> None:
    text = page.page()
    for runner in RUNNERS:
        section = text.split(f"\n## {runner}\n")[1].split("\n## ")[0]
        for seen, features in notes(runner).items():
            named = "<br>".join(feature.value for feature in features)
            (row,) = [line for line in section.splitlines() if line.startswith(f"| {named} |")]
            assert seen.why in row
            assert seen.issue in row
