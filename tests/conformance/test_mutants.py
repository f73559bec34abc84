"""The suite can fail: each broken connector is caught, by the check that is meant for it alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch

import pyarrow as pa
import pytest

from ferris_beam.connector import Connector, Reader
from ferris_beam.connectors import memory
from ferris_beam.errors import TransientError
from ferris_beam.ledger import LedgerState
from ferris_beam.options import option
from ferris_beam.testing import (
    SINK_CHECKS,
    SOURCE_CHECKS,
    SinkCase,
    SourceCase,
    faulty,
)
from ferris_beam.testing.cases import sample
from tests.conformance import sink_mutants, source_mutants  # noqa: F401  (they declare themselves)
from tests.conformance.mutants import MUTANTS, Mutant, caught

READERS = [mutant for mutant in MUTANTS if issubclass(mutant.broken, Reader)]
WRITERS = [mutant for mutant in MUTANTS if mutant not in READERS]


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    faulty.clear()
    memory.clear()
    yield
    faulty.clear()
    memory.clear()


def name_of(mutant: Mutant) -> str:
    return mutant.broken.__name__


@pytest.mark.parametrize("mutant", READERS, ids=name_of)
def test_a_broken_reader_is_caught_by_its_check(mutant: Mutant) -> None:
    sound = memory.CONNECTOR if mutant.uri.startswith("memory") else faulty.CONNECTOR
    found = caught(mutant.connector(sound), SOURCE_CHECKS, lambda: source_case(mutant))
    assert list(found) == [mutant.caught_by], found
    assert "\n\nThe contract: " in found[mutant.caught_by]
    assert "\nWhy: " in found[mutant.caught_by]


@pytest.mark.parametrize("mutant", WRITERS, ids=name_of)
def test_a_broken_writer_is_caught_by_its_check(mutant: Mutant) -> None:
    found = caught(mutant.connector(faulty.CONNECTOR), SINK_CHECKS, lambda: sink_case(mutant.uri))
    assert list(found) == [mutant.caught_by], found


def test_every_check_has_a_mutant() -> None:
    """Of the types two will do: they are one check."""
    names = [check.name for check in (*SOURCE_CHECKS, *SINK_CHECKS)]
    needed = {name for name in names if ":" not in name} - {"the_declaration_is_complete"}
    assert needed - {mutant.caught_by for mutant in MUTANTS} == set()


@pytest.mark.parametrize(
    "broken",
    [
        replace(faulty.CONNECTOR, summary=" "),
        replace(faulty.CONNECTOR, example="faulty://numbers?unitz=2"),
        replace(faulty.CONNECTOR, example="other://numbers"),
        replace(
            faulty.CONNECTOR,
            source=replace(
                faulty.CONNECTOR.source,  # type: ignore[type-var]
                options="tests.conformance.test_mutants:WrongExample",
            ),
        ),
        replace(
            faulty.CONNECTOR,
            source=replace(
                faulty.CONNECTOR.source,  # type: ignore[type-var]
                options="tests.conformance.test_mutants:NoExample",
            ),
        ),
    ],
    ids=["no summary", "unknown option", "another scheme", "wrong example", "no example"],
)
def test_a_poor_declaration_is_caught(broken: Connector) -> None:
    found = caught(broken, SOURCE_CHECKS[:1], lambda: number_case("faulty://in"))
    assert list(found) == ["the_declaration_is_complete"]


class WrongExample(faulty.FaultySourceOptions):
    units: int = option(2, description="How many units there are.", example="a few")


class NoExample(faulty.FaultySourceOptions):
    units: int | None = option(None, description="How many units there are.")


def source_case(mutant: Mutant) -> SourceCase:
    """A case that the sound connector passes."""
    if mutant.uri.startswith("faulty"):
        return replace(number_case(mutant.uri), **mutant.case)
    case = batch_case() if mutant.uri == source_mutants.BATCHES else stream_case()
    return replace(case, **mutant.case)


def number_case(uri: str) -> SourceCase:
    rejects = "reject_every=9" in uri
    good = [x for x in range(40) if x % 9 or not rejects]
    units = [faulty.records_of(f"unit-{number}", good) for number in range(2)]
    return SourceCase(
        uri=uri,
        expected=pa.Table.from_batches(units),
        rejected=10 if rejects else 0,
        failing="faulty://in?fatal_at=2",
    )


def batch_case() -> SourceCase:
    table = pa.Table.from_batches(sample().combine_chunks().to_batches(5))
    memory.put("orders", table)

    def change() -> None:
        memory.put("orders", table.slice(1))

    return SourceCase(uri=source_mutants.BATCHES, expected=table, change=change)


def stream_case() -> SourceCase:
    memory.clear()
    live = memory.stream("clicks")
    for number, batch in enumerate(sample().combine_chunks().to_batches(5)):
        live.push(batch, timestamp=1_000_000 * number)
        live.advance_watermark(1_000_000 * number)

    def grow() -> pa.Table:
        live.push(sample().slice(0, 3), timestamp=10_000_000)
        return sample().slice(0, 3)

    return SourceCase(uri=source_mutants.STREAM, expected=sample(), grow=grow)


def sink_case(uri: str) -> SinkCase:
    faulty.clear()
    good = [x for x in range(1, 29) if x % 7]
    return SinkCase(
        uri=uri,
        table=pa.Table.from_batches([faulty.records_of("unit-0", good)]),
        refused=pa.Table.from_batches([faulty.records_of("unit-0", [7, 14, 21])]),
        interrupted=interrupted,
        failing="faulty://out?fatal_after=0",
        read=visible,
    )


@contextmanager
def interrupted() -> Iterator[None]:
    """The ledger can't be written."""
    with patch.object(LedgerState, "commit", side_effect=TransientError("the store is gone")):
        yield


def visible() -> pa.Table:
    tables = [pa.Table.from_batches([batch]) for batch in faulty.TABLES["out"].batches]
    return pa.concat_tables(tables) if tables else pa.table({})
