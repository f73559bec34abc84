"""The first stage: what was written is judged completely, and nothing else is looked at."""

from __future__ import annotations

import builtins
import os
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.errors import ConfigurationErrors
from ferris_beam.options import Options, Problem, Secret, check, option
from ferris_beam.uri import Uri
from tests.options.models import Everything, Required


def problems(uri: str, model: type[Options] = Everything, **arguments: Any) -> list[Problem]:
    with pytest.raises(ConfigurationErrors) as raised:
        check(model, Uri.parse(uri), arguments)
    assert raised.value.__cause__ is None
    assert all(isinstance(problem, Problem) for problem in raised.value.problems)
    return list(raised.value.problems)  # type: ignore[arg-type]


def test_what_is_right_passes_and_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("neither disk nor environment")

    uri = Uri.parse("shop://app@h/db?table=t&rows=10&watch&idle=2m&size=1kB&connection=none")
    check(Everything, uri, {})  # pydantic builds the model's validator once
    with monkeypatch.context() as patched:
        patched.setattr(builtins, "open", refuse)
        patched.setattr(os, "open", refuse)
        patched.setattr(type(os.environ), "__getitem__", refuse)
        scrubbed, kept = check(Everything, uri, {"ratio": 0.25, "folder": None})
    assert scrubbed == uri
    assert kept == {"ratio": 0.25}


def test_required_options_may_still_come() -> None:
    assert check(Required, Uri.parse("shop:?rows=1"), {})[1] == {}


def test_values_with_variables_are_judged_later() -> None:
    check(Everything, Uri.parse("shop:?rows=${ROWS}&watch=${WATCH:-yes}"), {})
    check(Everything, Uri.parse("shop:?parts=${A}&parts=${B}"), {})


def test_all_problems_come_at_once_with_what_to_do() -> None:
    found = problems(
        "shop://h/db?tabel=x&rows=0&watch=perhaps&idle=5&mode=cdcc&ratio=1&size=3XB&parallel=x"
        "&acks=som&slot=123456789&parts=1,x"
    )
    assert {problem.option: (problem.kind, str(problem)) for problem in found} == {
        "tabel": ("UnknownOption", "there is no option 'tabel'; did you mean 'table'?"),
        "rows": (
            "OutOfRange",
            "rows is '0'; it must be a whole number of at least 1 and at most 100000, such as 500",
        ),
        "watch": ("InvalidValue", "watch is 'perhaps'; it must be true or false"),
        "idle": (
            "InvalidValue",
            "idle is '5' (not a duration); it must be a duration such as 500ms, 5s, 2m or 1h30m, "
            "such as 1h30m",
        ),
        "mode": (
            "InvalidValue",
            "mode is 'cdcc'; it must be one of table, cdc, such as cdc; did you mean 'cdc'?",
        ),
        "ratio": (
            "OutOfRange",
            "ratio is '1'; it must be a number of more than 0 and less than 1, such as 0.1",
        ),
        "size": (
            "InvalidValue",
            "size is '3XB' (not a size); it must be a size such as 500kB, 64MB or 1GiB of at "
            "least 1, such as 1GiB",
        ),
        "parallel": (
            "InvalidValue",
            "parallel is 'x'; it must be a whole number or auto, such as 4",
        ),
        "acks": ("InvalidValue", "acks is 'som'; it must be one of all, none, such as none"),
        "slot": (
            "OutOfRange",
            "slot is '123456789'; it must be text of at most 8 characters or items, such as s1",
        ),
        "parts": (
            "InvalidValue",
            "parts is 'x'; it must be a whole number, or several separated by commas, such as 1,2",
        ),
    }


def test_headline_says_where() -> None:
    with pytest.raises(ConfigurationErrors) as raised:
        check(Everything, Uri.parse("shop://app:s3@h/db?passwrod=s3&rows=0"), {})
    assert raised.value.headline == "shop://app:***@h/db has 2 problems"
    assert "s3" not in str(raised.value)


def test_arguments_are_judged_too_and_win() -> None:
    assert [p.option for p in problems("shop:?rows=1", rows="x", colour="red")] == [
        "rows",
        "colour",
    ]
    check(Everything, Uri.parse("shop:?rows=x"), {"rows": 1})


def test_only_lists_repeat() -> None:
    (problem,) = problems("shop:?rows=1&rows=2")
    assert problem == "rows is given twice; keep one"
    check(Everything, Uri.parse("shop:?parts=1&parts=2"), {})
    assert problems("shop:?parts=1&parts=x")


def test_rules() -> None:
    (problem,) = problems("shop:?table=a&query=b")
    assert (problem.kind, problem) == (
        "ConflictingParameters",
        "table and query exclude each other; keep one of them",
    )
    check(Everything, Uri.parse("shop:?slot=s"), {})


def test_the_uri_must_not_hold_what_the_model_does_not_take() -> None:
    found = problems("shop://app:s3cret@h/db", Required)
    assert [problem.option for problem in found] == ["user", "password"]
    assert "takes no password in the URI" in found[1]
    assert "s3cret" not in "".join(found)


@pytest.mark.parametrize("value", ["http://u:s3cret@h/", "jdbc+x://u:s3cret@h"])
def test_clear_passwords_in_other_options_are_refused(value: str) -> None:
    (problem,) = problems("shop:?endpoint=" + value)
    assert "endpoint holds a password in clear text" in problem
    assert "s3cret" not in problem
    assert problems("shop:", endpoint=value)
    check(Everything, Uri.parse("shop:?endpoint=http://u@h/"), {})


class TestSecrets:
    def test_they_leave_the_uri(self) -> None:
        uri = Uri.parse("shop://app:pw@h/db?api_key=key&table=t")
        scrubbed, kept = check(Everything, uri, {"rows": 1})
        assert scrubbed == Uri.parse("shop://app@h/db?table=t")
        assert kept == {"rows": 1, "password": Secret.of("pw"), "api_key": Secret.of("key")}
        assert kept["password"].resolve() == "pw"

    def test_arguments_win(self) -> None:
        uri = Uri.parse("shop://app:pw@h/db")
        _, kept = check(Everything, uri, {"password": "env:PW"})
        assert kept == {"password": Secret("env:PW")}

    def test_variables_become_references(self) -> None:
        uri = Uri.parse("shop://app:${PW}@h/db?api_key=${KEY}")
        _, kept = check(Everything, uri, {})
        assert kept == {"password": Secret("env:PW"), "api_key": Secret("env:KEY")}

    def test_checking_twice_changes_nothing(self) -> None:
        once = check(Everything, Uri.parse("shop://app:pw@h/db?api_key=key"), {})
        assert check(Everything, *once) == once

    def test_bad_ones_are_not_shown(self) -> None:
        (problem,) = problems("shop:", password=918273)
        assert "918273" not in problem
        assert "must be a secret" in problem

    def test_names_that_sound_secret_are_not_shown(self) -> None:
        class Careless(Options):
            """Options whose author forgot to say that one is a secret."""

            token: int = option(0, description="A token.")

        (problem,) = problems("shop:?token=s3cret", Careless)
        assert "s3cret" not in problem


GOOD: dict[str, list[str]] = {
    "table": ["", "x", "a b", "ü"],
    "schema": ["public"],
    "mode": ["table", "cdc"],
    "slot": ["12345678"],
    "rows": ["1", "100000", " 7 "],
    "ratio": ["0.5", "1e-3"],
    "size": ["1", "1kB", "1.5MiB"],
    "idle": ["0", "1ms", "1d"],
    "watch": ["true", "false", "1", "0", "yes", "no", "on", "off", "TRUE"],
    "acks": ["all", "none"],
    "parallel": ["auto", "3"],
    "columns": ["", "a", "a,b", "a, b"],
    "parts": ["", "1", "1,2"],
    "folder": ["/x", "y"],
}
BAD: dict[str, list[str]] = {
    "mode": ["", "TABLE", "x"],
    "slot": ["123456789"],
    "rows": ["", "0", "100001", "x", "1.5", "1,2"],
    "ratio": ["0", "1", "nan", "inf", "x"],
    "size": ["0", "x", "-1"],
    "idle": ["1", "x"],
    "watch": ["", "maybe", "2"],
    "acks": ["ALL"],
    "parallel": ["x", "1.5"],
    "parts": ["x", "1,x", ","],
    "tabel": ["x"],
    "a.b": [""],
}
CHOICES = [(n, v, True) for n in GOOD for v in GOOD[n]] + [
    (n, v, False) for n in BAD for v in BAD[n]
]


@given(st.lists(st.sampled_from(CHOICES), unique_by=lambda choice: choice[0]), st.randoms())
def test_exactly_the_bad_options_are_reported(
    choices: list[tuple[str, str, bool]], chance: random.Random
) -> None:
    uri, arguments = Uri("shop"), {}
    for name, value, _ in choices:
        if chance.random() < 0.5:
            uri = uri.with_option(name, value)
        else:
            arguments[name] = value
    bad = {name for name, _, good in choices if not good}
    try:
        check(Everything, uri, arguments)
        reported: set[str] = set()
    except ConfigurationErrors as error:
        reported = {problem.option for problem in error.problems}  # type: ignore[attr-defined]
    assert reported == bad
