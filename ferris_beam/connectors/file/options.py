"""Options of the file connector."""

from __future__ import annotations

from typing import Literal

from ferris_beam.formats.options import ReadOptions, WriteOptions
from ferris_beam.options import option


class FileSourceOptions(ReadOptions):
    """How ``file:///path`` is read; the path is a file, a folder or a glob."""

    recursive: bool = option(
        False, description="Whether a folder is read with all folders below.", example=True
    )


class FileSinkOptions(WriteOptions):
    """How ``file:///path`` is written; the path is a file or, ending with ``/``, a folder."""

    tuning = frozenset({"batch_size", "row_group_size"})

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
