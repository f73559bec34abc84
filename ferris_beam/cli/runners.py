"""``python -m ferris_beam runners``: what each runner was seen to do."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from ferris_beam.cli.documents import print_json

_MARKS = {"works": "yes", "limited": "limited", "fails": "no", "unverified": "?"}


def run(arguments: argparse.Namespace) -> None:
    if arguments.json:
        print_json(as_json())
    else:
        _show()


def as_json() -> list[dict[str, Any]]:
    """An entry for each runner, with one for each feature."""
    from ferris_beam.runners.capabilities import RUNNERS, support
    from ferris_beam.runners.features import Feature

    return [
        {
            "runner": runner,
            "summary": summary,
            "features": {
                feature.name.lower(): {
                    "feature": feature.value,
                    **asdict(support(runner, feature)),
                }
                for feature in Feature
            },
        }
        for runner, summary in RUNNERS.items()
    ]


def _show() -> None:
    from ferris_beam.monitoring.terminal import console, table
    from ferris_beam.runners.capabilities import RUNNERS, notes, support
    from ferris_beam.runners.features import Feature

    shown = table("what a pipeline needs", *RUNNERS)
    for feature in Feature:
        states = (_MARKS[support(runner, feature).state] for runner in RUNNERS)
        shown.add_row(feature.value, *states)
    reasons = table("runner", "what", "", "why", "instead")
    for runner in RUNNERS:
        for seen, features in notes(runner).items():
            named = "\n".join(feature.value for feature in features)
            reasons.add_row(runner, named, _MARKS[seen.state], seen.why, seen.instead)
        reasons.add_section()
    screen = console()
    screen.print(shown)
    screen.print()
    screen.print(reasons)
    screen.print()
    screen.print("?: nobody has seen it; --allow_unverified starts such a pipeline", soft_wrap=True)
