"""Options of the file connector."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import AfterValidator

from ferris_beam.formats.options import ReadOptions, WriteOptions
from ferris_beam.options import ByteSize, Duration, InWords, duration, exclusive, option, requires


def _known_zone(value: str) -> str:
    """As the machine's tz database knows it; UTC needs none."""
    try:
        if value != "UTC":
            ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError("no such time zone") from None
    return value


TimeZone: TypeAlias = Annotated[
    str, AfterValidator(_known_zone), InWords("a time zone such as UTC or Europe/Berlin")
]


class FileSourceOptions(ReadOptions):
    """How ``file:///path`` is read; the path is a file, a folder or a glob."""

    tuning = frozenset({"poll_interval"})
    rules = (
        *ReadOptions.rules,
        exclusive("watch", "tail"),
        requires("rotated", tail=True),
        requires("on_loss", tail=True),
    )

    recursive: bool = option(
        False, description="Whether a folder is read with all folders below.", example=True
    )
    watch: bool = option(
        False,
        description="Reads a folder or glob for ever: new files are taken as they arrive.",
        example=True,
    )
    tail: bool = option(
        False,
        description="Follows growing CSV and JSON Lines files for ever, through rotation.",
        example=True,
    )
    poll_interval: Duration = option(
        duration("1s"),
        description="How often watch and tail look for new files.",
        example=duration("5s"),
        ge=duration("10ms"),
    )
    settle: Duration | None = option(
        None,
        description="Watch: a file is taken when it was left alone for so long, by default 2s; 0 "
        "where files arrive whole, by a rename. Tail: after so long a rotated file is finished, by "
        "default 1m.",
        example=duration("30s"),
        ge=duration("0"),
    )
    rotated: str | None = option(
        None,
        description="Tail: how files are named once they were rotated, as a glob of names; by "
        "default the name with anything behind it (`app.log.1`, `app.log-20260101`).",
        example="app-*.log",
    )
    on_loss: Literal["error", "continue"] = option(
        "error",
        description="Tail: what to do where rows may be lost, since a followed file was shortened "
        "or overwritten, or is gone: stop, or go on with what is there.",
        example="continue",
    )


class FileSinkOptions(WriteOptions):
    """How ``file:///path`` is written; the path is a file or, ending with ``/``, a folder."""

    tuning = frozenset({"batch_size", "row_group_size", "roll_rows", "roll_bytes", "roll_interval"})
    rules = (*WriteOptions.rules, requires("zone", "event_time"))

    partition_by: tuple[str, ...] = option(
        (),
        description="Columns whose values become folders (`country=DE/`); needs a folder.",
        example=("country",),
    )
    if_exists: Literal["error", "append", "overwrite"] = option(
        "error",
        description="What to do where there are files already: refuse, add to them, replace them.",
        example="append",
    )
    batch_size: int = option(
        1_048_576, description="Rows of one commit, thus of one file in a folder.", ge=1
    )
    roll_rows: int | None = option(
        None,
        description="A folder: commits are gathered until a file has so many rows.",
        example=5_000_000,
        ge=1,
    )
    roll_bytes: ByteSize | None = option(
        None,
        description="A folder: commits are gathered until a file has so many bytes; "
        "by default 128MiB where commits are gathered.",
        example="256MiB",
        ge=1,
    )
    roll_interval: Duration | None = option(
        None,
        description="A folder: commits are gathered for so long at most; by default 1m where input "
        "never ends. With 0 every commit is a file.",
        example=duration("5m"),
    )
    event_time: str | None = option(
        None,
        description="The column of timestamps or dates that fills ${year}, ${month}, ${day}, "
        "${hour} and ${minute} in the path.",
        example="ordered_at",
    )
    zone: TimeZone = option(
        "UTC", description="The time zone of the path's hours and days.", example="Europe/Berlin"
    )
