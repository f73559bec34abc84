"""``python -m ferris_beam ledger show|forget URI``: what a sink remembers of pipelines."""

from __future__ import annotations

import argparse
import sys
import uuid
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, TextIO

from ferris_beam.cli.command import FAILED
from ferris_beam.cli.documents import print_json
from ferris_beam.cli.opening import Sink, sink_of
from ferris_beam.connector import Holding
from ferris_beam.errors import ConfigurationError, IdentityError
from ferris_beam.interval import Interval, IntervalSet
from ferris_beam.ledger import Identity
from ferris_beam.options.connections import did_you_mean

if TYPE_CHECKING:
    from rich.console import Console

_SHOWN_UNITS = 20
_SHOWN_SPANS = 5


def run(arguments: argparse.Namespace) -> int | None:
    sink = sink_of(arguments.uri)
    if arguments.action == "forget":
        return _forget(sink, arguments)
    holdings = sink.writer.holdings()
    if arguments.name is not None:
        holdings = {arguments.name: holding_of(sink, holdings, arguments.name)}
    if arguments.json:
        ledgers = [as_document(name, holding) for name, holding in holdings.items()]
        print_json({"sink": sink.writer.place, "ledgers": ledgers})
    else:
        _show(sink, holdings, whole=arguments.name is not None)
    return None


def holding_of(sink: Sink, holdings: Mapping[str, Holding], name: str) -> Holding:
    """Raises `IdentityError` with the names there are."""
    if name in holdings:
        return holdings[name]
    others = did_you_mean(name, holdings) if holdings else "; it holds no progress at all"
    raise IdentityError(f"{sink.writer.place} holds no progress of {name!r}{others}")


def as_document(name: str, holding: Holding) -> dict[str, Any]:
    ledger = holding.ledger
    return {
        "name": name,
        "run": ledger.run,
        "epoch": ledger.epoch,
        "generation": ledger.generation,
        "plan": ledger.plan,
        "finished": ledger.finished,
        "rows": ledger.rows,
        "checksum": ledger.checksum,
        "earlier_runs": list(ledger.past),
        "waiting_parts": holding.waiting,
        "waiting_bytes": holding.waiting_bytes,
        "committed": [
            {"path": list(path), "units": dict(sorted(done.to_json().items()))}
            for path, done in ledger.committed.items()
        ],
    }


# ── showing ─────────────────────────────────────────────────────────────────────────────────────


def _show(sink: Sink, holdings: Mapping[str, Holding], whole: bool) -> None:
    from ferris_beam.cli.tables import shortened
    from ferris_beam.monitoring.figures import human_count
    from ferris_beam.monitoring.terminal import console, show_table, table, visible

    screen = console()
    if not holdings:
        told = f"{sink.writer.place} holds no progress of any pipeline"
        screen.print(visible(told), soft_wrap=True)
        return
    shown = table("name", "run", "epoch", "start", "state", "rows", "units", "waiting")
    for at, column in enumerate(shown.columns):
        column.overflow = "fold"
        column.justify = "right" if at in (2, 3, 5, 6) else "left"
    for name, holding in holdings.items():
        ledger = holding.ledger
        shown.add_row(
            shortened(name, 60),
            ledger.run if ledger.run != name else "",
            str(ledger.epoch),
            str(ledger.generation),
            "finished" if ledger.finished else "unfinished",
            human_count(ledger.rows),
            human_count(len(units_of(holding))),
            waiting_in_words(holding),
        )
    show_table(screen, shown)
    if whole:
        for holding in holdings.values():
            _show_units(screen, holding)


def waiting_in_words(holding: Holding) -> str:
    from ferris_beam.monitoring.figures import human_count, human_size

    if not holding.waiting:
        return "nothing"
    parts = f"{human_count(holding.waiting)} part{'s'[: holding.waiting != 1]}"
    return f"{parts}, {human_size(holding.waiting_bytes)}"


def units_of(holding: Holding) -> set[str]:
    return {unit for done in holding.ledger.committed.values() for unit in done.units()}


def _show_units(screen: Console, holding: Holding) -> None:
    from ferris_beam.cli.tables import show_text
    from ferris_beam.monitoring.terminal import show_heading

    for path, done in holding.ledger.committed.items():
        show_heading(screen, f"Committed by {' → '.join(path)}")
        units = sorted(done.units())
        spans = spans_of(done)
        for unit in islice(units, _SHOWN_UNITS):
            show_text(screen, f"{compact(spans[unit])}  {unit}")
        if len(units) > _SHOWN_UNITS:
            show_text(screen, f"and {len(units) - _SHOWN_UNITS:,} more; --json lists all", "dim")


def spans_of(done: IntervalSet) -> dict[str, list[Interval]]:
    spans: dict[str, list[Interval]] = {}
    for interval in done:
        spans.setdefault(interval.unit, []).append(interval)
    return spans


def compact(spans: list[Interval]) -> str:
    """``[0, 12) [14, 20)``, the first few of many."""
    shown = " ".join(f"[{span.start}, {span.end})" for span in spans[:_SHOWN_SPANS])
    left = len(spans) - _SHOWN_SPANS
    return f"{shown} and {left:,} more" if left > 0 else shown


# ── forgetting ──────────────────────────────────────────────────────────────────────────────────


def _forget(sink: Sink, arguments: argparse.Namespace) -> int | None:
    name = arguments.name
    holding = holding_of(sink, sink.writer.holdings(), name)
    if not arguments.yes and not _is_confirmed(sink, name, holding):
        print("nothing was changed", file=sys.stderr)
        if arguments.json:
            print_json({"sink": sink.writer.place, "forgotten": None})
        return FAILED
    forget(sink, name)
    if arguments.json:
        print_json({"sink": sink.writer.place, "forgotten": as_document(name, holding)})
    else:
        _say(
            sys.stdout,
            f"{sink.writer.place} holds no progress of {name!r} any more: its next run starts from "
            "zero, and if_exists decides what becomes of the rows that are there",
        )
    return None


def _say(stream: TextIO, line: str) -> None:
    from ferris_beam.monitoring.terminal import console, visible

    console(stream).print(visible(line))


def forget(sink: Sink, name: str) -> None:
    sink.writer.open(Identity(name, f"forget-{uuid.uuid4().hex}"))
    try:
        sink.writer.forget()
    finally:
        sink.writer.close()


def _is_confirmed(sink: Sink, name: str, holding: Holding) -> bool:
    """Asks on a terminal; without one it is an error not to say --yes."""
    if not sys.stdin.isatty():
        raise ConfigurationError(
            f"this would forget the progress of {name!r}: {_consequences(holding)}; say --yes "
            "if that is meant"
        )
    for line in (f"{sink.writer.place}, {name!r}:", *_told(holding)):
        _say(sys.stderr, line)
    print("forget it? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _consequences(holding: Holding) -> str:
    return "; ".join(_told(holding))


def _told(holding: Holding) -> Iterator[str]:
    ledger = holding.ledger
    state = "finished" if ledger.finished else "unfinished"
    units = len(units_of(holding))
    committed = f"{ledger.rows:,} rows of {units:,} unit{'s'[: units != 1]} are committed"
    yield f"it is {state}, {committed}"
    yield "visible rows stay, and the next run starts from zero (if_exists decides about them)"
    if holding.waiting:
        yield f"what waits for the finish is lost: {waiting_in_words(holding)}"
    if not ledger.finished:
        yield "a process that works at it now is stopped at its next commit"
