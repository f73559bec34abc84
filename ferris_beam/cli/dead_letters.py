"""``python -m ferris_beam dead-letters show|summary URI``."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import TYPE_CHECKING, Any

from ferris_beam.cli.documents import print_json
from ferris_beam.cli.letters import Filter, Letters, Tally
from ferris_beam.cli.opening import Source, source_of
from ferris_beam.cli.values import plain_rows

if TYPE_CHECKING:
    import pyarrow as pa

TOP = 10


def run(arguments: argparse.Namespace) -> None:
    source = source_of(arguments.uri)
    wanted = Filter(arguments.reason, arguments.category, arguments.stage)
    if arguments.action == "show":
        letters = _first(Letters(source), wanted, arguments.limit)
        if arguments.json:
            print_json([row for batch in letters for row in plain_rows(batch)])
        else:
            _show(source, letters)
        return
    tally = tallied(Letters(source), wanted)
    if arguments.json:
        print_json(as_document(source, tally))
    else:
        _show_summary(source, tally)


def _first(letters: Letters, wanted: Filter, limit: int) -> list[pa.RecordBatch]:
    found: list[pa.RecordBatch] = []
    left = limit
    for batch in letters:
        kept = wanted.kept(batch).slice(0, left)
        found.append(kept)
        left -= kept.num_rows
        if left <= 0:
            break
    return found


def tallied(letters: Letters, wanted: Filter) -> Tally:
    tally = Tally()
    for batch in letters:
        tally.add(wanted.kept(batch))
    tally.unreadable = letters.unreadable
    return tally


def as_document(source: Source, tally: Tally) -> dict[str, Any]:
    return {
        "uri": source.uri,
        "rows": tally.rows,
        "unreadable": tally.unreadable,
        "first": tally.first or None,
        "last": tally.last or None,
        **{f"by_{name}": dict(counter.most_common()) for name, counter in tally.by.items()},
        "by_reason": dict(tally.reasons.most_common()),
    }


# ── for people ──────────────────────────────────────────────────────────────────────────────────


def _show(source: Source, batches: list[pa.RecordBatch]) -> None:
    from ferris_beam.cli.tables import show_rejected
    from ferris_beam.monitoring.terminal import console

    screen = console()
    rows = [row for batch in batches for row in plain_rows(batch)]
    if not rows:
        screen.print(f"no rejected rows in {source.uri}", soft_wrap=True)
    for number, row in enumerate(rows):
        if number:
            screen.print()
        payload = row["payload"] or ""
        encoded = {"encoding": "base64"} if row["payload_encoding"] == "base64" else {}
        stage = f"{row['stage']} of {row['pipeline']}" if row["pipeline"] else row["stage"]
        show_rejected(
            screen,
            row["reason"] or "",
            row["place"] or "",
            payload,
            **encoded,
            category=row["category"] or "",
            stage=stage or "",
            time=row["time"] or "",
        )


def _show_summary(source: Source, tally: Tally) -> None:
    from ferris_beam.cli.tables import show_pairs
    from ferris_beam.monitoring.figures import human_count
    from ferris_beam.monitoring.terminal import console

    screen = console()
    facts = {"dead letters": source.uri, "rows": human_count(tally.rows)}
    if tally.first:
        facts["first"], facts["last"] = tally.first, tally.last
    if tally.unreadable:
        facts["unreadable"] = f"{human_count(tally.unreadable)} rows are no dead letters"
    show_pairs(screen, facts)
    for name, counter in (("reason", tally.reasons), *tally.by.items()):
        if counter:
            _show_counts(f"By {name}", counter)


def _show_counts(title: str, counter: Counter[str]) -> None:
    from ferris_beam.cli.tables import LONGEST_TYPE, shortened
    from ferris_beam.monitoring.terminal import show_bars

    shown: Counter[str] = Counter()
    for text, count in counter.most_common(TOP):
        shown[shortened(text, LONGEST_TYPE) or "(none)"] += count
    left = sum(counter.values()) - sum(shown.values())
    if left:
        shown[f"and {len(counter) - TOP:,} others"] += left
    show_bars(title, shown)
