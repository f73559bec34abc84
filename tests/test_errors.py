"""The tree of exceptions, and what becomes of them on their way through Beam and pickle."""

from __future__ import annotations

import copy
import pickle
import re
import traceback

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam import errors
from ferris_beam.errors import (
    BadRecordError,
    ConfigurationErrors,
    FatalError,
    FerrisError,
    MissingDependencyError,
    TransientError,
    find_in_text,
)

CLASSES = [getattr(errors, name) for name in errors.__all__ if name != "find_in_text"]
# A message may hold anything but Beam's own note; line ends around it mean nothing.
MESSAGES = (
    st.text(st.characters(exclude_categories=["Cs"]))
    .map(lambda text: text.strip("\n") or "x")
    .filter(lambda text: "[while running" not in text)
)
LINES = MESSAGES.filter(lambda text: "\n" not in text)
ONE_OF_EACH = [
    ConfigurationErrors("kafka://h/t has 2 problems", ["one:\nmore", "two"]),
    BadRecordError("not a number", "number", 7),
    *(cls("first line\nsecond line") for cls in CLASSES if cls is not ConfigurationErrors),
]


class OwnError(FatalError):
    """As a connector outside of the package would define one."""


def is_same(left: BaseException | None, right: BaseException) -> bool:
    assert isinstance(left, FerrisError)
    return (type(left), left.args, vars(left)) == (type(right), right.args, vars(right))


def test_tree_in_docstring_is_the_tree_of_classes() -> None:
    drawn = {}
    path: list[str] = []
    for indent, name in re.findall(r"^    ([│├└─ ]*)(\w+Errors?)\b", errors.__doc__ or "", re.M):
        depth = len(indent) // 4
        path[depth:] = [name]
        drawn[name] = path[depth - 1] if depth else "Exception"
    assert drawn == {cls.__name__: cls.__base__.__name__ for cls in CLASSES}


@pytest.mark.parametrize("error", ONE_OF_EACH, ids=lambda error: type(error).__name__)
def test_pickle_and_copy(error: FerrisError) -> None:
    assert is_same(pickle.loads(pickle.dumps(error)), error)
    assert is_same(copy.copy(error), error)


@pytest.mark.parametrize("error", ONE_OF_EACH, ids=lambda error: type(error).__name__)
def test_beam_can_append_the_step(error: FerrisError) -> None:
    """DoFnRunner._reraise_augmented builds the exception again from its args."""
    augmented = type(error)(error.args[0] + " [while running 'X']", *error.args[1:])
    assert " [while running 'X']" in str(augmented)
    assert vars(augmented) == vars(error)


def test_str_indents_further_lines() -> None:
    assert str(FatalError("one\ntwo\n\nthree")) == "one\n  two\n  \n  three"
    assert FatalError("one\ntwo").message == "one\ntwo"
    problems = ConfigurationErrors("2 problems", ["a\nb", "c"])
    assert str(problems) == "2 problems\n  - a\n    b\n  - c"
    assert problems.problems == ("a\nb", "c")


def test_missing_dependency_names_the_command() -> None:
    message = str(MissingDependencyError.of("PyYAML", "reading ferris.yaml"))
    assert message.startswith("reading ferris.yaml needs the package PyYAML")
    assert "pip install 'PyYAML'" in message


def shown(error: BaseException, cause: BaseException | None = None) -> str:
    """The traceback of an error that was raised, perhaps because of another one."""
    try:
        try:
            if cause is not None:
                raise cause
        finally:
            raise error
    except BaseException:
        return traceback.format_exc()


@given(
    st.sampled_from(CLASSES), MESSAGES, st.booleans(), st.sampled_from(["", "\n\tat java.lang\n"])
)
def test_find_in_text_rebuilds_any_message(
    cls: type[FerrisError], message: str, with_step: bool, after: str
) -> None:
    if cls is ConfigurationErrors:
        message = message.replace("\n", " ")
    step = " [while running 'Read/Split']" if with_step else ""
    found = find_in_text(shown(cls(message + step), TransientError("the cause\nof it")) + after)
    assert type(found) is cls
    assert found is not None
    assert found.message == message


@given(LINES, st.lists(MESSAGES, min_size=1))
def test_find_in_text_rebuilds_problems(headline: str, problems: list[str]) -> None:
    error = ConfigurationErrors(headline, problems)
    augmented = ConfigurationErrors(headline + " [while running 'X']", problems)
    for text in (shown(error), shown(augmented), f"RuntimeError: {shown(error)}"):
        found = find_in_text(text)
        assert found is not None
        assert is_same(found, error)


def test_find_in_text_takes_the_last_of_a_chain() -> None:
    text = shown(FatalError("what it led to"), TransientError("the cause"))
    assert text.index("the cause") < text.index("what it led to")
    found = find_in_text("bundle failed:" + text + "\nsome noise\n")
    assert is_same(found, FatalError("what it led to"))


def test_find_in_text_knows_subclasses_from_elsewhere() -> None:
    assert is_same(find_in_text(shown(OwnError("mine"))), OwnError("mine"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ValueError: no",
        "my.ferris_beam.errors.FatalError: not ours",
        "ferris_beam.errors.FatalErrors: no such class",
        "ferris_beam.errors.find_in_text: a function",
    ],
)
def test_find_in_text_finds_nothing(text: str) -> None:
    assert find_in_text(text) is None


class Failing(beam.DoFn):
    """Fails with an error that has a cause of our own, too."""

    def __init__(self, error: FerrisError) -> None:
        self.error = error

    def process(self, element: int) -> None:
        try:
            raise TransientError("the cause")
        except TransientError as cause:
            raise self.error from cause


@pytest.mark.parametrize("error", ONE_OF_EACH[:3], ids=lambda error: type(error).__name__)
def test_errors_come_back_from_beams_threads(error: FerrisError) -> None:
    """With several workers FnApiRunner reports the text of a traceback, nothing else."""
    options = PipelineOptions(
        ["--runner=FnApiRunner", "--direct_running_mode=multi_threading", "--direct_num_workers=2"]
    )
    pipeline = beam.Pipeline(options=options)
    _ = pipeline | beam.Create([1]) | "It's a step" >> beam.ParDo(Failing(error))
    with pytest.raises(RuntimeError) as raised:
        pipeline.run().wait_until_finish()
    found = find_in_text(str(raised.value))
    assert type(found) is type(error)
    assert found is not None
    assert found.message == error.message
