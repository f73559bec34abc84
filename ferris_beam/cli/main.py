"""The commands and their arguments. A command's module is imported when the command is called."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any, NoReturn

import ferris_beam
from ferris_beam.cli.command import run_command
from ferris_beam.errors import OptionError

_PROGRAM = "python -m ferris_beam"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command line (``sys.argv`` unless given) and returns its exit code."""

    def command() -> int | None:
        arguments = _parse(sys.argv[1:] if argv is None else list(argv))
        module = import_module(f"ferris_beam.cli.{arguments.command}")
        return module.run(arguments)

    return run_command(command)


class _Parser(argparse.ArgumentParser):
    """Raises what is wrong instead of exiting, and takes no abbreviations."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(allow_abbrev=False, **keywords)

    def error(self, message: str) -> NoReturn:
        raise OptionError(f"{message}\n{self.format_usage().strip()}")


def _parsers() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """The parser of the whole command line, and those of the commands by name."""
    parser = _Parser(
        prog=_PROGRAM,
        description="Data pipelines on Apache Beam: one URI in, one URI out.",
        epilog="exit code: 0 done, 1 failed, 2 wrong usage or configuration",
    )
    parser.add_argument(
        "--version", action="version", version=f"ferris-beam {ferris_beam.__version__}"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    what = "what can be read and written, and with which guarantee"
    connectors = commands.add_parser("connectors", help=what, description=what)
    connectors.add_argument("--json", action="store_true", help="prints JSON")

    what = "every option of a scheme's source and of its sink"
    describe = commands.add_parser("describe", help=what, description=what)
    describe.add_argument("scheme", metavar="SCHEME", help="such as file; a whole URI will do")
    describe.add_argument("--json", action="store_true", help="prints JSON")

    what = "the page of all connectors and options, generated from the code"
    reference = commands.add_parser("reference", help=what, description=what)
    action = reference.add_mutually_exclusive_group(required=True)
    action.add_argument("--write", metavar="PATH", help="writes the page")
    action.add_argument("--check", metavar="PATH", help="fails where the page is out of date")
    return parser, {"connectors": connectors, "describe": describe, "reference": reference}


def _parse(arguments: list[str]) -> argparse.Namespace:
    """Raises `OptionError` with the nearest word that would be right."""
    parser, commands = _parsers()
    first = arguments[0] if arguments else "--help"
    known = [*commands, *parser._option_string_actions]
    if first not in known:
        raise OptionError(
            f"there is no command {first!r}{_nearest(first, known)}\n"
            f"the commands are {', '.join(commands)}; {_PROGRAM} --help explains them"
        )
    parsed, unknown = parser.parse_known_args(arguments or ["--help"])
    if unknown:
        flags = commands[parsed.command]._option_string_actions
        raise OptionError(
            f"{parsed.command} doesn't take {unknown[0]!r}{_nearest(unknown[0], flags)}\n"
            f"{_PROGRAM} {parsed.command} --help shows what it takes"
        )
    return parsed


def _nearest(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""
