"""Commits numbered rows to a topic until all are there: the process that tests kill.

``python -m tests.connectors.kafka.copier URI RUN COUNT`` prints ``go`` when it begins to commit,
and at the end ``done``, or the class of the error that stopped it.
"""

from __future__ import annotations

import sys

import pyarrow as pa

from ferris_beam.connector import Writer
from ferris_beam.errors import FerrisError
from ferris_beam.interval import Interval, Origin
from ferris_beam.ledger import Entry, Identity
from ferris_beam.reliability import retrying
from tests.connectors.kafka.endpoints import writer_of

PATH = ("Read",)
STEP = 40


def commit(writer: Writer, epoch: int, start: int, stop: int, unit: str = "numbers") -> None:
    """Rows with these numbers, in order."""
    numbers = list(range(start, stop))
    staged = writer.begin()
    staged.write(pa.RecordBatch.from_pydict({"id": numbers, "text": ["x" * 200] * len(numbers)}))
    origin = Origin(PATH, Interval(unit, start, stop), "v1", ordered=True)
    retrying(lambda: writer.commit(epoch, staged, [Entry(origin, len(numbers))]))


def main(uri: str, run: str, count: int) -> str:
    writer = writer_of(uri)
    writer.open(Identity("copier", run, "plan"))
    try:
        state = writer.ledger()
        epoch = state.epoch if state.run == run else state.epoch + 1
        writer.claim(epoch, max(1, state.generation))
        done = writer.ledger().committed.get(PATH)
        start = (done.end_of("numbers") or 0) if done is not None else 0
        print("go", start, flush=True)
        while start < count:
            stop = min(count, start + STEP)
            commit(writer, epoch, start, stop)
            start = stop
        writer.finish(epoch)
        return "done"
    except FerrisError as error:
        return type(error).__name__
    finally:
        writer.close()


if __name__ == "__main__":
    print(main(sys.argv[1], sys.argv[2], int(sys.argv[3])), flush=True)
