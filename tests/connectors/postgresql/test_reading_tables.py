"""Tables, views, partitions and queries: which there are, and all of their rows once."""

from __future__ import annotations

import pytest

from ferris_beam.connectors.postgresql.reading import pieces
from ferris_beam.errors import ConfigurationError, FatalError
from tests.connectors.postgresql.sources import (
    chunks_of,
    read_table,
    reader_of,
    splits_of,
    through_a_pipeline,
)
from tests.services.database import Database


def numbers(database: Database, rows: int, table: str = "t") -> None:
    database.execute(
        f"CREATE TABLE {table} AS SELECT i::int8 AS id, 'name ' || i AS name "
        f"FROM generate_series(1, {rows}) i"
    )


def ids(database: Database, **options: object) -> list[int]:
    return sorted(read_table(reader_of(database.uri(**options)))["id"].to_pylist())


def test_a_table_is_cut_into_ranges_of_blocks(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "BLOCKS", 3)
    numbers(database, 5_000)
    database.execute("DELETE FROM t WHERE id % 3 = 0")
    reader = reader_of(database.uri(table="t"), batch_rows=100)
    splits = splits_of(reader)
    [(blocks,)] = database.execute("SELECT pg_relation_size('t') / 8192")
    assert len(splits) == -(-blocks // 3) > 5
    assert {split.interval.unit for split in splits} == {reader.display + "?table=public.t"}
    found = [row["id"] for chunk in chunks_of(reader, splits) for row in chunk.records.to_pylist()]
    assert found == [n for n in range(1, 5_001) if n % 3]


def test_views_materialized_views_and_queries_are_read(database: Database) -> None:
    numbers(database, 1_000)
    database.execute("CREATE VIEW v AS SELECT * FROM t WHERE id <= 500")
    database.execute("CREATE MATERIALIZED VIEW m AS SELECT * FROM t WHERE id > 500")
    assert ids(database, table="v") == [*range(1, 501)]
    assert ids(database, table="m") == [*range(501, 1_001)]
    assert ids(database, query="SELECT id FROM t WHERE id < 5 -- few;") == [1, 2, 3, 4]
    assert ids(database, query="WITH x AS (SELECT 7::int8 AS id) TABLE x;") == [7]


def test_the_text_of_a_query_is_no_part_of_a_unit(database: Database) -> None:
    [split] = splits_of(reader_of(database.uri(query="SELECT 'hidden' AS secret")))
    assert "hidden" not in f"{split.interval.unit} {split.details!r}"


def test_partitions_of_all_levels_are_read_by_their_blocks(database: Database) -> None:
    database.execute("CREATE TABLE t (id int8, kind text) PARTITION BY LIST (kind)")
    database.execute("CREATE TABLE t_a PARTITION OF t FOR VALUES IN ('a') PARTITION BY RANGE (id)")
    database.execute("CREATE TABLE t_a1 PARTITION OF t_a FOR VALUES FROM (0) TO (50)")
    database.execute("CREATE TABLE t_a2 PARTITION OF t_a DEFAULT")
    # Columns in another order, and one that was dropped before it was attached.
    database.execute("CREATE TABLE t_b (gone int, kind text, id int8)")
    database.execute("ALTER TABLE t_b DROP COLUMN gone")
    database.execute("ALTER TABLE t ATTACH PARTITION t_b FOR VALUES IN ('b')")
    database.execute(
        "INSERT INTO t SELECT i, CASE i % 2 WHEN 0 THEN 'a' ELSE 'b' END "
        "FROM generate_series(0, 99) i"
    )
    reader = reader_of(database.uri(table="t"))
    units = [split.interval.unit.split("?table=")[1] for split in splits_of(reader)]
    assert units == ["public.t_a1", "public.t_a2", "public.t_b"]
    found = read_table(reader)
    assert sorted(found["id"].to_pylist()) == [*range(100)]
    assert {(n % 2 == 0, kind) for n, kind in zip(*found.to_pydict().values(), strict=True)} == {
        (True, "a"),
        (False, "b"),
    }


def test_children_of_a_table_belong_to_it(database: Database) -> None:
    numbers(database, 10)
    database.execute("CREATE TABLE u (extra int) INHERITS (t)")
    database.execute("INSERT INTO u VALUES (11, 'name 11', 1)")
    assert ids(database, table="t") == [*range(1, 12)]


def test_rights_and_policies_are_those_of_the_table_that_was_named(database: Database) -> None:
    database.execute("CREATE TABLE t (id int8) PARTITION BY RANGE (id)")
    database.execute("CREATE TABLE t_1 PARTITION OF t DEFAULT")
    database.execute("INSERT INTO t SELECT generate_series(1, 10)")
    database.execute("CREATE TABLE u AS SELECT * FROM t")
    role = f"reader_{database.name}"
    database.execute(f"CREATE ROLE {role} LOGIN")
    try:
        database.execute(f"GRANT SELECT ON t, u TO {role}")  # and nothing on the partition
        database.execute("ALTER TABLE u ENABLE ROW LEVEL SECURITY")
        database.execute("CREATE POLICY few ON u USING (id <= 3)")
        whole = reader_of(database.uri(user=role, table="t"))
        assert sorted(read_table(whole)["id"].to_pylist()) == [*range(1, 11)]
        part = reader_of(database.uri(user=role, table="u"))
        assert sorted(read_table(part)["id"].to_pylist()) == [1, 2, 3]
    finally:
        database.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.mark.parametrize("kind", ["int2", "int8", "date", "timestamp", "timestamptz"])
def test_views_are_cut_by_ranges_of_a_key(database: Database, kind: str) -> None:
    value = {
        "int2": "i - 50",
        "int8": "i * 9007199254740993",
        "date": "date '1969-12-01' + i",
    }.get(kind, f"{kind} '1969-12-31 23:00' + i * interval '1.000001 min'")
    database.execute(
        f"CREATE VIEW v AS SELECT i::int8 AS id, nullif(({value})::{kind}, NULL) AS k "
        "FROM generate_series(1, 100) i UNION ALL SELECT 101, NULL::" + kind
    )
    reader = reader_of(database.uri(table="v", split_by="k"))
    splits = splits_of(reader)
    assert len(splits) > 10
    assert sorted(read_table(reader)["id"].to_pylist()) == [*range(1, 102)]


def test_values_beyond_the_scale_of_a_key_are_read_too(database: Database) -> None:
    database.execute(
        "CREATE VIEW v AS SELECT * FROM (VALUES (1, date '2020-01-01'), (2, '2021-01-01'), "
        "(3, '0044-03-15 BC'), (4, '12000-01-01'), (5, NULL)) AS x(id, k)"
    )
    assert ids(database, table="v", split_by="k") == [1, 2, 3, 4, 5]


def test_a_key_must_be_a_column_that_can_be_cut(database: Database) -> None:
    numbers(database, 3)
    for name, message in (("name", "type text"), ("nam", "there are id, name")):
        with pytest.raises(ConfigurationError, match=message):
            splits_of(reader_of(database.uri(table="t", split_by=name)))


def test_without_a_name_it_is_the_only_table_or_the_namesake(database: Database) -> None:
    with pytest.raises(ConfigurationError, match="no table"):
        read_table(reader_of(database.uri()))
    numbers(database, 3)
    assert ids(database) == [1, 2, 3]
    numbers(database, 4, "u")
    with pytest.raises(ConfigurationError, match=r"\?table=name: public\.t, public\.u"):
        read_table(reader_of(database.uri()))
    numbers(database, 5, database.name)
    assert ids(database) == [1, 2, 3, 4, 5]


def test_a_table_that_is_not_there_is_compared_with_those_that_are(database: Database) -> None:
    numbers(database, 3, "orders")
    with pytest.raises(ConfigurationError, match=r"did you mean public\.orders"):
        read_table(reader_of(database.uri(table="ordres")))
    with pytest.raises(ConfigurationError, match=r"there are: public\.orders"):
        read_table(reader_of(database.uri(table="nothing_like_it")))


def test_names_that_need_quotes(database: Database) -> None:
    database.execute('CREATE SCHEMA "Odd.Schema"')
    database.execute('CREATE TABLE "Odd.Schema"."a ""b""%s{}" ("x%y" int, "{}" text)')
    database.execute("""INSERT INTO "Odd.Schema"."a ""b""%s{}" VALUES (1, 'v')""")
    uri = database.uri(table='"Odd.Schema"."a ""b""%s{}"')
    assert read_table(reader_of(uri)).to_pylist() == [{"x%y": 1, "{}": "v"}]


def test_an_empty_table_gives_its_columns(database: Database) -> None:
    numbers(database, 0)
    assert through_a_pipeline(database.uri(table="t")).schema.names == ["id", "name"]


def test_no_columns_are_rows_all_the_same(database: Database) -> None:
    numbers(database, 7)
    reader, residual = reader_of(database.uri(table="t")).pushdown(columns=())
    assert residual.columns == ()
    assert read_table(reader).num_rows == 7


def test_a_query_that_fails_is_nobodys_row(database: Database) -> None:
    numbers(database, 10)
    reader = reader_of(database.uri(query="SELECT 1 / (5 - id) AS v FROM t"))
    with pytest.raises(FatalError, match="division by zero"):
        read_table(reader)


def test_a_query_can_not_write(database: Database) -> None:
    numbers(database, 10)
    query = "WITH gone AS (DELETE FROM t RETURNING id) SELECT id FROM gone"
    with pytest.raises(Exception, match="WITH clause containing a data-modifying statement"):
        read_table(reader_of(database.uri(query=query)))
    assert ids(database, table="t") == [*range(1, 11)]


def test_rows_that_arrow_can_not_hold_are_rejected(database: Database) -> None:
    numbers(database, 10)
    database.execute("ALTER TABLE t DROP COLUMN name, ADD COLUMN n numeric")
    database.execute("UPDATE t SET n = CASE WHEN id IN (3, 7) THEN numeric 'NaN' ELSE id END")
    reader = reader_of(database.uri(table="t"), batch_rows=4)
    chunks = chunks_of(reader, splits_of(reader))
    good = [row["id"] for chunk in chunks for row in chunk.records.to_pylist()]
    assert sorted(good) == [1, 2, 4, 5, 6, 8, 9, 10]
    rejects = [reject for chunk in chunks for reject in chunk.rejects]
    assert sorted(reject.payload for reject in rejects) == [
        b'{"id": 3, "n": null}',
        b'{"id": 7, "n": null}',
    ]
    assert all("column 'n'" in reject.reason and "row" in reject.place for reject in rejects)
