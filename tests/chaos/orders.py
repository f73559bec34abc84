"""Input for chaos: forty files of three formats, with rows that must be rejected."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

COUNTRIES = ("AT", "BR", "DE", "FR", "JP", "US")
COLUMNS = ("id", "country", "amount")


@dataclass
class Orders:
    """What was written: ids of the good rows, and a mark for each row that must be rejected."""

    folder: Path
    good: set[int] = field(default_factory=set)
    bad: set[str] = field(default_factory=set)

    def rows(self, first: int, count: int) -> Iterator[tuple[int, str, float]]:
        for identifier in range(first, first + count):
            self.good.add(identifier)
            yield identifier, COUNTRIES[identifier % len(COUNTRIES)], identifier / 4

    def reject(self, mark: str) -> str:
        self.bad.add(mark)
        return mark


def generate(folder: Path, files: int = 40, rows: int = 12_000, large: int = 160_000) -> Orders:
    """Writes ``files`` files of ``rows`` rows; every tenth has ``large`` rows, so several cells."""
    orders = Orders(folder)
    folder.mkdir(parents=True)
    writers = (_csv, _jsonl_gz, _parquet)
    first = 0
    for number in range(files):
        count = large if number % 10 == 0 else rows
        writers[number % 3](orders, number, first, count)
        first += count
    return orders


def _csv(orders: Orders, number: int, first: int, count: int) -> None:
    lines = [",".join(COLUMNS)]
    lines += [f"{i},{country},{amount}" for i, country, amount in orders.rows(first, count)]
    for at in range(5, len(lines), 4001):
        mark = orders.reject(f"c{number}-{at}")
        lines[at] += f"\n{mark},XX" if at % 2 else f"\n{mark},XX,1.5"
    (orders.folder / f"{number:02d}.csv").write_text("\n".join(lines) + "\n")


def _jsonl_gz(orders: Orders, number: int, first: int, count: int) -> None:
    lines = []
    for at, row in enumerate(orders.rows(first, count)):
        lines.append(json.dumps(dict(zip(COLUMNS, row, strict=True))))
        if at % 4001 == 5:
            lines.append(f'{{"id": "{orders.reject(f"j{number}-{at}")}", broken')
    with gzip.open(orders.folder / f"{number:02d}.jsonl.gz", "wt", compresslevel=1) as file:
        file.write("\n".join(lines) + "\n")


def _parquet(orders: Orders, number: int, first: int, count: int) -> None:
    rows = list(orders.rows(first, count))
    columns = [pa.array(column) for column in zip(*rows, strict=True)]
    table = pa.table(dict(zip(COLUMNS, columns, strict=True)))
    pq.write_table(table, orders.folder / f"{number:02d}.parquet", row_group_size=30_000)
