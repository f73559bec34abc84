"""The end of bounded input: when a sink has committed everything, it is told so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import PCollection

from ferris_beam.connector import Writer
from ferris_beam.reliability import retrying
from ferris_beam.transforms.claims import claim, current_ledgers
from ferris_beam.transforms.context import PipelineContext, Run
from ferris_beam.transforms.graph import Sink
from ferris_beam.transforms.operator import recorded


class Finish(beam.PTransform):
    """Waits for all receipts of a sink, then finishes it, in one task.

    An Impulse beside the receipts lets it run where nothing was left to commit, too. Both are
    keyed before they meet: Beam's Flink runner can't flatten a bare Impulse with what a ParDo made
    ('consumed but never produced').
    """

    def __init__(self, context: PipelineContext, sink: str) -> None:
        super().__init__()
        self.context = context
        self.sink = sink

    def expand(self, receipts: PCollection) -> PCollection:
        started = receipts.pipeline | "Start" >> beam.Impulse()
        keyed = (
            started | "Key" >> beam.Map(_keyed).with_output_types(tuple[str, bytes]),
            receipts | "Seen" >> beam.Map(_keyed).with_output_types(tuple[str, bytes]),
        )
        return (
            keyed
            | "Flatten" >> beam.Flatten()
            | "Wait" >> beam.GroupByKey()
            | "Finish" >> beam.ParDo(FinishDoFn(self.context, self.sink))
        )


class FinishDoFn(beam.DoFn):
    """Finishes the sink, or all of those that end together once the last one is prepared;
    repeating it is harmless."""

    def __init__(self, context: PipelineContext, sink: str) -> None:
        self.run: PipelineContext | Run = context
        self.sink = sink

    def process(self, _: Any) -> Iterator[str]:
        run = self.run
        assert isinstance(run, Run)
        with recorded(run.identity.run):
            epoch = claim(run).epoch
            sink = run.sink(self.sink)
            if not run.together:
                with _opened(sink, run) as writer:
                    retrying(lambda: writer.finish(epoch))
                yield self.sink
                return
            with _opened(sink, run) as writer:
                retrying(lambda: writer.prepare(epoch))
            if all(state.prepared for state in current_ledgers(run).values()):
                for each in sorted(run.sinks, key=lambda sink: sink.place):
                    _finish(each, run, epoch)
            yield self.sink


def _finish(sink: Sink, run: Run, epoch: int) -> None:
    with _opened(sink, run) as writer:
        retrying(lambda: writer.finish(epoch))


@contextmanager
def _opened(sink: Sink, run: Run) -> Iterator[Writer]:
    sink.writer.open(run.identity)
    try:
        yield sink.writer
    finally:
        sink.writer.close()


def _keyed(_: Any) -> tuple[str, bytes]:
    return "", b""
