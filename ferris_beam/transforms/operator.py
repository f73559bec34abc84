"""What all DoFns of the engine share: a label in the graph, two outputs, recorded failures.

An operator keeps origins: for each batch that comes in, exactly one goes out on each output, so
that every sink learns of every interval. Each adds its label to the origin's path.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.pvalue import AsSideInput, PCollection, TaggedOutput

from ferris_beam.batches import Batch, coder  # noqa: F401  (registers the coder of Batch)
from ferris_beam.errors import FatalError
from ferris_beam.interval import Origin
from ferris_beam.transforms.stopping import StoppedError

REJECTS = "rejects"

_failures: dict[str, BaseException] = {}
_KEPT_FAILURES = 64


class Operator(beam.DoFn):
    """A DoFn that keeps origins. ``label`` is its full label, known once it is applied."""

    label = ""
    is_source = False
    before: Any = None
    """The `Lineage` of what a stage, a source of new intervals, is made of."""

    def description(self) -> str:
        """What it does, in words that change when its result would."""
        return type(self).__name__

    def path_of(self, tag: str | None) -> tuple[str, ...]:
        """What this operator adds to the path of the batches on one of its outputs."""
        return (self.label, f"#{REJECTS}") if tag == REJECTS else (self.label,)

    def kept(self, batch: Batch) -> Batch:
        """``batch`` as it leaves on the main output."""
        return batch if batch.origin is None else Batch(batch.records, self.onward(batch.origin))

    def onward(self, origin: Origin, tag: str | None = None) -> Origin:
        for label in self.path_of(tag):
            origin = origin.through(label)
        return origin


class Outputs(NamedTuple):
    """The two outputs of an operator."""

    main: PCollection
    rejects: PCollection


def apply_operator(
    pcoll: PCollection,
    operator: Operator,
    name: str,
    main_type: type = Batch,
    sides: Sequence[AsSideInput] = (),
) -> Outputs:
    """Applies ``operator`` with typed outputs and tells it the label under which it stands."""
    pardo = beam.ParDo(operator, *sides)
    applied = pcoll | name >> pardo.with_outputs(REJECTS, main="main")
    outputs = Outputs(applied["main"], applied[REJECTS])
    outputs.main.element_type = main_type
    outputs.rejects.element_type = Batch
    operator.label = _composite_label(outputs.main.producer)
    return outputs


def _composite_label(producer: Any) -> str:
    """The full label of the transform that a user applied, around the ParDo of ours."""
    named = producer.parent
    return str((named.parent or named).full_label)


def rejected(batch: Batch) -> TaggedOutput:
    return TaggedOutput(REJECTS, batch)


@contextmanager
def recorded(run: str) -> Iterator[None]:
    """Remembers the first failure of a run in this process.

    Runners return an exception as text, and let the other threads go on; with this the launcher
    can show the error itself, and readers stop soon.
    """
    try:
        yield
    except (GeneratorExit, StoppedError):
        raise
    except BaseException as error:
        if run not in _failures:
            while len(_failures) >= _KEPT_FAILURES:
                _failures.pop(next(iter(_failures)))
            _failures[run] = error
        raise


def failure_of(run: str) -> BaseException | None:
    """The first failure of a run in this process, if any."""
    return _failures.get(run)


def stop_if_failed(run: str) -> None:
    if run in _failures:
        raise FatalError("stopped, since another part of this run failed; its error tells why")
