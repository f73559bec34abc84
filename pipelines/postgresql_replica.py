"""Keeps tables of one PostgreSQL database like those of another: ``python -m
pipelines.postgresql_replica --primary 'postgresql://app@localhost/shop?table=orders&mode=cdc'
--replica 'postgresql://app@elsewhere/copy?table=orders' --name replica``. Runs until Ctrl+C; a
restart under the same name goes on, and each change is applied once."""

from __future__ import annotations

import sys
from typing import Any

import ferris_beam as fb
from ferris_beam.cli import run_pipeline


def build(pipeline: Any, places: Any) -> None:
    changes = pipeline | fb.read(places.primary)
    changes | fb.write(places.replica, mode="apply")


if __name__ == "__main__":
    sys.exit(run_pipeline(build, __doc__, primary="what is followed", replica="the copy"))
