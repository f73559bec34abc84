"""``runners``: the table of capabilities, for eyes and for machines."""

from __future__ import annotations

import json

from ferris_beam.runners.capabilities import RUNNERS, support
from ferris_beam.runners.features import Feature
from tests.pseudo_terminal import python


def test_each_feature_and_each_failure_is_shown() -> None:
    shown = python("-m", "ferris_beam", "runners")
    assert (shown.returncode, shown.stderr) == (0, "")
    lines = shown.stdout.splitlines()
    for feature in Feature:
        row = next(line for line in lines if line.startswith(feature.value))
        marks = row.removeprefix(feature.value).split()
        assert len(marks) == len(RUNNERS)
        assert [mark == "no" for mark in marks] == [
            support(runner, feature).state == "fails" for runner in RUNNERS
        ]
    assert "sessions stay unmerged" in shown.stdout


def test_the_document_has_every_entry() -> None:
    shown = python("-m", "ferris_beam", "runners", "--json")
    document = json.loads(shown.stdout)
    assert [entry["runner"] for entry in document] == list(RUNNERS)
    for entry in document:
        assert set(entry["features"]) == {feature.name.lower() for feature in Feature}
        sessions = entry["features"]["live_sessions"]
        assert sessions["state"] == support(entry["runner"], Feature.LIVE_SESSIONS).state
