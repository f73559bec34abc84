"""What one run did, as a record for machines; counted by Beam, the same on every runner."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ferris_beam.errors import FatalError

if TYPE_CHECKING:
    from ferris_beam.transforms.context import Run
    from ferris_beam.transforms.graph import Sink, Source

Status = Literal["done", "stopped", "failed", "already finished"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end of the pipeline. ``uri`` holds neither options nor secrets; ``role`` is 'data', or
    'dead_letters' for a sink of rejected rows."""

    label: str
    uri: str
    connector: str
    role: str = "data"


@dataclass(frozen=True, slots=True)
class Report:
    """What one run did.

    ``rows_dead`` are the rejected rows that were written to dead letters; ``rows_written`` and
    ``bytes_written`` do not count them. Rows and bytes are this run's: what an earlier one
    committed is in that one's report. ``seconds`` is wall-clock time; ``read_seconds`` and
    ``write_seconds`` add up what all threads spent inside the stores. ``error`` is the message of
    what stopped a failed run.
    """

    name: str
    run: str
    runner: str
    delivery: str
    status: Status
    seconds: float
    error: str | None = None
    rows_read: int = 0
    rows_written: int = 0
    rows_dead: int = 0
    bytes_read: int = 0
    bytes_written: int = 0
    batches_read: int = 0
    commits: int = 0
    masked_intervals: int = 0
    retries: int = 0
    read_seconds: float = 0.0
    write_seconds: float = 0.0
    sources: tuple[Endpoint, ...] = ()
    sinks: tuple[Endpoint, ...] = ()

    @classmethod
    def of(
        cls,
        metrics: Any,
        run: Run,
        runner: str,
        delivery: str,
        seconds: float,
        status: Status = "done",
        error: str | None = None,
    ) -> Report:
        """The report of ``run``; ``metrics`` is what a pipeline's result gives as ``metrics()``,
        or what `ferris_beam.transforms.meter.tally` counted in this process."""
        counted = metrics if isinstance(metrics, Mapping) else counters(metrics)
        both = _both_roles(counted)
        return cls(
            name=run.identity.name,
            run=run.identity.run,
            runner=runner,
            delivery=delivery,
            status=status,
            seconds=round(seconds, 3),
            error=error,
            rows_read=both["rows_read"],
            rows_written=counted.get("data.rows_written", 0),
            rows_dead=counted.get("dead_letters.rows_written", 0),
            bytes_read=both["bytes_read"],
            bytes_written=counted.get("data.bytes_written", 0),
            batches_read=both["batches_read"],
            commits=both["commits"],
            masked_intervals=both["masked_intervals"],
            retries=both["retries"],
            read_seconds=both["read_micros"] / 1e6,
            write_seconds=both["write_micros"] / 1e6,
            sources=tuple(_endpoint(source) for source in run.sources),
            sinks=tuple(_endpoint(sink, sink.role) for sink in run.sinks),
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values by the names of the fields."""
        return asdict(self)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the report as JSON, whole or not at all."""
        target = Path(path)
        partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
        text = json.dumps(self.to_json(), indent=2, ensure_ascii=False) + "\n"
        try:
            partial.write_text(text, encoding="utf-8")
            os.replace(partial, target)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise FatalError(
                f"the report can't be written to {target}: {error.strerror}; give a path in a "
                "folder that exists and can be written"
            ) from error


def counters(metrics: Any) -> Counter[str]:
    """The framework's counters of a pipeline's result, summed over steps, by ``role.name``.

    Committed values where the runner knows them, attempted ones elsewhere.
    """
    from ferris_beam.transforms.meter import NAMESPACE

    totals: Counter[str] = Counter()
    for found in metrics.query()["counters"]:
        if found.key.metric.namespace.startswith(NAMESPACE):
            totals[found.key.metric.name] += found.result or 0
    return totals


def _both_roles(counted: Mapping[str, int]) -> Counter[str]:
    """Counts of data and dead letters together, by name."""
    totals: Counter[str] = Counter()
    for key, count in counted.items():
        totals[key.rpartition(".")[2]] += count
    return totals


def _endpoint(end: Source | Sink, role: str = "data") -> Endpoint:
    return Endpoint(end.label, end.uri, end.connector, role)
