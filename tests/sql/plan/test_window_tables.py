"""Windows as table functions say the same as windows in GROUP BY."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.sql.comparing import assert_same
from tests.sql.running import run_together

HOUR = 3_600_000_000
WINDOWS = {
    "tumble": ("TUMBLE", "INTERVAL '10' MINUTE"),
    "tumble with an offset": ("TUMBLE", "INTERVAL '1' HOUR, INTERVAL '-7' MINUTE"),
    "months": ("TUMBLE", "INTERVAL '1' MONTH"),
    "hop": ("HOP", "INTERVAL '20' MINUTE, INTERVAL '50' MINUTE"),
    "hop with gaps": ("HOP", "INTERVAL '1' HOUR, INTERVAL '15' MINUTE"),
    "session": ("SESSION", "INTERVAL '2' MINUTE"),
}


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Events from before and after 1970, many of them exactly on borders."""
    folder: Path = tmp_path_factory.mktemp("events")
    chance = random.Random(11)
    times = [chance.randint(-5 * HOUR, 5 * HOUR) for _ in range(150)]
    times += [chance.randint(-60, 60) * HOUR // 12 for _ in range(50)]
    pq.write_table(
        pa.table({"id": range(200), "at": pa.array(times, pa.timestamp("us"))}),
        folder / "events.parquet",
    )
    return f"file://{folder}/events.parquet"


def test_same_groups(uri: str) -> None:
    texts = {}
    for name, (function, lengths) in WINDOWS.items():
        select = "SELECT window_start, window_end, count(*) AS n, sum(id) AS s"
        texts[f"{name}, table"] = (
            f"{select} FROM TABLE({function}(TABLE '{uri}', DESCRIPTOR(at), {lengths})) "
            "GROUP BY window_start, window_end"
        )
        texts[f"{name}, group"] = f"{select} FROM '{uri}' GROUP BY {function}(at, {lengths})"
    results = run_together(texts)
    for name in WINDOWS:
        table, group = results[f"{name}, table"], results[f"{name}, group"]
        for each in (table, group):
            assert isinstance(each, pa.Table), each
        assert group.num_rows > 0
        assert_same(table, group)
