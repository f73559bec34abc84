"""mode=apply: after any changes, cut into any batches, the table is as if they had been made one
by one."""

from __future__ import annotations

import json
import uuid
from decimal import Decimal
from typing import Any, NamedTuple

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ferris_beam.errors import (
    BadRecordError,
    ConfigurationError,
    FatalError,
    SchemaError,
    TransientError,
)
from tests.connectors.postgresql.writing import kill_backends, running
from tests.services.database import Database

FLAT = pa.schema(
    [
        ("id", pa.int64()),
        ("a", pa.int32()),
        ("b", pa.string()),
        ("_operation", pa.string()),
        ("_position", pa.decimal128(38, 0)),
        ("_unchanged", pa.list_(pa.string())),
    ]
)
ROW = pa.struct([("id", pa.int64()), ("a", pa.int32()), ("b", pa.string())])
Row = tuple[int, int | None, str | None]


class Change(NamedTuple):
    """One change: the row before and after it, and the columns that were not sent."""

    operation: str
    before: Row | None = None
    after: Row | None = None
    unchanged: tuple[str, ...] = ()


def flat(changes: list[Change], positions: list[int] | None = None) -> pa.RecordBatch:
    rows = []
    for number, change in enumerate(changes):
        shown = _shown(change) or (None, None, None)
        at = Decimal(positions[number] if positions else number)
        rows.append([*shown, change.operation, at, list(change.unchanged) or None])
    return pa.RecordBatch.from_pylist(
        [dict(zip(FLAT.names, row, strict=True)) for row in rows], FLAT
    )


def _shown(change: Change) -> tuple[Any, ...] | None:
    """As the source tells it: of a deleted row the key, NULL for what was not sent."""
    if change.after is None:
        return None if change.before is None else (change.before[0], None, None)
    named = zip(("id", "a", "b"), change.after, strict=True)
    return tuple(None if name in change.unchanged else value for name, value in named)


def envelope(
    changes: list[Change], texts: bool = False, table: str = "t", whole: bool = False
) -> pa.RecordBatch:
    """``before`` has only the key, unless it is to be ``whole``."""

    def old(row: Row | None) -> Any:
        return None if row is None else packed(row if whole else (row[0], None, None))

    def packed(row: tuple[Any, ...] | None, left_out: tuple[str, ...] = ()) -> Any:
        if row is None:
            return None
        found = dict(zip(("id", "a", "b"), row, strict=True))
        if not texts:
            return found
        return json.dumps({name: v for name, v in found.items() if name not in left_out})

    kind = pa.string() if texts else ROW
    return pa.RecordBatch.from_pydict(
        {
            "operation": [change.operation for change in changes],
            "before": pa.array([old(change.before) for change in changes], kind),
            "after": pa.array(
                [packed(_shown(c) if c.after else None, c.unchanged) for c in changes], kind
            ),
            "_table": [table] * len(changes),
            "_unchanged": pa.array(
                [list(change.unchanged) or None for change in changes], pa.list_(pa.string())
            ),
        }
    )


SHAPES = {
    "flat": flat,
    "envelope": envelope,
    "texts": lambda changes: envelope(changes, texts=True),
}


def history(steps: list[tuple[str, int, int, bool]]) -> tuple[list[Change], dict[int, Row]]:
    """Changes that can follow each other on an empty table, and the table behind them."""
    table: dict[int, Row] = {}
    changes: list[Change] = []
    for number, (kind, key, other, whole) in enumerate(steps):
        row = (key, number, f"text {number}")
        old = table.get(key)
        if kind == "truncate":
            table.clear()
            changes.append(Change("truncate"))
        elif old is None:
            table[key] = row
            changes.append(Change("read" if kind == "move" else "insert", None, row))
        elif kind == "delete":
            del table[key]
            changes.append(Change("delete", old))
        elif kind == "move" and other not in table:
            kept = (other, number, old[2])
            moved = kept if not whole else (other, number, f"text {number}")
            del table[key]
            table[other] = moved
            changes += [
                Change("delete", old),
                Change("insert", None, moved, () if whole else ("b",)),
            ]
        else:
            table[key] = row if whole else (key, number, old[2])
            changes.append(Change("update", None, table[key], () if whole else ("b",)))
    return changes, table


steps = st.lists(
    st.tuples(
        st.sampled_from(["update"] * 6 + ["delete"] * 3 + ["move"] * 3 + ["truncate"]),
        st.integers(0, 4),
        st.integers(0, 4),
        st.booleans(),
    ),
    min_size=1,
    max_size=40,
)
EXAMPLES = settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def rows_of(database: Database, table: str = "t") -> dict[int, Row]:
    found = database.execute(f"SELECT id, a, b FROM {table}")
    assert len({row[0] for row in found}) == len(found)
    return {row[0]: row for row in found}  # type: ignore[misc]


@pytest.mark.parametrize("shape", SHAPES)
@EXAMPLES
@given(steps=steps, data=st.data())
def test_the_table_is_as_after_one_change_at_a_time(
    shape: str, database: Database, steps: Any, data: st.DataObject
) -> None:
    """Keys that change, values that were not sent, truncates, and batches that end anywhere."""
    changes, wanted = history(steps)
    database.execute("CREATE TABLE IF NOT EXISTS t (id bigint PRIMARY KEY, a int, b text NOT NULL)")
    database.execute("TRUNCATE t")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(changes)), max_size=4)))
    cuts = [cut for cut in cuts if not _splits_a_pair(changes, cut)]
    with running(database, uuid.uuid4().hex, table="t", mode="apply") as run:
        for start, end in zip([0, *cuts], [*cuts, len(changes)], strict=True):
            run.commit(SHAPES[shape](changes[start:end]))
    assert rows_of(database) == wanted


def _splits_a_pair(changes: list[Change], cut: int) -> bool:
    """A source ends no batch between the delete and the insert that a changed key becomes."""
    return (
        cut < len(changes) and changes[cut].operation == "insert" and bool(changes[cut].unchanged)
    )


@EXAMPLES
@given(steps=steps, data=st.data())
def test_the_highest_position_wins_in_any_order_and_with_repeats(
    database: Database, steps: Any, data: st.DataObject
) -> None:
    """With position= a snapshot's old row can't bring a deleted one back, nor an old change."""
    changes, wanted = history([(kind, key, other, True) for kind, key, other, _ in steps])
    database.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    database.execute("CREATE TABLE t (id bigint PRIMARY KEY, a int, b text NOT NULL)")
    numbered = list(enumerate(changes))
    shuffled = data.draw(st.permutations(numbered + numbered[: len(numbered) // 2]))
    size = data.draw(st.integers(1, len(shuffled)))
    with running(database, table="t", mode="apply", position="_position") as run:
        for start in range(0, len(shuffled), size):
            part = shuffled[start : start + size]
            records = flat([change for _, change in part], [at for at, _ in part])
            run.commit(records, ordered=False)
    assert rows_of(database) == wanted


def test_changes_go_to_the_tables_that_they_name(database: Database) -> None:
    """Tables are created when it is asked for, of columns that the objects have."""
    one = envelope([Change("insert", None, (1, 10, "x"))], texts=True, table="public.first")
    two = envelope(
        [Change("insert", None, (1, 20, "y")), Change("delete", (1, 20, "y"))],
        texts=True,
        table="public.second",
    )
    more = envelope([Change("insert", None, (2, 30, "z"))], texts=True, table="public.second")
    nothing = envelope([Change("truncate")], texts=True, table="public.third")
    mixed = pa.Table.from_batches([one, two, nothing, more]).combine_chunks()
    with running(database, mode="apply", key="id") as run:
        run.commit(mixed)
    assert rows_of(database, "first") == {1: (1, 10, "x")}
    assert rows_of(database, "second") == {2: (2, 30, "z")}
    assert database.execute("SELECT to_regclass('third')") == [(None,)]
    keys = database.execute(
        "SELECT conrelid::regclass::text FROM pg_constraint WHERE contype = 'p' AND "
        "conrelid IN ('first'::regclass, 'second'::regclass) ORDER BY 1"
    )
    assert keys == [("first",), ("second",)]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_commit_of_several_batches_is_written_again_as_a_whole(
    database: Database, shape: str
) -> None:
    """The connection is lost behind the last of them; later batches build on earlier ones."""
    database.execute("CREATE TABLE t (id bigint PRIMARY KEY, a int, b text NOT NULL)")
    batches = [
        [Change("insert", None, (1, 1, "kept")), Change("insert", None, (2, 2, "gone"))],
        [Change("update", None, (1, 5, "kept"), ("b",)), Change("delete", (2, 2, "gone"))],
        [Change("insert", None, (3, 3, "new"))],
    ]
    with running(database, table="t", mode="apply") as run:
        staged = run.writer.begin()
        for changes in batches:
            staged.write(SHAPES[shape](changes))
        assert rows_of(database) == {}
        kill_backends(database)
        entries = [run.entry(staged.rows)]
        with pytest.raises(TransientError):
            run.writer.commit(1, staged, entries)
        run.writer.commit(1, staged, entries)
        run.writer.commit(1, staged, entries)
    assert rows_of(database) == {1: (1, 5, "kept"), 3: (3, 3, "new")}


def test_documents_hold_every_type_that_the_table_has(database: Database) -> None:
    """What JSON has no word for travels as a text; the server makes its own types of it."""
    database.execute(
        "CREATE TABLE t (id bigint PRIMARY KEY, n numeric(30,10), f float8, d bytea, "
        "w timestamptz, i interval, l int[], j jsonb, a inet, e date)"
    )
    document = {
        "id": 1,
        "n": "12345678901234567890.0123456789",
        "f": "NaN",
        "d": "\\x00ff",
        "w": "2024-02-29T12:00:00.000001Z",
        "i": "1 months 2 days 3 microseconds",
        "l": [1, None],
        "j": {"a": [1]},
        "a": "10.0.0.1",
        "e": "0001-01-01",
    }
    records = pa.RecordBatch.from_pydict(
        {
            "operation": ["insert"],
            "before": pa.array([None], pa.string()),
            "after": [json.dumps(document)],
            "_table": ["public.t"],
        }
    )
    with running(database, mode="apply") as run:
        run.commit(records)
    ((same,),) = database.execute(
        "SELECT t = jsonb_populate_record(NULL::t, %s::jsonb) FROM t", [json.dumps(document)]
    )
    assert same


def test_a_table_without_a_key_holds_each_row_as_often_as_the_source(database: Database) -> None:
    database.execute("CREATE TABLE t (id bigint, a int, b json)")
    twin = {"id": 1, "a": None, "b": '{"x": 1}'}
    other = {"id": 2, "a": 5, "b": None}
    schema = pa.schema(
        [("id", pa.int64()), ("a", pa.int32()), ("b", pa.string()), ("_operation", pa.string())]
    )

    def batch(*changes: tuple[str, dict[str, Any]]) -> pa.RecordBatch:
        return pa.RecordBatch.from_pylist(
            [{**row, "_operation": operation} for operation, row in changes], schema
        )

    with running(database, table="t", mode="apply") as run:
        run.commit(batch(*[("insert", twin)] * 3, ("insert", other)))
        run.commit(batch(("delete", twin), ("insert", other), ("delete", other), ("delete", other)))
        assert database.execute("SELECT id, count(*) FROM t GROUP BY 1") == [(1, 2)]
        with pytest.raises(FatalError, match="REPLICA IDENTITY FULL"):
            run.commit(batch(("delete", other)))
    assert database.execute("SELECT id, count(*) FROM t GROUP BY 1") == [(1, 2)]


@pytest.mark.parametrize("texts", [False, True])
def test_without_a_key_an_update_in_an_envelope_replaces_one_whole_row(
    database: Database, texts: bool
) -> None:
    """With REPLICA IDENTITY FULL the row before has all columns, also those that were not sent."""
    database.execute("CREATE TABLE t (id bigint, a int, b text)")
    database.execute("INSERT INTO t VALUES (1, 1, 'x'), (1, 1, 'x'), (2, 2, NULL)")
    records = envelope(
        [
            Change("update", (1, 1, "x"), (1, 5, "x"), ("b",)),
            Change("update", (1, 5, "x"), (1, 6, "y")),
            Change("delete", (2, 2, None)),
        ],
        texts,
        whole=True,
    )
    with running(database, table="t", mode="apply") as run:
        run.commit(records)
    assert database.execute("SELECT * FROM t ORDER BY a") == [(1, 1, "x"), (1, 6, "y")]


def test_new_columns_are_added_refused_or_left_out(database: Database) -> None:
    database.execute("CREATE TABLE t (id bigint PRIMARY KEY)")
    records = flat([Change("insert", None, (1, 2, "x"))])
    matching = running(database, table="t", mode="apply")
    with matching as run, pytest.raises(SchemaError, match="columns=evolve"):
        run.commit(records)
    with running(database, table="t", mode="apply", columns="ignore", epoch=2) as run:
        run.commit(records)
    assert database.execute("SELECT * FROM t") == [(1,)]
    with running(database, table="t", mode="apply", columns="evolve", epoch=3) as run:
        run.position = 1
        run.commit(envelope([Change("update", None, (1, 2, "x"))], texts=True))
    assert database.execute("SELECT * FROM t") == [(1, 2, "x")]


def test_one_bad_change_among_many_is_found(database: Database) -> None:
    database.execute("CREATE TABLE t (id bigint PRIMARY KEY, a int CHECK (a <> 13), b text)")
    changes = [Change("insert", None, (n, n, "x")) for n in range(1000)]
    with running(database, table="t", mode="apply") as run:
        bad = run.commit_good(flat(changes))
    assert [(row, error.category) for row, error in bad] == [(13, "constraint")]
    assert set(rows_of(database)) == set(range(1000)) - {13}


def test_a_unique_value_may_go_from_row_to_row(database: Database) -> None:
    """A batch whose last states would meet on the way is brought in by smaller ones."""
    database.execute("CREATE TABLE t (id bigint PRIMARY KEY, a int UNIQUE, b text)")
    changes = [
        Change("insert", None, (1, 1, "")),
        Change("insert", None, (2, 2, "")),
        Change("update", None, (1, 3, "")),
        Change("update", None, (2, 1, "")),
        Change("update", None, (1, 2, "")),
    ]
    with running(database, table="t", mode="apply") as run:
        run.commit(flat(changes[:2]))
        assert run.commit_good(flat(changes[2:])) == []
    assert rows_of(database) == {1: (1, 2, ""), 2: (2, 1, "")}


def test_tables_that_refer_to_each_other_are_changed_in_order(database: Database) -> None:
    """Both ways in one batch, which no order of the two tables can satisfy: smaller ones do."""
    database.execute("CREATE TABLE parent (id bigint PRIMARY KEY, a int, b text)")
    database.execute("CREATE TABLE child (id bigint PRIMARY KEY, a int REFERENCES parent, b text)")
    database.execute("INSERT INTO parent VALUES (1, 1, ''); INSERT INTO child VALUES (1, 1, '')")
    changes = [
        ("parent", Change("insert", None, (2, 2, ""))),
        ("child", Change("insert", None, (2, 2, ""))),
        ("child", Change("delete", (1, 1, ""))),
        ("parent", Change("delete", (1, 1, ""))),
    ]
    parts = [envelope([change], texts=True, table=table) for table, change in changes]
    with running(database, mode="apply") as run:
        assert run.commit_good(pa.Table.from_batches(parts)) == []
    assert rows_of(database, "parent") == rows_of(database, "child") == {2: (2, 2, "")}


def test_an_update_of_a_row_that_is_not_there_never_makes_a_null(database: Database) -> None:
    database.execute("CREATE TABLE t (id bigint PRIMARY KEY, a int, b text)")
    changes = [
        Change("insert", None, (1, 1, "x")),
        Change("update", None, (2, 2, None), ("b",)),
    ]
    with running(database, table="t", mode="apply") as run:
        bad = run.commit_good(flat(changes))
    assert [row for row, _ in bad] == [1]
    assert rows_of(database) == {1: (1, 1, "x")}


def test_what_is_no_change_is_refused(database: Database) -> None:
    database.execute("CREATE TABLE t (id bigint PRIMARY KEY, a int, b text)")
    records = flat([Change("insert", None, (1, 1, "x")), Change("upsert", None, (2, 1, "x"))])
    with running(database, table="t", mode="apply") as run:
        with pytest.raises(SchemaError, match="mode=append"):
            run.commit(records.select(["id", "a", "b"]))
        with pytest.raises(BadRecordError, match="'upsert' is none of") as caught:
            run.commit(records)
        assert caught.value.row == 1
        with pytest.raises(FatalError, match="position=_position"):
            run.commit(flat([Change("insert", None, (1, 1, "x"))]), ordered=False)
    routing = running(database, mode="apply", epoch=2)
    with routing as run, pytest.raises(ConfigurationError, match="table=orders"):
        run.commit(records)
    assert rows_of(database) == {}
