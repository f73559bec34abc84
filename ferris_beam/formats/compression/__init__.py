"""Compressed units as byte sources, and compressing file objects."""

from __future__ import annotations

from ferris_beam.formats.compression.codec import HEAD, Codec
from ferris_beam.formats.compression.codecs import CODECS, codec_of_content, codec_of_name
from ferris_beam.formats.compression.source import ANY_SIZE, DecompressedSource
from ferris_beam.formats.compression.target import CompressingTarget
from ferris_beam.formats.compression.wrapping import compressing, decompressed

__all__ = [
    "ANY_SIZE",
    "CODECS",
    "HEAD",
    "Codec",
    "CompressingTarget",
    "DecompressedSource",
    "codec_of_content",
    "codec_of_name",
    "compressing",
    "decompressed",
]
