"""Killed at every single change of the file system, and resumed: every row once."""

from __future__ import annotations

import json
import os
import random
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from ferris_beam.commitlog import sinklog
from tests.connectors.file.crashes import Disk, Mortal
from tests.connectors.file.sinks import (
    PATH,
    commit,
    entry,
    ids_in_file,
    rows,
    staged_files,
    tree,
    writer,
)

CELLS = [(start, start + 3) for start in range(0, 15, 3)]
OLD = list(range(100, 104))


@dataclass
class Sink:
    """A kind of sink, what was there before, and how it is read."""

    name: str
    options: dict = field(default_factory=dict)
    old: bool = False
    whole: bool = True
    """Whether readers never see a part of a commit's file."""

    def path(self, folder):
        return f"{folder}/{self.name}"

    @property
    def single(self):
        return not self.name.endswith("/") and "${" not in self.name

    def prepare(self, folder):
        if not self.old:
            return
        path = self.path(folder)
        if self.name.endswith("/"):
            os.makedirs(path)
            pq.write_table(pa.Table.from_batches([rows(100, 104)]), f"{path}old.parquet")
            return
        before = writer(path, name="before", **{**self.options, "if_exists": "error"})
        before.claim(1, 1)
        commit(before, 100, 104)
        before.finish(1)

    def visible(self, folder):
        """The ids that readers see, in the order of the file or of the files' names."""
        path = self.path(folder)
        if self.single:
            return ids_in(path, self.whole)
        path = f"{path.partition('${')[0].rpartition('/')[0]}/"
        return [at for name in tree(path) for at in ids_in(path + name, self.whole)]


def ids_in(path, whole):
    if not os.path.exists(path):
        return []
    if path.endswith(".parquet"):
        return pq.read_table(path)["id"].to_pylist()
    if path.endswith((".avro", ".arrow", ".arrows")):
        return ids_in_file(path)
    if path.endswith(".gz"):
        return pacsv.read_csv(path)["id"].to_pylist()
    with open(path) as file:
        lines = file.read().splitlines(keepends=True)
    if not whole:
        lines = [line for line in lines if line.endswith("\n")]
    if path.endswith(".jsonl"):
        return [json.loads(line)["id"] for line in lines]
    return [int(line.split(",")[0]) for line in lines if not line.startswith("id")]


SINKS = [
    Sink("out/", {"format": "parquet"}),
    Sink("out/", {"format": "csv", "partition_by": "country"}),
    Sink("out/", {"format": "parquet", "if_exists": "append"}, old=True),
    Sink("out/", {"format": "parquet", "if_exists": "overwrite"}, old=True),
    Sink("out/", {"format": "parquet", "roll_rows": 6}),
    Sink("out/", {"format": "csv", "partition_by": "country", "roll_rows": 3}),
    Sink("out/", {"format": "parquet", "roll_rows": 7, "if_exists": "overwrite"}, old=True),
    Sink("out/", {"format": "jsonl", "roll_interval": "1h"}),
    Sink("out/h=${hour}/", {"format": "jsonl", "event_time": "at", "roll_rows": 4}),
    Sink("out/${day}/${hour}.csv", {"event_time": "at"}, whole=False),
    Sink(
        "out/${day}/${hour}.jsonl", {"event_time": "at", "if_exists": "append"}, True, whole=False
    ),
    Sink("out/${day}.parquet", {"event_time": "at"}),
    Sink("out/${month}.csv", {"event_time": "at", "if_exists": "overwrite"}, old=True),
    Sink("out.csv", whole=False),
    Sink("out.jsonl", {"if_exists": "append"}, old=True, whole=False),
    Sink("out.csv", {"if_exists": "overwrite"}, old=True),
    Sink("out.parquet"),
    Sink("out.parquet", {"if_exists": "append"}, old=True),
    Sink("out/", {"format": "avro", "roll_rows": 6}),
    Sink("out.avro"),
    Sink("out.avro", {"if_exists": "append"}, old=True),
    Sink("out.arrow", {"if_exists": "append"}, old=True),
    Sink("out.arrow", {"if_exists": "overwrite"}, old=True),
    Sink("out.arrows"),
    Sink("out.csv.gz", {"if_exists": "overwrite"}, old=True),
]


def run(sink, folder, number, acknowledged=None):
    """One run of a pipeline: claims, commits what is missing, finishes."""
    out = writer(sink.path(folder), f"run-{number}", **sink.options)
    out.claim(number, 1)
    for start, end in CELLS:
        for gap in out.ledger().missing(PATH, entry(start, end).origin.interval):
            assert (gap.start, gap.end) == (start, end)
            commit(out, start, end, epoch=number)
            if acknowledged is not None:
                acknowledged.append((start, end))
            out.roll(number)
    out.finish(number)


def changes(sink, folder):
    """How many changes of the file system an undisturbed run makes."""
    sink.prepare(folder)
    counter = Mortal()
    with counter.living():
        run(sink, folder, 1)
    return counter.count


def check_between(sink, folder):
    """What readers may see of a run that was killed."""
    seen = sink.visible(folder)
    assert len(seen) == len(set(seen))
    new, old = [at for at in seen if at < 100], [at for at in seen if at >= 100]
    assert set(new) <= set(range(15))
    if sink.old:
        assert old == OLD or (new and sink.options["if_exists"] == "overwrite")
    if sink.options.get("if_exists") == "overwrite" and sink.single:
        assert seen in (OLD, list(range(15)))


def check_end(sink, folder):
    seen = sink.visible(folder)
    expected = list(range(15))
    if sink.options.get("if_exists") == "append":
        expected = OLD + expected
    if not sink.single:
        seen, expected = sorted(seen), sorted(expected)
    assert seen == expected
    assert staged_files(folder) == []
    hidden = [name for _, _, names in os.walk(folder) for name in names if name.endswith(".tmp")]
    assert hidden == []


@pytest.mark.parametrize("sink", SINKS, ids=lambda sink: f"{sink.name} {sink.options}")
def test_killed_anywhere_and_once_more_every_row_is_there_once(sink, tmp_path, monkeypatch):
    monkeypatch.setattr(sinklog, "CHECKPOINT_EVERY", 3)
    chance = random.Random(sink.name)
    total = changes(sink, str(tmp_path / "undisturbed"))
    check_end(sink, str(tmp_path / "undisturbed"))
    assert total > 40
    for last in range(total):
        folder = str(tmp_path / str(last))
        sink.prepare(folder)
        for number, limit in enumerate([last, chance.randrange(total)], 1):
            mortal = Mortal(limit)
            with mortal.living():
                run(sink, folder, number)
            check_between(sink, folder)
        run(sink, folder, 3)
        check_end(sink, folder)


@pytest.mark.parametrize("sink", SINKS, ids=lambda sink: f"{sink.name} {sink.options}")
def test_without_power_nothing_that_was_committed_is_lost(sink, tmp_path, monkeypatch):
    monkeypatch.setattr(sinklog, "CHECKPOINT_EVERY", 3)
    chance = random.Random(sink.name)
    total = changes(sink, str(tmp_path / "undisturbed"))
    for last in range(total):
        folder, graveyard = str(tmp_path / str(last)), str(tmp_path / f"{last} graveyard")
        os.mkdir(graveyard)
        sink.prepare(folder)
        acknowledged: list = []
        disk = Disk(graveyard, last)
        with disk.living():
            run(sink, folder, 1, acknowledged)
        disk.cut(chance)
        ledger = writer(sink.path(folder), "look", **sink.options).ledger()
        for start, end in acknowledged:
            assert ledger.missing(PATH, entry(start, end).origin.interval) == []
        run(sink, folder, 2)
        check_end(sink, folder)
