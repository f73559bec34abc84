"""What `ferris_beam.testing` offers, and what it costs and says."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ferris_beam import testing
from ferris_beam.errors import FatalError
from ferris_beam.testing import SINK_CHECKS, SOURCE_CHECKS, Check, ConformanceError, NotApplicable
from ferris_beam.testing.checks import Violation, demand
from ferris_beam.testing.touching import touching_nothing

PUBLIC = [
    "SINK_CHECKS",
    "SOURCE_CHECKS",
    "Check",
    "ConformanceError",
    "NotApplicable",
    "SinkCase",
    "SinkConformance",
    "SourceCase",
    "SourceConformance",
]


def test_the_public_names_are_these() -> None:
    assert testing.__all__ == PUBLIC
    assert all(getattr(testing, name).__doc__ for name in PUBLIC)
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = testing.no_such_name


def test_importing_it_loads_nothing_heavy() -> None:
    code = (
        "import sys, ferris_beam.testing;"
        "sys.exit(bool({'pytest', 'pyarrow', 'pydantic', 'apache_beam'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_pytest_the_checks_are_there_and_the_classes_say_what_to_install() -> None:
    code = (
        "import sys; sys.modules['pytest'] = None\n"
        "from ferris_beam.errors import MissingDependencyError\n"
        "from ferris_beam.testing import SINK_CHECKS, SOURCE_CHECKS\n"
        "try:\n"
        "    from ferris_beam.testing import SourceConformance\n"
        "except MissingDependencyError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'ferris-beam[testing]'" in done.stdout, done.stderr


@pytest.mark.parametrize("check", [*SOURCE_CHECKS, *SINK_CHECKS], ids=lambda check: check.name)
def test_every_check_says_what_it_demands_and_why(check: Check) -> None:
    assert check.demand.endswith(".")
    assert check.reason.endswith(".")


def one_is_two(_: object) -> None:
    """One is two.

    It would save half of the work.
    """
    demand(1 == 2, "one is one")


def is_broken(_: object) -> None:
    """Nothing is broken.

    What is broken doesn't work.
    """
    raise FatalError("it is broken")


def test_a_failure_tells_what_was_found_what_is_demanded_and_why() -> None:
    with pytest.raises(ConformanceError) as caught:
        Check.of(one_is_two)(None)
    assert str(caught.value) == (
        "one is one\n\nThe contract: One is two.\nWhy: It would save half of the work."
    )


def test_an_exception_is_a_failure_that_is_explained_too() -> None:
    with pytest.raises(ConformanceError, match="FatalError: it is broken") as caught:
        Check.of(is_broken)(None)
    assert isinstance(caught.value.__cause__, FatalError)


def test_what_does_not_concern_a_case_is_no_failure() -> None:
    def concerns_others(_: object) -> None:
        """Something else.

        Why not.
        """
        raise NotApplicable("needs something")

    with pytest.raises(NotApplicable, match="needs something"):
        Check.of(concerns_others)(None)


def test_touching_the_disk_is_noticed() -> None:
    with touching_nothing("doing nothing"):
        pass
    with (
        pytest.raises(Violation, match=r"reading touched the outside: open\('/dev/null'\)"),
        touching_nothing("reading"),
        open("/dev/null"),
    ):
        pass
