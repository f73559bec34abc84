"""Tables that workers load from sources."""

from __future__ import annotations

import gc
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlglot import parse_one

from ferris_beam.connector import Split
from ferris_beam.errors import RejectedRowError, TransientError
from ferris_beam.sql import nodes
from ferris_beam.sql.joins import BroadcastJoin, SourceTable, table_of
from ferris_beam.sql.joins.matching import Build
from ferris_beam.sql.joins.table import shared
from ferris_beam.transforms.endpoint import Endpoint
from tests.sql.joins.staged import batch_of
from tests.sql.joins.test_kinds import RUN, join_of, table

SCHEMA = pa.schema([("r.k", pa.int64()), ("r.name", pa.string())])


@pytest.fixture
def scan(tmp_path: Path) -> nodes.Scan:
    (tmp_path / "names.csv").write_text("k,name\n" + "".join(f"{n},n{n}\n" for n in range(1, 6)))
    endpoint = Endpoint.of(
        (tmp_path / "names.csv").as_uri(), {"schema": "k:int64,name:string"}, "source"
    )
    return nodes.Scan(SCHEMA, endpoint, "r", ("k", "name"))


def projected(scan: nodes.Scan) -> nodes.Node:
    condition = parse_one('"r.k" <> 2')
    kept = nodes.Filter(scan.schema, scan, condition)
    columns = (
        nodes.Named("k", parse_one('"r.k" * 10')),
        nodes.Named("name", nodes.column("r.name")),
    )
    schema = pa.schema([("k", pa.int64()), ("name", pa.string())])
    return nodes.Project(schema, kept, columns)


def loaded(found: SourceTable | None) -> list[dict[str, Any]]:
    assert found is not None
    table = pickle.loads(pickle.dumps(found))
    return [row for batch in table.batches(RUN) for row in batch.to_pylist()]


def test_what_stands_above_a_scan_is_computed_while_loading(scan: nodes.Scan) -> None:
    assert loaded(table_of(projected(scan), True)) == [
        {"k": 10 * number, "name": f"n{number}"} for number in (1, 3, 4, 5)
    ]


def test_a_limit_is_kept(scan: nodes.Scan) -> None:
    limited = nodes.Scan(SCHEMA, scan.endpoint, "r", scan.names, limit=2)
    assert [row["r.k"] for row in loaded(table_of(limited, True))] == [1, 2]


def test_other_nodes_are_no_tables(scan: nodes.Scan) -> None:
    assert table_of(nodes.Sort(SCHEMA, scan, (), 3), True) is None


def test_rejected_rows(scan: nodes.Scan) -> None:
    path = Path(str(scan.endpoint.uri).removeprefix("file://"))
    path.write_text("k,name\n1,a\nx,b\n3,c\n")
    assert [row["r.k"] for row in loaded(table_of(scan, strict=False))] == [1, 3]
    with pytest.raises(RejectedRowError):
        loaded(table_of(scan, strict=True))


def test_rows_that_a_step_rejects(scan: nodes.Scan) -> None:
    columns = (nodes.Named("inverse", parse_one('1 / ("r.k" - 3)')),)
    node = nodes.Project(pa.schema([("inverse", pa.int64())]), scan, columns)
    assert len(loaded(table_of(node, strict=False))) == 4
    with pytest.raises(Exception, match="division by zero"):
        loaded(table_of(node, strict=True))


def test_a_lost_connection_goes_on_where_it_was(
    scan: nodes.Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = table_of(scan, True)
    assert found is not None
    read, asked = found.reader.read, []

    def once(split: Split) -> Any:
        asked.append(split.interval.start)
        yield from read(split) if len(asked) > 1 else ()
        if len(asked) == 1:
            raise TransientError("gone")

    monkeypatch.setattr(found.reader, "read", once)
    assert len([row for batch in found.batches(RUN) for row in batch.to_pylist()]) == 5
    assert len(asked) == 2


def test_threads_share_one_build() -> None:
    made = []

    def make() -> Build:
        made.append(1)
        return Build(pa.record_batch({"a": [1]}), None)

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: shared(("run", "key"), make), range(8)))
    assert len(made) == 1
    assert all(each is found[0] for each in found)
    assert shared(("run", "other"), make) is not found[0]
    del found
    gc.collect()
    shared(("run", "key"), make)
    assert len(made) == 3


def test_a_join_with_a_source(scan: nodes.Scan) -> None:
    left = table("l", [10, 20, 40, None], pa.int64())
    right = projected(scan)
    schema = pa.schema([*left.schema, *right.schema])
    pairs = ((nodes.column("l.k"), nodes.column("k")),)
    node = nodes.Join(schema, join_of(left, left, "semi").left, right, "left", pairs)
    source = table_of(right, True)
    assert source is not None
    join = pickle.loads(pickle.dumps(BroadcastJoin(node, source)))
    join.open(RUN)
    (found,) = join.run(batch_of(left))
    names = dict(zip(found["l.k"].to_pylist(), found["name"].to_pylist(), strict=True))
    assert names == {10: "n1", 20: None, 40: "n4", None: None}


def test_the_description_changes_with_the_rows(scan: nodes.Scan) -> None:
    plain, other = table_of(scan, True), table_of(projected(scan), True)
    assert plain is not None
    assert other is not None
    assert plain.description() != other.description()
    assert plain.description() == pickle.loads(pickle.dumps(plain)).description()
