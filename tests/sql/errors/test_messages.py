"""The exact messages of wrong SQL, before anything runs: where, what, and what to do."""

from __future__ import annotations

import re

import pytest

from tests.sql.errors.planned import cases, message_of

CASES = list(cases())


@pytest.mark.parametrize(("text", "message"), CASES, ids=[text for text, _ in CASES])
def test_a_wrong_text_is_answered_exactly_so(text: str, message: str) -> None:
    assert message_of(text) == message


def test_there_are_enough_of_them_and_no_two_are_the_same() -> None:
    assert len(CASES) >= 120
    assert len({text for text, _ in CASES}) == len(CASES)


def test_every_message_has_a_caret_where_there_is_a_text() -> None:
    for text, message in CASES:
        first, *others = message.splitlines()
        if not re.search(r"\w", re.sub(r"--[^\n]*", "", text)):
            continue  # nothing to point at
        place = re.search(r"\(line (\d+), column (\d+)\)$", first)
        assert place, message
        assert others[0] == [*text.splitlines(), ""][int(place[1]) - 1]
        assert re.fullmatch(r"\s*\^+", others[1]), message
