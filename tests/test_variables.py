"""`${NAME}` and its forms, against the shell."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.errors import ConfigurationErrors
from ferris_beam.variables import expand_all, expand_variables

ENVIRONMENT = {"HOST": "db1", "EMPTY": "", "TRICKY": "${HOST} $& \\1", "_A1": "a"}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("", ""),
        ("no variable: $HOST {HOST} $", "no variable: $HOST {HOST} $"),
        ("${HOST}:${_A1}", "db1:a"),
        ("${EMPTY}|${EMPTY:-x}|${NONE:-}|${NONE:-a b:c}", "|x||a b:c"),
        ("${HOST:-x}${HOST:?m}", "db1db1"),
        ("${TRICKY}", "${HOST} $& \\1"),
        ("$${HOST} $$${HOST} $$", "${HOST} $${HOST} $$"),
        ("${year}/${Region}/${host:-x}/${}/${1}", "${year}/${Region}/${host:-x}/${}/${1}"),
    ],
)
def test_expand(text: str, expanded: str) -> None:
    assert expand_variables(text, ENVIRONMENT) == expanded


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("${NONE}", "the variable NONE is not set; export it, or write ${NONE:-default}"),
        ("${NONE:?which host}", "the variable NONE is not set: which host"),
        ("${EMPTY:?which host}", "the variable EMPTY is not set: which host"),
        ("a ${HOST", "${HOST has no closing brace; write ${HOST}"),
        ("${HOST-x}", "write ${HOST}, ${HOST:-default} or ${HOST:?message}"),
        ("${NONE:-${HOST}}", "${NONE…} holds another variable"),
    ],
)
def test_problems(text: str, problem: str) -> None:
    with pytest.raises(ConfigurationErrors) as raised:
        expand_variables(text, ENVIRONMENT)
    assert len(raised.value.problems) == 1
    assert problem in raised.value.problems[0]


def test_problems_of_several_texts_are_reported_once_and_together() -> None:
    with pytest.raises(ConfigurationErrors) as raised:
        expand_all(["${A} ${B}", "${A}", "${HOST}"], ENVIRONMENT)
    assert [problem.split()[2] for problem in raised.value.problems] == ["A", "B"]


WORDS = st.text("abc/:. -", max_size=5)
VALUES = st.dictionaries(st.sampled_from(["ONE", "TWO_2"]), WORDS)
FORMS = st.tuples(st.sampled_from(["ONE", "TWO_2", "THREE"]), WORDS).map(
    lambda form: f"${{{form[0]}:-{form[1]}}}"
)


@given(st.lists(st.one_of(FORMS, WORDS)).map("".join), VALUES)
@pytest.mark.skipif(shutil.which("sh") is None, reason="sh")
def test_defaults_are_those_of_the_shell(text: str, environment: dict[str, str]) -> None:
    command = ["sh", "-c", f'printf "%s" "{text}"']
    shell = subprocess.run(command, env=environment, capture_output=True, check=True)
    assert expand_variables(text, environment) == shell.stdout.decode()
