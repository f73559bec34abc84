"""Windows over a topic and over changes, in processes that are killed while they fire."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

from tests.chaos.endless import stopped_cleanly, wait_until
from tests.chaos.harness import ROOT
from tests.chaos.postgresql import json_lines
from tests.connectors.kafka.conftest import NewTopic, broker, new_topic
from tests.services.database import Database
from tests.services.kafka import Topic

__all__ = ["broker", "new_topic"]

START = datetime(2024, 1, 1, tzinfo=timezone.utc)
WINDOW = 10
Counts = dict[tuple[str, int], tuple[int, int]]


def start(query: Path, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pipelines.sql", "--quiet", "--file", str(query)]
    return subprocess.Popen(
        [*command, "--name", name, "--runner=LocalStreamingRunner"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def written(file: Path) -> Counts:
    """What is there of each window and key; fails where one is there twice."""
    found: Counts = {}
    for row in json_lines(file):
        place = (str(row["window_start"])[:19].replace(" ", "T"), int(row["k"]))
        assert place not in found, f"the window {place} is there twice"
        found[place] = (int(row["n"]), int(row["total"]))
    return found


class Clicks:
    """Messages whose event times jitter by less than the watermark's second."""

    def __init__(self, topic: Topic, partitions: int) -> None:
        self.topic, self.partitions = topic, partitions
        self.chance = random.Random(5)
        self.second, self.next = 0.0, 0
        self.wanted: dict[tuple[str, int], list[int]] = defaultdict(list)

    def produce(self, count: int) -> None:
        by_partition: dict[int, list[bytes]] = defaultdict(list)
        for _ in range(count):
            self.second += 0.05
            at = START + timedelta(seconds=self.second - self.chance.random() * 0.9)
            key, identifier = self.chance.randrange(5), self.next
            self.next += 1
            by_partition[identifier % self.partitions].append(self._message(identifier, key, at))
            began = START + timedelta(seconds=(at - START) // timedelta(seconds=WINDOW) * WINDOW)
            self.wanted[began.strftime("%Y-%m-%dT%H:%M:%S"), key].append(identifier)
        for partition, messages in by_partition.items():
            self.topic.produce(messages, partition)

    def close(self) -> None:
        """A message in each partition that is far behind all windows."""
        at = START + timedelta(seconds=self.second + 1000)
        for partition in range(self.partitions):
            self.topic.produce([self._message(-1, 99, at)], partition)

    @staticmethod
    def _message(identifier: int, key: int, at: datetime) -> bytes:
        time = at.strftime("%Y-%m-%dT%H:%M:%S.%f")
        return json.dumps({"id": identifier, "k": key, "at": time}).encode()

    @property
    def counts(self) -> Counts:
        return {place: (len(ids), sum(ids)) for place, ids in self.wanted.items()}


def killed(query: Path, file: Path, kills: int, more: Callable[[], None]) -> subprocess.Popen[str]:
    """The process that was started last, after so many were killed, each behind new windows."""
    process = start(query, "windows")
    for _ in range(kills):
        before = len(json_lines(file))
        more()
        wait_until(lambda before=before: len(json_lines(file)) > before, process)  # type: ignore[misc]
        process.kill()
        process.communicate()
        process = start(query, "windows")
    return process


def test_windows_over_a_topic(new_topic: NewTopic, tmp_path: Path, kills: int) -> None:
    topic = new_topic(2)
    clicks = Clicks(topic, 2)
    clicks.produce(50)
    file, query = tmp_path / "counts.jsonl", tmp_path / "query.sql"
    query.write_text(
        f"""
        CREATE STREAM clicks (
            id BIGINT, k BIGINT, at TIMESTAMP, WATERMARK FOR at AS at - INTERVAL '1' SECOND
        ) FROM '{topic.uri(discover_interval="0", request_timeout="10s")}';
        CREATE STREAM counts AS
        SELECT window_start, k, COUNT(*) AS n, SUM(id) AS total
        FROM clicks GROUP BY TUMBLE(at, INTERVAL '{WINDOW}' SECOND), k
        INTO 'file:{file}';
        """
    )
    process = killed(query, file, kills, lambda: clicks.produce(600))
    clicks.close()
    wait_until(lambda: len(written(file)) >= len(clicks.counts), process)
    assert written(file) == clicks.counts
    stopped_cleanly(process, signal.SIGTERM)
    assert written(file) == clicks.counts, "a stop put out a window that is open"


def test_windows_over_changes(database: Database, tmp_path: Path, kills: int) -> None:
    """Every insert is counted in the window of its row's time."""
    database.execute("CREATE TABLE clicks (id int8 PRIMARY KEY, k int8, at timestamp)")
    database.execute("ALTER TABLE clicks REPLICA IDENTITY FULL")
    file, query = tmp_path / "counts.jsonl", tmp_path / "query.sql"
    uri = database.uri(table="clicks", mode="cdc", slot="windows", poll_interval="20ms")
    query.write_text(
        f"""
        CREATE STREAM clicks (
            id BIGINT, k BIGINT, at TIMESTAMP, WATERMARK FOR at AS at - INTERVAL '1' SECOND
        ) FROM '{uri}';
        CREATE STREAM counts AS
        SELECT window_start, k, COUNT(*) AS n, SUM(id) AS total
        FROM clicks GROUP BY TUMBLE(at, INTERVAL '{WINDOW}' SECOND), k
        INTO 'file:{file}';
        """
    )
    state = {"next": 0}

    def more() -> None:
        first = state["next"]
        state["next"] += 600
        database.execute(
            "INSERT INTO clicks SELECT i, i %% 5, timestamp '2024-01-01' + i * interval '50 ms' "
            "FROM generate_series(%s::int8, %s) AS i",
            [first, first + 599],
        )

    more()
    process = killed(query, file, kills, more)
    database.execute("INSERT INTO clicks VALUES (-1, 99, '2024-02-01')")
    rows = database.execute(
        "SELECT date_bin('10 s', at, '2024-01-01'), k, count(*), sum(id)::int8 FROM clicks "
        "WHERE id >= 0 GROUP BY 1, 2"
    )
    wanted = {(at.strftime("%Y-%m-%dT%H:%M:%S"), k): (n, total) for at, k, n, total in rows}
    wait_until(lambda: len(written(file)) >= len(wanted), process)
    assert written(file) == wanted
    stopped_cleanly(process, signal.SIGTERM)
    assert written(file) == wanted, "a stop put out a window that is open"
