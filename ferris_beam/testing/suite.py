"""The checks as pytest classes: subclass one, give it a case, and each check is a test.

::

    class TestSource(SourceConformance):
        @pytest.fixture
        def case(self, server):
            return SourceCase(uri=f"orders://{server}/orders", expected=ORDERS)
"""

from __future__ import annotations

from ferris_beam.errors import MissingDependencyError
from ferris_beam.testing.cases import SinkCase, SourceCase
from ferris_beam.testing.checks import Check, NotApplicable
from ferris_beam.testing.menu import SINK_CHECKS, SOURCE_CHECKS

try:
    import pytest
except ModuleNotFoundError as error:
    raise MissingDependencyError(
        "the conformance classes need the package 'pytest': pip install 'ferris-beam[testing]'"
    ) from error


def _name(check: Check) -> str:
    return check.name


class SourceConformance:
    """Everything that the contract demands of a `Reader`. A subclass has a fixture ``case`` that
    gives a `SourceCase`; each test gets a fresh one."""

    @pytest.mark.parametrize("check", SOURCE_CHECKS, ids=_name)
    def test_contract(self, check: Check[SourceCase], case: SourceCase) -> None:
        _run(check, case)


class SinkConformance:
    """Everything that the contract demands of a `Writer`. A subclass has a fixture ``case`` that
    gives a `SinkCase`; each test gets a fresh one, whose sink holds nothing yet."""

    @pytest.mark.parametrize("check", SINK_CHECKS, ids=_name)
    def test_contract(self, check: Check[SinkCase], case: SinkCase) -> None:
        _run(check, case)


def _run(check: Check, case: SourceCase | SinkCase) -> None:
    """A check that does not concern the case is skipped, with what it would need."""
    try:
        check(case)
    except NotApplicable as reason:
        pytest.skip(str(reason))
