"""The aggregations in Polars, streaming; its threads are set by the environment."""

from __future__ import annotations

import polars as pl

_SUMS = (pl.len().cast(pl.Int64).alias("n"), pl.col("value").sum().alias("total"))
_START = pl.col("happened_at").alias("window_start")


def tumble(source: str, target: str) -> None:
    mean = pl.col("value").mean().alias("mean")
    _minutes(source).group_by("window_start", "key").agg(*_SUMS, mean).sink_parquet(target)


def hop(source: str, target: str) -> None:
    panes = _minutes(source).group_by("window_start", "key").agg(*_SUMS)
    back = pl.LazyFrame({"back": range(5)})
    start = pl.col("window_start") - pl.col("back") * pl.duration(minutes=1)
    windows = panes.join(back, how="cross").with_columns(start.alias("window_start"))
    windows.group_by("window_start", "key").agg(
        pl.col("n").sum(), pl.col("total").sum()
    ).sink_parquet(target)


def session(source: str, target: str) -> None:
    gap = pl.col("happened_at").diff().over("key") >= pl.duration(seconds=5)
    events = pl.scan_parquet(source).sort("key", "happened_at")
    numbered = events.with_columns(gap.fill_null(True).cum_sum().alias("session"))
    start = pl.col("happened_at").min().alias("window_start")
    found = numbered.group_by("key", "session").agg(start, *_SUMS)
    found.drop("session").sink_parquet(target)


def count_distinct(source: str, target: str) -> None:
    users = pl.col("user_id").n_unique().cast(pl.Int64).alias("n")
    pl.scan_parquet(source).group_by("key").agg(users).sink_parquet(target)


def many_keys(source: str, target: str) -> None:
    pl.scan_parquet(source).group_by("user_id").agg(*_SUMS).sink_parquet(target)


def _minutes(source: str) -> pl.LazyFrame:
    return pl.scan_parquet(source).with_columns(_START.dt.truncate("1m"))
