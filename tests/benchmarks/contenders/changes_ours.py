"""Changes into a file by us: as a pipeline, and our reader alone in a loop."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from ferris_beam.cli.command import import_for_good
from ferris_beam.connectors.postgresql.cdc.reader import ChangeReader
from ferris_beam.connectors.postgresql.options import PostgresqlSourceOptions
from ferris_beam.formats.jsonl.writer import JsonLinesWriter
from ferris_beam.options import check, resolve_endpoint
from ferris_beam.uri import Uri
from pipelines import copy as copying
from tests.benchmarks.contenders.changes import Slot, drained, dsn, until_written

import_for_good((*copying.IMPORTS, "ferris_beam.connectors.postgresql.choose"))


def _source(slot: Slot) -> str:
    names = f"slot={slot.name}&publication={slot.name}"
    return f"{dsn()}?mode=cdc&table=public.changing&snapshot=never&{names}"


def pipeline(file: str, rows: int) -> dict[str, Any]:
    """``python -m pipelines.copy``, without the start of the interpreter and imports; stopped as a
    user stops it, when all changes are in the file."""
    slot = Slot(rows)
    seconds: list[float] = []

    def watch() -> None:
        began = time.perf_counter()
        until_written(rows, file)
        seconds.append(time.perf_counter() - began)
        os.kill(os.getpid(), signal.SIGTERM)

    watcher = threading.Thread(target=watch)
    try:
        watcher.start()
        code = copying.main(["--quiet", "--source", _source(slot), "--sink", f"file://{file}"])
        watcher.join()
    finally:
        slot.drop()
    if code != 0:
        raise RuntimeError(f"the copy exited {code}")
    return {"seconds": seconds[0], "rows": rows}


def loop(file: str, rows: int) -> dict[str, Any]:
    """The same reader and format without Beam and without a ledger."""

    def start(slot: Slot) -> Callable[[], Any]:
        scrubbed, kept = check(PostgresqlSourceOptions, Uri.parse(_source(slot)), {})
        resolved = resolve_endpoint(PostgresqlSourceOptions, scrubbed, kept)
        reader = ChangeReader(resolved.uri, resolved.options)  # type: ignore[arg-type]
        reader.open()
        (split,) = reader.splits({})
        written = 0
        with open(file, "wb") as target:
            writer = JsonLinesWriter(target, reader.schema())
            while written < rows:
                for chunk in reader.read(split):
                    writer.write(chunk.records)
                    written += chunk.records.num_rows
                    split = type(split)(
                        type(split.interval)(split.interval.unit, chunk.end, None),
                        split.identity,
                        divisible=False,
                        ordered=True,
                        mark=chunk.mark,
                    )
                    if written >= rows:
                        break
        return reader.close

    return drained(rows, file, start)
