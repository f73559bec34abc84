"""The commands and their arguments, built without importing any command."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import ferris_beam
from ferris_beam.errors import OptionError

HIDDEN = "complete"
"""The command for completion scripts, which is in no list: its words are taken as they are."""
PROGRAM = "python -m ferris_beam"
NOTE = "exit code: 0 done, 1 failed, 2 wrong usage or configuration"
_URI: Any = {"metavar": "URI", "help": "where it is; a path without a scheme is a file"}


class Parser(argparse.ArgumentParser):
    """Raises what is wrong instead of exiting, and takes no abbreviations."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(allow_abbrev=False, epilog=NOTE, **keywords)

    def error(self, message: str) -> NoReturn:
        raise OptionError(f"{message}\n{self.format_usage().strip()}")

    @property
    def commands(self) -> dict[str, Parser]:
        """The parsers of the commands below this one by name."""
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                return action.choices
        return {}

    @property
    def flags(self) -> list[str]:
        return list(self._option_string_actions)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Raises `OptionError` with the nearest word that would be right."""
    if arguments and arguments[0] == HIDDEN:
        return argparse.Namespace(command=HIDDEN, words=list(arguments[1:]))
    parser, rest = parser_of_all(), list(arguments) or ["--help"]
    path: list[str] = []
    while parser.commands:
        word = rest[0] if rest else ""
        if word not in parser.commands:
            _refuse_unknown(parser, path, word)
            break
        parser = parser.commands[word]
        path.append(rest.pop(0))
    parsed, unknown = parser_of_all().parse_known_args([*path, *rest])
    if unknown:
        raise OptionError(
            f"{' '.join(path)} doesn't take {unknown[0]!r}{_nearest(unknown[0], parser.flags)}\n"
            f"{PROGRAM} {' '.join(path)} --help shows what it takes"
        )
    return parsed


def _refuse_unknown(parser: Parser, path: Sequence[str], word: str) -> None:
    names = list(parser.commands)
    if word in parser.flags:
        return
    prefix = " ".join([PROGRAM, *path])
    what = f"there is no command {' '.join([*path, word])!r}" if word else "a command is missing"
    raise OptionError(
        f"{what}{_nearest(word, [*names, *parser.flags])}\n"
        f"the commands are {', '.join(names)}; {prefix} --help explains them"
    )


def _nearest(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


# ── the commands ────────────────────────────────────────────────────────────────────────────────


def parser_of_all() -> Parser:
    parser = Parser(
        prog=PROGRAM, description="Data pipelines on Apache Beam: one URI in, one URI out."
    )
    parser.add_argument(
        "--version", action="version", version=f"ferris-beam {ferris_beam.__version__}"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_reference_commands(commands)
    _add_endpoint_commands(commands)
    _add_preview(commands)
    _add_dead_letters(commands)
    _add_ledger(commands)
    _add_stop(commands)
    _add_completion(commands)
    return parser


def _add(commands: Any, name: str, what: str, *, json: bool = True) -> Parser:
    parser: Parser = commands.add_parser(name, help=what, description=what)
    if json:
        parser.add_argument("--json", action="store_true", help="prints one JSON document")
    return parser


def _add_reference_commands(commands: Any) -> None:
    _add(commands, "connectors", "what can be read and written, and with which guarantee")
    describe = _add(commands, "describe", "every option of a scheme's source and of its sink")
    describe.add_argument("scheme", metavar="SCHEME", help="such as file; a whole URI will do")
    _add(commands, "runners", "what each runner was seen to do, and what of it fails")
    what = "the pages of all options, SQL functions and runners, generated from the code"
    reference = _add(commands, "reference", what, json=False)
    reference.add_argument(
        "page",
        nargs="?",
        choices=("options", "functions", "runners"),
        default="options",
        help="the connectors' options (the default), the functions of SQL, or what runners can do",
    )
    action = reference.add_mutually_exclusive_group(required=True)
    action.add_argument("--write", metavar="PATH", help="writes the page")
    action.add_argument("--check", metavar="PATH", help="fails where the page is out of date")


def _add_endpoint_commands(commands: Any) -> None:
    what = "all that is wrong or odd about a URI and its options; touches nothing"
    validate = _add(commands, "validate", what)
    validate.add_argument("uri", **_URI)
    validate.add_argument("--sink", action="store_true", help="judges it as a sink")
    validate.add_argument(
        "--connect",
        action="store_true",
        help="also connects: reads the schema of a source, the ledgers of a sink",
    )
    what = "whether a source or sink can be used: it is reached, and each problem has its fix"
    doctor = _add(commands, "doctor", what)
    doctor.add_argument("uri", **_URI)
    doctor.add_argument("--sink", action="store_true", help="examines it as a sink")
    what = "what a source holds: format, schema, the first rows, splits, size"
    discover = _add(commands, "discover", what)
    discover.add_argument("uri", **_URI)


def _add_preview(commands: Any) -> None:
    what = "what a copy would read, map and write, without writing anything"
    preview = _add(commands, "preview", what)
    add_copy_arguments(preview)


def add_copy_arguments(parser: argparse.ArgumentParser) -> None:
    """What a copy is told, here and in `python -m pipelines.copy`."""
    parser.add_argument("--source", metavar="URI", required=True, help="where rows come from")
    parser.add_argument("--sink", metavar="URI", required=True, help="where rows go")
    parser.add_argument(
        "--dead-letters", metavar="URI", help="where rejected rows go; without it they stop the job"
    )
    parser.add_argument(
        "--columns", metavar="A,B", type=_names, help="reads these columns only, in this order"
    )
    parser.add_argument("--limit", metavar="N", type=_count, help="copies the first N rows only")
    add_progress_arguments(parser)


def add_progress_arguments(parser: argparse.ArgumentParser) -> None:
    """Who resumes what, and which guarantee is demanded."""
    progress = parser.add_argument_group("identity and delivery")
    identity = progress.add_mutually_exclusive_group()
    identity.add_argument("--name", help="a lasting name: started again, it goes on")
    identity.add_argument("--resume", metavar="ID", help="goes on with an earlier unnamed run")
    progress.add_argument("--rerun", action="store_true", help="runs a finished name once more")
    progress.add_argument("--reset", action="store_true", help="forgets progress, starts from zero")
    progress.add_argument(
        "--continue", dest="continue_changed", action="store_true", help="goes on although changed"
    )
    progress.add_argument("--delivery", choices=["exactly_once", "at_least_once"])


def add_sql_arguments(parser: argparse.ArgumentParser) -> None:
    """What `python -m pipelines.sql` is told."""
    text = parser.add_mutually_exclusive_group(required=True)
    text.add_argument("--file", metavar="F.sql", help="the statements; - is standard input")
    text.add_argument("--query", metavar="SQL", help="the statements themselves")
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        type=_variable,
        help="replaces ${NAME} in the text; may be given several times",
    )
    parser.add_argument(
        "--functions",
        metavar="MODULE",
        action="append",
        default=[],
        help="a module with functions of your own (@fb.function); may be given several times",
    )
    parser.add_argument("--explain", action="store_true", help="shows the plans, runs nothing")
    parser.add_argument(
        "--dead-letters", metavar="URI", help="where rejected rows go; without it they stop the job"
    )
    parser.add_argument(
        "--json", action="store_true", help="prints results as JSON lines, every row of them"
    )
    add_progress_arguments(parser)


def _add_dead_letters(commands: Any) -> None:
    letters = _add(commands, "dead-letters", "rejected rows: shows or counts them", json=False)
    actions = letters.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = _add(actions, "show", "rejected rows, each with its place and reason")
    show.add_argument("uri", **_URI)
    show.add_argument("--limit", metavar="N", type=_count, default=10, help="at most N (10)")
    _add_filters(show)
    summary = _add(actions, "summary", "how many rows were rejected, why, where and when")
    summary.add_argument("uri", **_URI)
    _add_filters(summary)


def _add_filters(parser: Parser) -> None:
    parser.add_argument("--reason", metavar="TEXT", help="those whose reason holds TEXT")
    parser.add_argument("--category", metavar="NAME", help="those of this category")
    parser.add_argument("--stage", metavar="TEXT", help="those whose stage holds TEXT")


def _add_ledger(commands: Any) -> None:
    ledger = _add(commands, "ledger", "what a sink remembers of pipelines", json=False)
    actions = ledger.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = _add(actions, "show", "whose progress a sink holds, and how far each is")
    show.add_argument("uri", **_URI)
    show.add_argument("--name", help="of this name only, with every unit")
    forget = _add(actions, "forget", "removes the progress of one name; rows stay")
    forget.add_argument("uri", **_URI)
    forget.add_argument("--name", required=True, help="whose progress")
    forget.add_argument("--yes", action="store_true", help="doesn't ask")


def _add_stop(commands: Any) -> None:
    stop = _add(commands, "stop", "ends a job on Flink; the same command goes on where it stopped")
    stop.add_argument("job", metavar="JOB", help="the pipeline's --name, or the job's id on Flink")
    stop.add_argument(
        "--flink_master",
        metavar="http://HOST:8081",
        required=True,
        help="the JobManager's REST API",
    )
    stop.add_argument(
        "--savepoint",
        metavar="DIR",
        nargs="?",
        const="",
        help="keeps windows and state in a savepoint, in DIR or where the cluster keeps them",
    )


def _add_completion(commands: Any) -> None:
    what = "a script that completes commands, flags, schemes and options in a shell"
    completion = _add(commands, "completion", what, json=False)
    completion.add_argument("shell", choices=["bash", "zsh", "fish"], metavar="SHELL")


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of names like a,b")
    return names


def _variable(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of rows above 0")
    return int(text)
