"""Functions of regular expressions, in the syntax of Rust's regex crate (nearly RE2's)."""

from __future__ import annotations

import re

from sqlglot import exp

from ferris_beam.sql.functions.define import category, engine, over
from ferris_beam.sql.functions.vectorised import regular_expressions as run

_regex = category("regular expressions")


def _extract(
    text: exp.Expression, pattern: exp.Expression, group: exp.Expression | None = None
) -> exp.Expression:
    """The engine's `regexp_match` lists the groups, not the whole: so a group goes around it."""
    _check_group(pattern, group)
    place = exp.Literal.number(0) if group is None else exp.cast(group, "bigint")
    whole = engine("concat", "(", pattern, ")")
    found = engine(
        "array_element",
        engine("regexp_match", text, whole),
        exp.paren(exp.Add(this=place, expression=exp.Literal.number(1))),
    )
    missing = exp.Or(
        this=exp.Is(this=text.copy(), expression=exp.Null()),
        expression=exp.Is(this=pattern.copy(), expression=exp.Null()),
    )
    empty = exp.Literal.string("")
    return exp.Case().when(missing, exp.Null()).else_(engine("coalesce", found, empty))


def _check_group(pattern: exp.Expression, group: exp.Expression | None) -> None:
    """Beyond the groups of the pattern there is nothing, which would look like no match."""
    if not isinstance(pattern, exp.Literal) or not isinstance(group, exp.Literal):
        return
    try:
        groups = re.compile(pattern.name).groups
    except re.error:  # Rust's syntax has some things that Python's lacks
        return
    if int(group.name) > groups:
        raise ValueError(f"the pattern {pattern.name!r} has {groups} groups, not {group.name}")


def _full_match(text: exp.Expression, pattern: exp.Expression) -> exp.Expression:
    return engine("regexp_like", text, engine("concat", "^(?:", pattern, ")$"))


FUNCTIONS = (
    _regex(
        "regexp_like(text, pattern[, flags])",
        "Whether the pattern matches somewhere; also written text ~ pattern. "
        "Flags: i (in any case), m (^ and $ at lines), s (. matches line ends), x.",
        ("regexp_like('abc', 'B', 'i')", "true"),
        ("'abc' ~ '^b'", "false"),
        aliases=("regexp_matches", "regexp"),
    ),
    _regex(
        "regexp_full_match(text, pattern)",
        "Whether the pattern matches the whole text.",
        ("regexp_full_match('abc', 'b')", "false"),
        render=_full_match,
    ),
    _regex(
        "regexp_match(text, pattern[, flags])",
        "The groups of the first match as a list (without groups: the match); NULL without one.",
        ("regexp_match('a-1', '(.)-(.)')", "[a, 1]"),
    ),
    _regex(
        "regexp_extract(text, pattern[, group])",
        "The first match, or one of its groups; empty if there is none.",
        ("regexp_extract('id=42;', '[0-9]+')", "42"),
        ("regexp_extract('id=42;', 'id=([0-9]+)', 1)", "42"),
        render=_extract,
        aliases=("regexp_substr",),
    ),
    _regex(
        "regexp_extract_all(text, pattern[, group])",
        "All matches, or one group of each, as a list. Patterns as Python's re has them.",
        ("regexp_extract_all('a1b22', '[0-9]+')", "[1, 22]"),
        ("regexp_extract_all('a1b22', '([a-z])([0-9]+)', 1)", "[a, b]"),
        render=lambda *given: engine("regexp_extract_all", *given, *([0] * (3 - len(given)))),
        ours=over(run.extract_all, *run.TEXT_TEXT_INTEGER, run.TEXTS),
    ),
    _regex(
        "regexp_replace(text, pattern, replacement[, flags])",
        "The first match replaced; all of them with the flag g. \\1 stands for a group.",
        ("regexp_replace('a-b-c', '-', '+', 'g')", "a+b+c"),
        ("regexp_replace('John Smith', '(\\w+) (\\w+)', '\\2 \\1')", "Smith John"),
    ),
    _regex(
        "regexp_count(text, pattern[, start[, flags]])",
        "How many matches there are.",
        ("regexp_count('abcb', 'b')", "2"),
    ),
    _regex(
        "regexp_instr(text, pattern[, start])",
        "The place of the first match, from 1; 0: there is none.",
        ("regexp_instr('abcb', 'b')", "2"),
    ),
    _regex(
        "regexp_split_to_array(text, pattern)",
        "The parts between matches as a list. Patterns as RE2 has them.",
        ("regexp_split_to_array('a, b;c', '[,;] *')", "[a, b, c]"),
        aliases=("string_split_regex", "str_split_regex", "regexp_split"),
        ours=over(run.split, *run.TEXT_TEXT, run.TEXTS),
    ),
)
