"""Changes into a file by Debezium's embedded engine."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

from psycopg import conninfo

from tests.benchmarks.contenders.changes import Slot, drained, dsn
from tests.benchmarks.debezium.program import class_path


def engine(file: str, rows: int) -> dict[str, Any]:
    where = conninfo.conninfo_to_dict(dsn())
    classes = class_path()

    def start(slot: Slot) -> Callable[[], Any]:
        settings = {
            "database.hostname": where["host"],
            "database.port": where["port"],
            "database.user": where["user"],
            "database.password": "any",
            "database.dbname": where["dbname"],
            "slot.name": slot.name,
            "publication.name": slot.name,
            "table.include.list": "public.changing",
        }
        words = [str(word) for pair in settings.items() for word in pair]
        command = ["java", "-cp", classes, "ChangesToFile", file, str(rows), *words]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        return lambda: process.wait(60)

    return drained(rows, file, start)
