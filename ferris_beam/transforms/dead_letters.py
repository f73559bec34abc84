"""One place for the rejected rows of many transforms, after Beam's error handlers."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from apache_beam.pvalue import PCollection

from ferris_beam.errors import PlanError
from ferris_beam.transforms.context import PipelineContext
from ferris_beam.transforms.endpoint import Endpoint


class DeadLetters:
    """Writes the rows that transforms reject to ``uri``, any sink::

        with fb.DeadLetters("file:///data/rejected/?format=jsonl") as dead:
            orders = p | fb.read("file:///data/orders*.csv", dead_letters=dead)

    At the end of the block everything that was rejected is flattened and written, with the same
    guarantee as other sinks. A block in which no transform uses it is an error, as is a transform
    that uses it outside of the block: rejected rows must not vanish.
    """

    def __init__(self, uri: Any, **options: Any) -> None:
        self._endpoint = Endpoint.of(uri, options, "sink")
        self._rejects: list[PCollection] = []
        self._closed = False

    def add(self, rejects: PCollection) -> None:
        """Takes the rejected rows of a transform; called by the transforms."""
        if self._closed:
            raise PlanError(
                f"the dead letters {self._endpoint.display} are closed: apply transforms that use "
                "them inside of their 'with' block"
            )
        self._rejects.append(rejects)
        PipelineContext.of(rejects.pipeline).unconsumed[str(id(self))] = (
            f"the dead letters {self._endpoint.display} were never written: use them as "
            "'with fb.DeadLetters(…) as dead:' around the transforms"
        )

    def __enter__(self) -> DeadLetters:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()

    def close(self) -> None:
        """Writes what was rejected; done by the end of the ``with`` block."""
        from ferris_beam.transforms.write import Write

        if not self._rejects:
            raise PlanError(
                f"no transform uses the dead letters {self._endpoint.display}: pass "
                "dead_letters= to a read, a map or a write"
            )
        self._closed = True
        pipeline = self._rejects[0].pipeline
        write = Write(self._endpoint, role="dead_letters")
        tuple(self._rejects) | f"DeadLetters({self._endpoint.display})" >> write
        PipelineContext.of(pipeline).unconsumed.pop(str(id(self)), None)
