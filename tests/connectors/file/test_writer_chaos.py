"""Several processes write one sink and are killed, again and again; readers look all the time."""

from __future__ import annotations

import multiprocessing
import os
import random

import duckdb
import pyarrow.csv as pacsv
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from ferris_beam.errors import ConflictError
from tests.connectors.file.sinks import PATH, commit, entry, staged_files, tree, writer

CELLS = 150
CELL = 40
WORKERS = 3
KILLS = 6

SINKS = {
    "out/": {"format": "parquet"},
    "by-country/": {"format": "csv", "partition_by": "country"},
    "rolled/": {"format": "parquet", "roll_rows": 1000},
    "times/${day}/${hour}.jsonl": {"event_time": "at"},
    "out.jsonl": {},
    "out.parquet": {},
}


def work(path, options, run, epoch, seed):
    """A worker: commits what is missing, in an order of its own, past what others committed."""
    out = writer(path, run, **options)
    out.claim(epoch, 1)
    cells = list(range(CELLS))
    random.Random(seed).shuffle(cells)
    for cell in cells:
        start, end = cell * CELL, (cell + 1) * CELL
        if out.ledger().missing(PATH, entry(start, end).origin.interval):
            try:
                commit(out, start, end, epoch=epoch)
                out.roll(epoch)
            except ConflictError:
                continue


def visible(path):
    """The ids in whole files; a reader that meets half a file raises."""
    if "${" in path:
        folder = f"{path.partition('${')[0].rpartition('/')[0]}/"
        return [at for name in tree(folder) for at in visible(folder + name)]
    if path.endswith(".parquet"):
        return pq.read_table(path)["id"].to_pylist() if os.path.exists(path) else []
    if path.endswith(".jsonl"):
        if not os.path.exists(path):
            return []
        with open(path, "rb") as file:
            content = file.read()  # line by line, one that grows meanwhile would come in two
        whole = content[: content.rfind(b"\n") + 1].splitlines()
        return [int(line.split(b",")[0].split(b":")[1]) for line in whole]
    files = [path + name for name in tree(path)]
    if path.endswith("by-country/"):
        return [at for name in files for at in pacsv.read_csv(name)["id"].to_pylist()]
    found = ds.dataset(path).to_table()["id"].to_pylist() if files else []
    if files:
        [[rows]] = duckdb.sql(f"SELECT count(*) FROM '{path}**/*.parquet'").fetchall()
        assert rows >= len(found)
    return found


def start(path, options, number):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    workers = [
        context.Process(target=work, args=(path, options, f"run-{number}", number, seed))
        for seed in range(WORKERS)
    ]
    for worker in workers:
        worker.start()
    return workers


@pytest.mark.parametrize("name", SINKS)
def test_killed_workers_of_many_runs_write_every_row_once(tmp_path, name):
    path, options = f"{tmp_path}/{name}", SINKS[name]
    chance = random.Random(name)
    watcher = writer(path, "watcher", **options)
    number = 0
    while watcher.ledger().rows < CELLS * CELL:
        number += 1
        goal = watcher.ledger().rows + chance.randint(1, 2 * CELLS // KILLS) * CELL
        workers = start(path, options, number)
        while any(worker.is_alive() for worker in workers):
            seen = visible(path)
            assert len(seen) == len(set(seen))
            if number <= KILLS and watcher.ledger().rows >= goal:
                break
        for worker in workers:
            worker.kill()
            worker.join()
        assert number < 20
    assert number > 1
    last = writer(path, "last", **options)
    last.claim(number + 1, 1)
    last.finish(number + 1)
    assert sorted(visible(path)) == list(range(CELLS * CELL))
    assert last.ledger().rows == CELLS * CELL
    assert staged_files(str(tmp_path)) == []
