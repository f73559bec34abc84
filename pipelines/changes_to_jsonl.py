"""The changes of PostgreSQL tables as JSON lines: ``python -m pipelines.changes_to_jsonl --changes
'postgresql://app@localhost/shop?table=orders&mode=cdc' --file file:changes.jsonl --name changes``.
First the rows that are there, then every insert, update, delete and truncate as it is committed,
until Ctrl+C; started again under the same name, it goes on behind the last change in the file."""

from __future__ import annotations

import sys
from typing import Any

import ferris_beam as fb
from ferris_beam.cli import run_pipeline


def build(pipeline: Any, places: Any) -> None:
    changes = pipeline | fb.read(places.changes)
    changes | fb.write(places.file, format="jsonl", if_exists="append")


if __name__ == "__main__":
    sys.exit(run_pipeline(build, __doc__, changes="what is followed", file="the file that grows"))
