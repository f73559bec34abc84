"""Commits of the PostgreSQL sink: lost answers and connections, zombies, bad rows."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pyarrow as pa
import pytest

from ferris_beam.errors import (
    BadRecordError,
    ConfigurationError,
    ConflictError,
    FatalError,
    RejectedRowError,
    TransientError,
)
from ferris_beam.ledger import Entry
from tests.connectors.postgresql.cutting import LosingProxy
from tests.connectors.postgresql.writing import Run, kill_backends, running
from tests.services.database import Database
from tests.services.postgresql import PostgresqlServer


def rows(start: int, count: int) -> pa.RecordBatch:
    numbers = list(range(start, start + count))
    return pa.RecordBatch.from_pydict({"id": numbers, "name": [f"name {n}" for n in numbers]})


def ids(database: Database, table: str = "t") -> list[int]:
    return [n for (n,) in database.execute(f"SELECT id FROM {table} ORDER BY 1")]


@pytest.fixture
def proxy(server: PostgresqlServer) -> Iterator[LosingProxy]:
    made = LosingProxy(server.port)
    yield made
    made.close()


@pytest.mark.parametrize("mode", ["append", "upsert"])
def test_a_commit_whose_answer_was_lost_is_known_and_not_repeated(
    database: Database, proxy: LosingProxy, mode: str
) -> None:
    database.execute("CREATE TABLE t (id bigint PRIMARY KEY, name text)")
    run = Run(database.uri(port=proxy.port, table="t", mode=mode))
    run.open()
    staged = run.writer.begin()
    staged.write(rows(0, 10))
    entries = [run.entry(10)]
    with proxy.losing(), pytest.raises(TransientError):
        run.writer.commit(1, staged, entries)
    assert proxy.lost == 1
    assert ids(database) == list(range(10))
    assert run.writer.commit(1, staged, entries).rows == 10
    assert run.writer.ledger().rows == 10
    assert ids(database) == list(range(10))
    run.writer.close()


def test_rows_are_written_again_where_the_connection_is_lost_before_the_commit(
    database: Database,
) -> None:
    with running(database, table="t") as run:
        run.commit(rows(0, 10))
        staged = run.writer.begin()
        staged.write(rows(10, 10))
        kill_backends(database)
        entries = [run.entry(10)]
        with pytest.raises(TransientError):
            run.writer.commit(1, staged, entries)
        assert ids(database) == list(range(10))
        assert run.writer.commit(1, staged, entries).rows == 10
        assert ids(database) == list(range(20))


def test_a_connection_that_is_lost_between_two_batches_is_a_passing_error(
    database: Database,
) -> None:
    with running(database, table="t") as run:
        staged = run.writer.begin()
        staged.write(rows(0, 10))
        kill_backends(database)
        with pytest.raises(TransientError):
            staged.write(rows(10, 10))
        staged.write(rows(10, 10))
        run.writer.commit(1, staged, [run.entry(20)])
    assert ids(database) == list(range(20))


def test_of_two_that_commit_one_interval_at_once_one_is_refused(database: Database) -> None:
    """Whoever comes second finds the first one's entry in the ledger, whatever it staged."""
    with running(database, table="t") as first:
        second = Run(database.uri(table="t"))
        second.identity = first.identity
        second.open()
        together = threading.Barrier(2)
        outcomes: list[object] = []

        def commit(run: Run) -> None:
            staged = run.writer.begin()
            staged.write(rows(0, 1000))
            together.wait(30)
            try:
                outcomes.append(run.writer.commit(1, staged, [run.entry(1000, at=0)]).rows)
            except ConflictError as error:
                outcomes.append(type(error))

        threads = [threading.Thread(target=commit, args=(run,)) for run in (first, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        second.writer.close()
    assert sorted(map(str, outcomes)) == sorted(["1000", str(ConflictError)])
    assert ids(database) == list(range(1000))


def test_one_bad_row_among_many_costs_one_dead_letter_with_its_category(
    database: Database,
) -> None:
    database.execute("CREATE TABLE t (id int, name text CHECK (name <> 'name 777'), at date)")
    wanted = rows(0, 65_536)
    with running(database, table="t") as run:
        bad = run.commit_good(wanted)
    assert [(row, error.category) for row, error in bad] == [(777, "constraint")]
    assert database.execute("SELECT count(*) FROM t") == [(65_535,)]


def test_rows_that_do_not_fit_are_told_from_those_that_break_a_rule(database: Database) -> None:
    database.execute("CREATE TABLE t (id smallint, name varchar(10))")
    names = ["a", "b" * 11, "c", "d"]
    records = pa.RecordBatch.from_pydict({"id": [1, 2, 70_000, 4], "name": names})
    with running(database, table="t") as run:
        bad = run.commit_good(records)
    assert [(row, error.category) for row, error in bad] == [(1, "validation"), (2, None)]
    assert ids(database) == [1, 4]
    assert "id" in bad[1][1].message


def test_a_row_that_a_trigger_refuses_is_found_by_halving(database: Database) -> None:
    """COPY doesn't say which row it was."""
    database.execute("CREATE TABLE parent (id bigint PRIMARY KEY)")
    database.execute("INSERT INTO parent SELECT n FROM generate_series(0, 199) n WHERE n <> 123")
    database.execute("CREATE TABLE t (id bigint REFERENCES parent, name text)")
    with running(database, table="t") as run:
        bad = run.commit_good(rows(0, 200))
    assert [(row, error.category) for row, error in bad] == [(123, "constraint")]
    assert len(ids(database)) == 199


def test_with_on_failure_batch_one_bad_row_stops_the_pipeline(database: Database) -> None:
    database.execute("CREATE TABLE t (id bigint CHECK (id <> 5), name text)")
    with running(database, table="t", on_failure="batch") as run:
        staged = run.writer.begin()
        staged.write(rows(10, 3))
        with pytest.raises(RejectedRowError, match="on_failure=batch"):
            staged.write(rows(0, 10))
        run.writer.rollback(staged)
    assert ids(database) == []


def test_a_deferred_constraint_refuses_the_commit_as_a_whole(database: Database) -> None:
    database.execute("CREATE TABLE parent (id bigint PRIMARY KEY)")
    database.execute(
        "CREATE TABLE t (id bigint REFERENCES parent DEFERRABLE INITIALLY DEFERRED, name text)"
    )
    with running(database, table="t") as run:
        with pytest.raises(FatalError, match="NOT DEFERRABLE"):
            run.commit(rows(0, 10))
        assert not run.writer.ledger().rows
    assert ids(database) == []


def test_the_isolation_level_is_that_of_the_transaction(database: Database) -> None:
    database.execute("CREATE TABLE t (id bigint, name text DEFAULT '')")
    database.execute("CREATE TABLE seen (level text)")
    database.execute(
        "CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "INSERT INTO seen VALUES (current_setting('transaction_isolation')); RETURN NULL; END $$"
    )
    database.execute("CREATE TRIGGER look AFTER INSERT ON t EXECUTE FUNCTION look()")
    with running(database, table="t", isolation="serializable") as run:
        run.commit(rows(0, 2))
    assert database.execute("SELECT DISTINCT level FROM seen") == [("serializable",)]


def test_two_serializable_writers_both_get_on(database: Database) -> None:
    """A serialization failure is a passing error: the transaction is written again."""
    options = {"table": "t", "isolation": "serializable"}
    with running(database, **options) as first:
        first.commit(rows(0, 1))
        second = Run(database.uri(**options))
        second.identity = first.identity
        second.open()
        staged = [(run, run.writer.begin()) for run in (first, second)]
        for number, (_, part) in enumerate(staged):
            part.write(rows(10 * (number + 1), 10))
        for number, (run, part) in enumerate(staged):
            entries = [run.entry(10, at=number + 1, ordered=False)]
            _patiently(run, part, entries)
        second.writer.close()
    assert ids(database) == [0, *range(10, 30)]


def _patiently(run: Run, staged: object, entries: list[Entry]) -> None:
    for _ in range(3):
        try:
            run.writer.commit(1, staged, entries)  # type: ignore[arg-type]
        except ConflictError:
            raise
        except TransientError:
            continue
        return
    raise AssertionError("the commit failed three times")


def test_a_deadlock_is_a_passing_error(database: Database) -> None:
    database.execute("CREATE TABLE t (id bigint PRIMARY KEY, name text)")
    database.execute("ALTER ROLE postgres SET deadlock_timeout = '50ms'")
    try:
        with running(database, table="t", mode="upsert") as first:
            first.commit(rows(1, 2))
            with running(database, name="others", table="t", mode="upsert") as second:
                outcomes = _crossing(first, second)
                assert sorted(outcomes) == ["a deadlock", "written"]
    finally:
        database.execute("ALTER ROLE postgres RESET deadlock_timeout")


def _crossing(first: Run, second: Run) -> list[str]:
    """Each writes a row, and then the one that the other has written."""
    outcomes: list[str] = []
    both = [(first.writer.begin(), 1, 2), (second.writer.begin(), 2, 1)]
    for staged, own, _ in both:
        staged.write(rows(own, 1))

    def cross(staged: object, other: int) -> None:
        try:
            staged.write(rows(other, 1))  # type: ignore[attr-defined]
            outcomes.append("written")
        except TransientError as error:
            outcomes.append("a deadlock" if "deadlock" in str(error) else str(error))
        staged.drop()  # type: ignore[attr-defined]

    threads = [threading.Thread(target=cross, args=(staged, other)) for staged, _, other in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return outcomes


def test_a_role_without_rights_is_told_what_to_grant(database: Database) -> None:
    role = f"weak_{database.name}"
    database.execute(f"CREATE ROLE {role} LOGIN")
    try:
        with pytest.raises(ConfigurationError, match="GRANT SELECT, INSERT, DELETE"):
            Run(database.uri(user=role, table="t")).open()
    finally:
        database.execute(f"DROP ROLE {role}")


def test_null_is_no_key(database: Database) -> None:
    database.execute("CREATE TABLE t (id bigint UNIQUE, name text)")
    records = pa.RecordBatch.from_pydict({"id": [1, None], "name": ["a", "b"]})
    with running(database, table="t", mode="upsert", key="id") as run:
        bad = run.commit_good(records)
    assert [(row, type(error)) for row, error in bad] == [(1, BadRecordError)]
    assert ids(database) == [1]
