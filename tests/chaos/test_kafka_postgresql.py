"""Topics and PostgreSQL in one pipeline, killed while it works."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.chaos.endless import stopped_cleanly, wait_until
from tests.chaos.postgresql import Shop, Transfer, ledger_of, replayed
from tests.chaos.test_postgresql import COLUMNS, kept_changing
from tests.connectors.kafka.conftest import (
    NewTopic,
    broker,
    new_topic,
    topic,
)
from tests.services.database import Database
from tests.services.kafka import Topic

__all__ = ["broker", "new_topic", "topic"]

MESSAGES = 30_000


def kill_at(transfer: Transfer, kills: int, step: Callable[[], int]) -> None:
    """Kills the pipeline so often, each time after ``step()`` commits more."""
    for _ in range(kills):
        process = transfer.start()
        goal = transfer.progress() + step()
        wait_until(lambda goal=goal: transfer.progress() >= goal, process)  # type: ignore[misc]
        process.kill()
        process.communicate()


def test_topic_to_table_killed(new_topic: NewTopic, database: Database, kills: int) -> None:
    topic = new_topic(3)
    for partition in range(3):
        ids = range(partition, MESSAGES, 3)
        topic.produce([json.dumps({"id": n, "text": f"text {n}"}).encode() for n in ids], partition)
    database.execute("CREATE TABLE messages (id int8, text text)")
    source = topic.uri(schema="id:int64,text:string", batch_rows=500)
    sink = database.uri(table="messages", batch_rows=500)
    transfer = Transfer(source, sink, ledger_of(database))
    kill_at(transfer, kills, lambda: 4)
    process = transfer.start()

    def written() -> Counter[int]:
        return Counter(n for (n,) in database.execute("SELECT id FROM messages"))

    wait_until(lambda: written().total() >= MESSAGES, process)
    stopped_cleanly(process, signal.SIGTERM)
    assert written() == Counter(range(MESSAGES))


def test_changes_to_topic_killed(
    topic: Topic, database: Database, tmp_path: Path, kills: int
) -> None:
    shop = Shop(database, 2_000, 81)
    source = database.uri(table="orders", mode="cdc", slot="chaos_topic", poll_interval="20ms")
    transfer = Transfer(source, topic.uri(key="id"), lambda: len(topic.values()))

    def changes() -> list[dict[str, object]]:
        return [json.loads(value) for value in topic.values() if value]

    with kept_changing(shop):
        kill_at(transfer, kills, lambda: shop.chance.randint(1, 400))
    process = transfer.start()
    wanted = Counter((n, float(a), t) for n, a, t in shop.rows())

    def everything() -> bool:
        rows = replayed(changes(), COLUMNS, "id")
        return Counter((n, float(a), t) for n, a, t in rows.elements()) == wanted

    wait_until(everything, process)
    stopped_cleanly(process, signal.SIGTERM)
    assert everything()
