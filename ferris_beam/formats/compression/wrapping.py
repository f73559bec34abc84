"""Putting a codec around bytes by its name."""

from __future__ import annotations

from typing import IO, cast

from ferris_beam.formats.base import ByteSource
from ferris_beam.formats.compression.codecs import CODECS
from ferris_beam.formats.compression.source import DecompressedSource
from ferris_beam.formats.compression.target import CompressingTarget


def decompressed(source: ByteSource, compression: str) -> ByteSource:
    """``source``, or what is in it where ``compression`` names a codec."""
    return source if compression == "none" else DecompressedSource(source, CODECS[compression])


def compressing(target: IO[bytes], compression: str) -> IO[bytes]:
    """A file that compresses into ``target``; ``compression`` names a codec. Closing it completes
    what was written and leaves ``target`` open."""
    return cast("IO[bytes]", CompressingTarget(target, CODECS[compression]))
