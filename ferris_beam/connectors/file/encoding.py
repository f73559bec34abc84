"""How a sink's rows become bytes: format, compression, file extension."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import IO

import pyarrow as pa

from ferris_beam.connectors.file.layout import Layout
from ferris_beam.connectors.file.options import FileSinkOptions
from ferris_beam.errors import ConfigurationError
from ferris_beam.formats.base import Format, FormatWriter
from ferris_beam.formats.compression import CODECS, compressing
from ferris_beam.formats.options import check_options
from ferris_beam.formats.registry import default_delimiter, detect, format_named


@dataclass(frozen=True)
class Encoding:
    """A format with its settings. ``compression`` is what is around the format: none or
    a codec's name."""

    format: Format
    compression: str
    options: FileSinkOptions

    @classmethod
    def of(cls, layout: Layout, options: FileSinkOptions) -> Encoding:
        """As the options say, else as the file's name does."""
        name = layout.file or f"part.{options.format}"
        if layout.many_files:
            name = layout.template
        elif not layout.file and options.format is None:
            raise ConfigurationError(
                f"{layout.display}: set format= for a folder, like ?format=parquet"
            )
        detected = detect(name, options.format, None)
        form = format_named(detected.format)
        if options.compression is not None and options.compression not in form.compressions:
            raise ConfigurationError(
                f"{layout.display}: {form.name} takes compression= {', '.join(form.compressions)}, "
                f"not {options.compression!r}"
            )
        if not form.wrapped and detected.compression != "none":
            raise ConfigurationError(
                f"{layout.display}: {form.name} compresses by itself; leave out the last extension"
            )
        if options.compression and detected.compression not in ("none", options.compression):
            raise ConfigurationError(
                f"{layout.display}: its name says {detected.compression}, and compression= says "
                f"{options.compression}; readers go by the name: give it the right extension"
            )
        check_options(options, form, form.write_options)
        around = (options.compression or detected.compression) if form.wrapped else "none"
        if options.delimiter is None and form.name == "csv":
            options = options.model_copy(update={"delimiter": default_delimiter(name)})
        return cls(form, around, options)

    @property
    def extension(self) -> str:
        ending = self.format.extensions[0]
        if self.compression == "none":
            return ending
        return ending + CODECS[self.compression].extensions[0]

    def of_extension(self, extension: str) -> Encoding:
        """How files of this extension are put together: before the options changed, parts may
        have been staged with another one."""
        if extension == self.extension:
            return self
        detected = detect(f"part{extension}")
        return Encoding(format_named(detected.format), detected.compression, FileSinkOptions())

    @property
    def grows(self) -> bool:
        """Whether rows can be added to a file that is complete without them."""
        return self.format.appendable and self.compression == "none"

    @cached_property
    def _headers(self) -> dict[pa.Schema, bytes]:
        return {}

    def header(self, schema: pa.Schema) -> bytes:
        """What a file of this schema starts with, before its first row; uncompressed."""
        if schema not in self._headers:
            target = io.BytesIO()
            self.format.create(target, schema, self.options, header=True).close()
            self._headers[schema] = target.getvalue() if self.format.appendable else b""
        return self._headers[schema]

    def create(
        self, target: IO[bytes], schema: pa.Schema, *, header: bool
    ) -> tuple[FormatWriter, Sequence[IO[bytes]]]:
        """A writer, and what must be closed after it, in this order, before ``target`` is."""
        if self.compression == "none":
            return self.format.create(target, schema, self.options, header=header), ()
        around = compressing(target, self.compression)
        return self.format.create(around, schema, self.options, header=header), (around,)
