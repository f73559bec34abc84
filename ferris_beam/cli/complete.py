"""``ferris-beam complete LINE``: what may come next; called by the shells' completion scripts.

Prints the word at the end of the line, without its quotes, and then what it may become, one a
line. What ends with ``=``, ``:`` or ``/`` goes on. Knows commands, flags, schemes, files, and the
options of a URI's connector, with their values where there is a choice.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from ferris_beam.cli.arguments import Parser, parser_of_all
from ferris_beam.errors import FerrisError
from ferris_beam.registry import connector_for, schemes

_MOST = 500
_SINKS = {"sink", "dead_letters"}
_URIS = {"source", "sink", "dead_letters", "uri"}


def run(arguments: argparse.Namespace) -> None:
    word, found = completions(" ".join(arguments.words))
    lines = [each for each in islice(found, _MOST) if each.isprintable()]
    print("\n".join([word, *dict.fromkeys(lines)]))


def completions(line: str) -> tuple[str, Iterator[str]]:
    """The last word of a command line, which begins with the program, and what it may become."""
    *before, word = split(line)
    return word, _fitting(word, _Position.of(_without_program(before)))


def split(line: str) -> list[str]:
    """The words of an unfinished line, without quotes; the last one may be empty."""
    words, quote, escaped = [""], "", False
    for character in line:
        if escaped:
            words[-1] += character
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif quote:
            if character == quote:
                quote = ""
            else:
                words[-1] += character
        elif character in "'\"":
            quote = character
        elif character.isspace():
            if words[-1]:
                words.append("")
        else:
            words[-1] += character
    return words


def _without_program(words: Sequence[str]) -> list[str]:
    """Behind ``ferris-beam`` or ``python -m ferris_beam``."""
    if "ferris_beam" in words[:3]:
        return list(words[words.index("ferris_beam") + 1 :])
    return list(words[1:])


@dataclass(frozen=True)
class _Position:
    """Where a line stands: in which command, behind which flag, with how many words before."""

    parser: Parser
    flag: argparse.Action | None
    positional: int
    given: frozenset[str]

    @classmethod
    def of(cls, words: Sequence[str]) -> _Position:
        parser, positional, given = parser_of_all(), 0, set()
        flag: argparse.Action | None = None
        for word in words:
            if flag is not None:
                flag = None
            elif word in parser._option_string_actions:
                given.add(word)
                action = parser._option_string_actions[word]
                flag = action if action.nargs != 0 else None
            elif word in parser.commands:
                parser = parser.commands[word]
            else:
                positional += not word.startswith("-")
        return cls(parser, flag, positional, frozenset(given))

    @property
    def action(self) -> argparse.Action | None:
        """What the next word is for."""
        if self.flag is not None:
            return self.flag
        expected = [a for a in self.parser._actions if not a.option_strings]
        return expected[self.positional] if self.positional < len(expected) else None

    def direction(self, action: argparse.Action) -> str:
        belongs = "ledger" in (self.parser.prog or "").split()
        sink = action.dest in _SINKS or belongs or "--sink" in self.given
        return "sink" if sink else "source"


def _fitting(word: str, at: _Position) -> Iterator[str]:
    if word.startswith("--") and "=" in word and at.flag is None:
        flag, _, value = word.partition("=")
        action = at.parser._option_string_actions.get(flag)
        if action is not None:
            yield from (f"{flag}={each}" for each in _values(value, action, at))
    elif word.startswith("-") and at.flag is None:
        flags = [flag for flag in at.parser.flags if flag.startswith("--")]
        yield from _starting(word, [flag for flag in flags if flag not in at.given])
    elif at.parser.commands and at.flag is None:
        yield from _starting(word, [] if at.positional else at.parser.commands)
    elif at.action is not None:
        yield from _values(word, at.action, at)


def _values(word: str, action: argparse.Action, at: _Position) -> Iterator[str]:
    if action.choices is not None:
        yield from _starting(word, map(str, action.choices))
    elif action.dest in _URIS:
        yield from _uris(word, at.direction(action))
    elif action.dest == "scheme":
        yield from _starting(word, schemes())
    elif action.dest in ("write", "check", "report"):
        yield from _files("", word)


# ── URIs ────────────────────────────────────────────────────────────────────────────────────────


def _uris(word: str, direction: str) -> Iterator[str]:
    head, question, query = word.partition("?")
    scheme, colon, path = head.partition(":")
    if question:
        yield from _options(f"{head}?", query, scheme if colon else "file", direction)
    elif not colon:
        yield from _starting(word, map(_opening, schemes()))
        yield from _files("", word)
    elif scheme == "file":
        lead = "//" if path.startswith("//") else ""
        yield from _files(f"file:{lead}", path.removeprefix("//") if lead else path)


def _opening(scheme: str) -> str:
    """How URIs of a scheme begin, as its example does."""
    try:
        example = connector_for(scheme).example
    except (FerrisError, ImportError):
        example = ""
    return f"{scheme}:" if example.startswith(f"{scheme}:///") else f"{scheme}://"


def _options(before: str, query: str, scheme: str, direction: str) -> Iterator[str]:
    from ferris_beam.options.fields import fields_of

    try:
        connector = connector_for(scheme.lower())
        model = connector.sink_options() if direction == "sink" else connector.source_options()
    except FerrisError:
        return
    fields = fields_of(model).by_name
    done, ampersand, last = query.rpartition("&")
    before += done + ampersand
    name, equals, value = last.partition("=")
    if equals and name in fields:
        yield from (f"{before}{name}={each}" for each in _starting(value, _choices(fields[name])))
    elif not equals:
        given = {pair.partition("=")[0] for pair in done.split("&")}
        names = [each for each in fields if each not in given]
        yield from (f"{before}{each}=" for each in _starting(last, names))


def _choices(field: object) -> list[str]:
    """The words that an option takes, where it takes some words only."""
    allowed: str = getattr(field, "allowed", "")
    listed = allowed.removeprefix("one of ").replace(" or ", ", ").split(", ")
    return listed if len(listed) > 1 and all(map(_is_word, listed)) else []


def _is_word(text: str) -> bool:
    return text.replace("_", "").replace("-", "").isalnum()


def _files(before: str, word: str) -> Iterator[str]:
    folder, slash, name = word.rpartition("/")
    try:
        entries = sorted(os.scandir(folder + slash or "."), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(name) and (name.startswith(".") or entry.name[0] != "."):
            yield f"{before}{folder}{slash}{entry.name}{'/' if entry.is_dir() else ''}"


def _starting(word: str, known: Iterable[str]) -> Iterator[str]:
    return (each for each in known if each.startswith(word))
