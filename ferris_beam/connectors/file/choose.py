"""Which reader a file source needs."""

from __future__ import annotations

from ferris_beam.connector import Reader
from ferris_beam.connectors.file.options import FileSourceOptions
from ferris_beam.uri import Uri


def file_reader(uri: Uri, options: FileSourceOptions) -> Reader:
    """The reader of what is there now, or one that never ends: ``watch``, ``tail``."""
    if options.watch:
        from ferris_beam.connectors.file.watch import WatchReader

        return WatchReader(uri, options)
    if options.tail:
        from ferris_beam.connectors.file.tail import TailReader

        return TailReader(uri, options)
    from ferris_beam.connectors.file.reader import FileReader

    return FileReader(uri, options)
