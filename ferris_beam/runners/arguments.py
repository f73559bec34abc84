"""Command lines of pipelines: Beam's flags checked strictly, all problems told at once."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from apache_beam.options.pipeline_options import PipelineOptions

from ferris_beam.errors import ConfigurationError, ConfigurationErrors, OptionError

T = TypeVar("T")


class Problems:
    """Collects configuration errors so that a command reports all of them together."""

    def __init__(self, headline: str) -> None:
        self._headline = headline
        self._found: list[str] = []

    def attempt(self, action: Callable[..., T], *arguments: Any, **keywords: Any) -> T | None:
        """The result of ``action``, or None where it raised a configuration error."""
        try:
            return action(*arguments, **keywords)
        except ConfigurationErrors as errors:
            self._found += [f"{errors.headline}: {problem}" for problem in errors.problems]
        except ConfigurationError as error:
            self._found.append(error.message)
        return None

    def raise_any(self) -> None:
        if self._found:
            raise ConfigurationErrors(self._headline, self._found)


def beam_options(flags: Sequence[str], own: argparse.ArgumentParser | None = None) -> Any:
    """``flags`` as PipelineOptions. A flag that nobody knows is an `OptionError`: Beam itself
    would warn and drop it. ``own`` is the command's parser, whose flags are suggested too."""
    parser = _beam_parser()
    _, unknown = parser.parse_known_args(list(flags))
    strays = [flag for flag in unknown if flag.startswith("-")] or unknown
    if strays:
        raise OptionError("; ".join(_stray(flag, parser, own) for flag in strays))
    return PipelineOptions(list(flags))


def _beam_parser() -> argparse.ArgumentParser:
    parser = _QuietParser(add_help=False, allow_abbrev=False)
    for kind in PipelineOptions.__subclasses__():
        kind._add_argparse_args(parser)
    return parser


class _QuietParser(argparse.ArgumentParser):
    """Raises instead of exiting, and takes the first of two options with equal names."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(conflict_handler="resolve", **keywords)

    def error(self, message: str) -> Any:
        raise OptionError(message)


def _stray(flag: str, parser: argparse.ArgumentParser, own: argparse.ArgumentParser | None) -> str:
    name = flag.split("=", 1)[0]
    known = list(parser._option_string_actions)
    if own is not None:
        known += list(own._option_string_actions)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else "; --help lists what there is"
    return f"unknown flag {name}{hint}"
