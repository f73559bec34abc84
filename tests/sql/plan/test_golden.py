"""Texts and the plans or errors that they become (``python -m tests.sql.plan.planning`` rewrites
the golden files)."""

from __future__ import annotations

import pytest

from tests.sql.plan.planning import FOLDER, Golden, read_golden, shown

ALL = [golden for path in sorted(FOLDER.glob("*.txt")) for golden in read_golden(path)]


@pytest.mark.parametrize("golden", ALL, ids=[golden.name for golden in ALL])
def test_text_becomes(golden: Golden) -> None:
    assert shown(golden.text) == golden.expected


def test_golden_files_are_complete() -> None:
    assert len(ALL) > 150
    assert all(golden.text.endswith(";") and golden.expected for golden in ALL)
    failing = {golden.name for golden in ALL if golden.expected.startswith("SqlError")}
    assert failing == {golden.name for golden in ALL if golden.name.startswith("errors")}
