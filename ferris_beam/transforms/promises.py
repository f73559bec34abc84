"""What a plan promises to each of its sinks, once all its sources and sinks are known.

A source that can't be read twice, such as a table as it is now, leaves nothing to go on with after
a kill: a second reading gives other rows. So all sinks of such a plan end *together*. Each keeps
its rows out of sight and says in its ledger when it has all of them (`Writer.prepare`); only when
the last one has said so do all show them. A restart before that point starts from zero, one behind
it finishes what is left. A sink with a key doesn't keep rows back: those of a second reading
replace the first ones'.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from ferris_beam.transforms.graph import Sink, Source


def settled(
    sources: Sequence[Source], sinks: Sequence[Sink], held: Collection[str]
) -> tuple[list[Sink], bool]:
    """The sinks with their promises, and whether they end together; sets `Writer.waits`.

    ``held`` are the labels of Reads that workers load as a whole beside the batches they pass on:
    such a side may be read anew at each start.
    """
    once = [source for source in sources if not source.replayable and source.label not in held]
    together = bool(once) and all(_can_end_together(sink) for sink in sinks)
    for sink in sinks:
        sink.writer.waits = together and not sink.writer.keyed
    return [_settled(sink, once, together) for sink in sinks], together


def _can_end_together(sink: Sink) -> bool:
    writer = sink.writer
    return not sink.why_inexact and not writer.endless and (writer.can_wait or writer.keyed)


def _settled(sink: Sink, once: Sequence[Source], together: bool) -> Sink:
    if sink.why_inexact:
        return replace(sink, promise="at_least_once", why=sink.why_inexact)
    if not once:
        return sink
    if together and sink.writer.keyed:
        why = (
            f"{once[0].uri} can't be read twice: a restart writes all rows again, by their key, "
            "and rows that are gone by then stay"
        )
        return replace(sink, promise="effectively_once", why=why)
    if together:
        why = (
            f"{once[0].uri} can't be read twice: rows are shown when all are written, and a "
            "restart before that starts from zero"
        )
        return replace(sink, promise="all_or_nothing", why=why)
    feeding = [source for source in once if source.label in sink.reads]
    if not feeding:
        return sink
    why = (
        f"{feeding[0].uri} can't be read again with the same result, and not all sinks can keep "
        "their rows back until the end"
    )
    return replace(sink, promise="at_least_once", why_inexact=why, why=why, paths=None)
