"""Checks of a sink's rows and of a writer's life: bad rows, every Arrow type, closing, secrets."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from ferris_beam.connector import Reader, Writer
from ferris_beam.errors import BadRecordError, FatalError, FerrisError
from ferris_beam.reliability import write_good_rows
from ferris_beam.testing.arrow_types import ARROW_TYPES
from ferris_beam.testing.cases import SinkCase
from ferris_beam.testing.checks import Check, NotApplicable, demand
from ferris_beam.testing.endpoint_checks import (
    NOBODY,
    Overheard,
    check_failure,
    check_secrets,
)
from ferris_beam.testing.rows import same_values
from ferris_beam.testing.writing import Piece, demand_visible, identity, pieces, running


def bad_rows_are_found(case: SinkCase) -> None:
    """A batch with rows that the sink can't take raises `BadRecordError` from `Staged.write` and
    stages none of its rows, so that halving it finds exactly these; all others are written.

    One bad row in a million must not stop the other ones, and must not be lost either.
    """
    if case.refused is None:
        raise NotApplicable("needs `refused`, rows that the sink must refuse")
    good = case.table.cast(case.refused.schema) if _same_names(case) else case.table
    mixed, bad = _mixed(good, case.refused)
    with running(case) as run:
        staged = run.writer.begin()
        found = {row for row, _ in write_good_rows(mixed, staged.write)}
        demand(found == bad, f"of the bad rows {sorted(bad)} those refused were {sorted(found)}")
        demand(
            staged.rows == good.num_rows,
            f"{staged.rows} rows are staged after the bad ones were refused, not {good.num_rows}",
        )
        run.writer.commit(1, staged, [pieces(good)[0].entry])
        run.finish()
    demand_visible(case, good, "after bad rows were refused")


def _same_names(case: SinkCase) -> bool:
    assert case.refused is not None
    return case.refused.schema.names == case.table.schema.names


def _mixed(good: pa.Table, bad: pa.Table) -> tuple[pa.RecordBatch, set[int]]:
    """Each bad row behind one, two, three … good ones; and at which places the bad rows are."""
    parts, places, at, taken = [], set(), 0, 0
    for number in range(bad.num_rows):
        parts.append(good.slice(taken, number + 1))
        taken, at = taken + parts[-1].num_rows, at + parts[-1].num_rows
        parts.append(bad.slice(number, 1))
        places.add(at)
        at += 1
    parts.append(good.slice(taken))
    (batch,) = pa.concat_tables(parts).combine_chunks().to_batches()
    return batch, places


def type_checks() -> list[Check[SinkCase]]:
    """One check for each type of Arrow: each needs a sink of its own."""
    return [_type_check(name, column) for name, column in ARROW_TYPES.items()]


def _type_check(name: str, column: pa.Array) -> Check[SinkCase]:
    def body(case: SinkCase) -> None:
        _check_type(case, column)

    body.__doc__ = (
        "Values of every Arrow type come back as they were, or the type is refused before anything "
        "of it is written, by a `FatalError` that names the column or its type; a store that lacks "
        "only some of its values refuses these rows by a `BadRecordError`.\n\n"
        "A value that is silently another one (cut off, rounded, in another time zone) is the "
        "worst that a sink can do. A user who is told can cast the column."
    )
    body.__name__ = f"every_type_is_kept_or_refused: {name}"
    return Check.of(body)


def _check_type(case: SinkCase, column: pa.Array) -> None:
    table = pa.table({"id": pa.array(range(len(column)), pa.int64()), "column_x": column})
    (piece,) = pieces(table, 1)
    try:
        with running(case) as run:
            run.commit(piece)
            run.finish()
    except FerrisError as error:
        _demand_named(case, column.type, error)
        return
    found, wanted = case.read(), case.as_stored(table)
    demand(
        found.num_rows == wanted.num_rows,
        f"of {wanted.num_rows} rows of the type {column.type}, {found.num_rows} came back",
    )
    found = found.sort_by("id") if not _is_sorted(found) else found
    back, sent = found["column_x"], wanted["column_x"]
    demand(
        same_values(back, sent),
        f"values of the type {column.type} came back as others:\n{back.to_string()}\ninstead of\n"
        f"{sent.to_string()}",
    )


def _is_sorted(table: pa.Table) -> bool:
    values = table["id"].to_pylist()
    return values == sorted(values)


def _demand_named(case: SinkCase, kind: pa.DataType, error: FerrisError) -> None:
    demand(
        isinstance(error, (FatalError, BadRecordError)),
        f"the type {kind} was refused by {type(error).__name__}, not by a FatalError: {error}",
    )
    names = "column_x" in error.message or str(kind) in error.message
    demand(names, f"the error that refuses {kind} names neither it nor the column: {error}")
    demand(not case.read().num_rows, f"rows were written although the type {kind} was refused")


def writers_close_at_any_time(case: SinkCase) -> None:
    """`close` works twice, without `open`, with rows staged and after an error; a writer can be
    opened again after it.

    Runners stop workers whenever they like, and a second exception hides the first.
    """
    never = case.writer()
    never.close()
    never.close()
    first, second, *_ = pieces(case.table)
    with running(case) as run:
        run.stage([first])
        run.writer.close()
        run.writer.close()
        run.writer.open(identity("run-1"))
        run.commit(first, second)
        run.finish()
    demand_visible(case, case.table.slice(0, 12), "a writer that was closed and opened again")


def sink_secrets_stay_secret(case: SinkCase) -> None:
    """No secret is in a writer's repr, pickle or place, in its ledger or errors, or in the log.

    All of these are stored and shown: pickles in the job's graph, places in plans, errors on
    screens. A `Secret` is a reference; resolve it where you connect, and keep the value nowhere.
    """
    (piece,) = pieces(case.table, 1)

    def use(writer: Reader | Writer, overheard: Overheard) -> None:
        assert isinstance(writer, Writer)
        _write_once(writer, piece, lambda: overheard.add("its ledger", f"{writer.ledger()!r}"))
        overheard.add("its place", writer.place)

    check_secrets(case, use)


def _write_once(writer: Writer, piece: Piece, look: Callable[[], None]) -> None:
    try:
        writer.open(NOBODY)
        epoch = writer.ledger().epoch + 1
        writer.claim(epoch, epoch)
        staged = writer.begin()
        staged.write(piece.records)
        writer.rollback(staged)
        look()
    finally:
        writer.close()


def sink_failures_are_of_our_kinds(case: SinkCase) -> None:
    """What a driver raises arrives as `TransientError` where another try may help, else as
    `FatalError` or `ConfigurationError` that says what to do; and `close` still works.

    The kind decides whether the engine tries again; a foreign exception stops everything, and tells
    the user of the driver's inside.
    """
    (piece,) = pieces(case.table, 1)

    def use(writer: Reader | Writer) -> None:
        assert isinstance(writer, Writer)
        writer.open(NOBODY)
        writer.claim(1, 1)
        staged = writer.begin()
        staged.write(piece.records)
        writer.commit(1, staged, [piece.entry])

    check_failure(case, use)
