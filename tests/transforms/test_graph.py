"""The graph check at construction: what keeps origins, what drops them, what is refused."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.transforms.window import FixedWindows

import ferris_beam as fb
from ferris_beam.errors import PlanError
from ferris_beam.transforms.context import PipelineContext
from ferris_beam.transforms.graph import Sink
from tests.transforms.pipelines import options, run

SOURCE = "faulty://source?units=2&cells=2"


def sink_of(build: Any, *flags: str) -> Sink:
    pipeline = beam.Pipeline(options=options(*flags))
    build(pipeline)
    return PipelineContext.of(pipeline).sinks[-1]


def through(*transforms: Any) -> Any:
    def build(p: beam.Pipeline) -> None:
        pcoll = p | fb.read(SOURCE)
        for transform in transforms:
            pcoll = pcoll | transform
        pcoll | fb.write("faulty://out")

    return build


@pytest.mark.parametrize(
    "kept",
    [
        [],
        [fb.MapBatches(len)],
        [fb.MapRows(dict)],
        [beam.Reshuffle()],
        [beam.WindowInto(FixedWindows(60))],
        [fb.MapBatches(len), beam.Reshuffle(), "again" >> fb.MapBatches(len)],
    ],
    ids=["nothing", "MapBatches", "MapRows", "Reshuffle", "WindowInto", "several"],
)
def test_these_keep_origins(numbers: ModuleType, kept: list[Any]) -> None:
    sink = sink_of(through(*kept), "--delivery=exactly_once")
    assert sink.paths is not None
    assert {path[0] for path in sink.paths} == {"Read(faulty://source)"}


@pytest.mark.parametrize(
    ("foreign", "name"),
    [
        (beam.FlatMap(lambda batch: [batch, batch]), "FlatMap"),
        ("mine" >> beam.Map(lambda batch: batch), "mine"),
        (beam.Filter(lambda batch: True), "Filter"),
        (fb.Rows(), "Rows"),
    ],
)
def test_a_foreign_transform_drops_origins_and_is_named(
    numbers: ModuleType, foreign: Any, name: str
) -> None:
    sink = sink_of(through(foreign))
    assert sink.paths is None
    assert name in sink.why_inexact
    assert "drops the origin" in sink.why_inexact
    with pytest.raises(PlanError, match=rf"exactly_once was asked for.*{name}"):
        sink_of(through(foreign), "--delivery=exactly_once")


def test_a_foreign_flatmap_that_doubles_batches_is_written_doubled(numbers: ModuleType) -> None:
    """With origins trusted, the copies would be masked and silently lost."""
    run(through(beam.FlatMap(lambda batch: [batch, batch])))
    assert len(numbers.TABLES["out"].rows()) == 2 * 40


def test_a_path_flattened_with_itself_is_refused(numbers: ModuleType) -> None:
    def build(p: beam.Pipeline) -> None:
        batches = p | fb.read(SOURCE)
        (batches, batches) | beam.Flatten() | fb.write("faulty://out")

    with pytest.raises(PlanError, match="takes the same batches twice"):
        sink_of(build)
    with pytest.raises(PlanError, match="takes the same batches twice"):
        sink_of(_twice)


def _twice(p: beam.Pipeline) -> None:
    batches = p | fb.read(SOURCE)
    (batches, batches) | fb.write("faulty://out")


def test_several_inputs_need_no_flatten(numbers: ModuleType) -> None:
    def build(p: beam.Pipeline) -> None:
        batches = p | fb.read(SOURCE)
        mapped = batches | fb.MapBatches(lambda records: records)
        (batches, mapped) | fb.write("faulty://out")

    run(build, "--name=n", threads=2)
    assert len(numbers.TABLES["out"].rows()) == 2 * 40
    assert len(numbers.TABLES["out"].ledgers["n"].committed) == 2
    assert numbers.TABLES["out"].ledgers["n"].finished


def test_a_flatten_of_different_paths_is_fine(numbers: ModuleType) -> None:
    def build(p: beam.Pipeline) -> None:
        batches = p | fb.read(SOURCE)
        mapped = batches | fb.MapBatches(len)
        (batches, mapped) | beam.Flatten() | fb.write("faulty://out")

    assert len(sink_of(build).paths or ()) == 2


def test_an_ordered_source_must_not_be_shuffled(
    numbers: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbers.FaultyReader, "ordered", True)
    assert sink_of(through()).paths is not None
    shuffled = sink_of(through(beam.Reshuffle()))
    assert shuffled.paths is None
    assert "shuffles the batches" in shuffled.why_inexact


def test_at_least_once_keeps_no_intervals(numbers: ModuleType) -> None:
    assert sink_of(through(), "--delivery=at_least_once").paths is None
    run(through(), "--delivery=at_least_once", "--name=n")
    assert len(numbers.TABLES["out"].rows()) == 40
    assert not numbers.TABLES["out"].ledgers["n"].committed


def test_two_writes_to_one_sink_are_refused(numbers: ModuleType) -> None:
    def build(p: beam.Pipeline) -> None:
        batches = p | fb.read(SOURCE)
        batches | "one" >> fb.write("faulty://out")
        batches | "two" >> fb.write("faulty://out?batch_rows=3")

    with pytest.raises(PlanError, match="both write to faulty://out"):
        sink_of(build)


def test_a_write_without_input_is_refused(numbers: ModuleType) -> None:
    with pytest.raises(PlanError, match="can't be the first"):
        sink_of(lambda p: p | fb.write("faulty://out"))


def test_dead_letters_must_be_used_and_closed(numbers: ModuleType) -> None:
    with (
        pytest.raises(PlanError, match="no transform uses the dead letters"),
        fb.DeadLetters("faulty://dead"),
    ):
        pass

    def never_closed(p: beam.Pipeline) -> None:
        dead = fb.DeadLetters("faulty://dead")
        p | fb.read(SOURCE, dead_letters=dead) | fb.write("faulty://out")

    with pytest.raises(Exception, match="were never written"):
        run(never_closed)

    def too_late(p: beam.Pipeline) -> None:
        with fb.DeadLetters("faulty://dead") as dead:
            batches = p | fb.read(SOURCE, dead_letters=dead)
        batches | fb.write("faulty://out", dead_letters=dead)

    with pytest.raises(PlanError, match="are closed"):
        sink_of(too_late)


def test_without_dead_letters_the_first_rejected_row_stops_the_job(numbers: ModuleType) -> None:
    build = lambda p: p | fb.read(SOURCE + "&reject_every=13") | fb.write("faulty://out")  # noqa: E731
    with pytest.raises(Exception, match="RejectedRowError") as caught:
        run(build)
    for told in ("faulty://source", "number 0 of unit-", "not wanted", "--dead-letters"):
        assert told in str(caught.value)
    numbers.clear()
    with pytest.raises(Exception, match="a multiple of 7"):
        run(lambda p: p | fb.read(SOURCE) | fb.write("faulty://out?refuse_every=7"))
    assert numbers.TABLES["out"].rows() == []


def test_only_a_read_and_a_write_that_touch_nothing_are_made(numbers: ModuleType) -> None:
    fb.create_source(SOURCE)
    fb.create_sink("faulty://out")
    assert not numbers.TABLES
    assert not numbers.OPENED
