"""Rows of a stream that never ends, joined with a stream that does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ferris_beam.connectors import memory
from tests.sql.live.running import rows, run


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    memory.clear()
    yield
    memory.clear()


@pytest.mark.parametrize(
    "names",
    [
        "SELECT id, upper(name) AS name FROM {uri}",
        "SELECT id, max(name) AS name FROM {uri} GROUP BY id",
    ],
)
def test_a_small_stream_that_ends_is_held_by_the_workers(names: str, tmp_path: Path) -> None:
    path = tmp_path / "names.jsonl"
    path.write_text('{"id": 1, "name": "A"}\n{"id": 2, "name": "B"}\n')
    stream = memory.stream("events")
    stream.push(rows((1, 1, 1), (6, 2, 2), (7, 1, 4), (8, 3, 8)))
    stream.push(rows((15, 2, 16)))
    stream.close()
    run(
        f"CREATE STREAM names AS {names.replace('{uri}', repr(path.as_uri()))};"
        "CREATE STREAM w AS SELECT window_start, n.name, sum(v) AS total "
        "FROM events e JOIN names n ON e.k = n.id "
        "GROUP BY TUMBLE(at, INTERVAL '10' SECOND), n.name INTO 'memory://out'"
    )
    found = memory.take("out").to_pylist()
    assert sorted((row["name"], row["total"]) for row in found) == [("A", 5), ("B", 2), ("B", 16)]
