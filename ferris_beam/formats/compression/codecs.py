"""The codecs, each a few lines around its library.

gzip: RFC 1952, by Intel's ISA-L, two to three times as fast as zlib. bzip2 and xz: Python's own
modules. zstd: RFC 8878, by the module that Python has from 3.14 on. lz4: the frame format (not the
one of Hadoop, nor lz4's legacy one), with a checksum of the content. snappy: see `snappy`.
"""

from __future__ import annotations

import sys
from typing import Any, cast

from ferris_beam.formats.compression.codec import Codec, Compressor, Decompressor

_SKIPPABLE = tuple(bytes([0x50 + kind]) + b"\x2a\x4d\x18" for kind in range(16))
"""Frames without data (RFC 8878, 3.1.2), which may stand between those of zstd and of lz4."""

_XZ_MEMORY = 1 << 29
"""More than any of xz's own levels needs (65 MiB), less than a hostile file may ask for."""


class Gzip(Codec):
    name = "gzip"
    extensions = (".gz", ".gzip")
    magics = (b"\x1f\x8b\x08",)

    def decompressor(self) -> Decompressor:
        from isal import igzip_lib

        return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)

    def compressor(self) -> Compressor:
        from isal import isal_zlib

        return isal_zlib.compressobj(level=1, wbits=31)  # 31: gzip's header, 32 KiB of window

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        from isal import igzip_lib

        return (igzip_lib.IsalError,)  # type: ignore[return-value]  # is declared as an instance


class Bzip2(Codec):
    name = "bzip2"
    extensions = (".bz2", ".bzip2")
    magics = tuple(
        b"BZh%d" % level + block
        for level in range(1, 10)
        for block in (b"\x31\x41\x59\x26\x53\x59", b"\x17\x72\x45\x38\x50\x90")
    )
    errors = (OSError, EOFError)

    def decompressor(self) -> Decompressor:
        from bz2 import BZ2Decompressor

        return BZ2Decompressor()

    def compressor(self) -> Compressor:
        from bz2 import BZ2Compressor

        return BZ2Compressor()


class Xz(Codec):
    name = "xz"
    extensions = (".xz",)
    magics = (b"\xfd7zXZ\x00",)

    def decompressor(self) -> Decompressor:
        import lzma

        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)

    def compressor(self) -> Compressor:
        from lzma import LZMACompressor

        return LZMACompressor(preset=1)

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        from lzma import LZMAError

        return (LZMAError,)


class Zstd(Codec):
    name = "zstd"
    extensions = (".zst", ".zstd")
    magics = (b"\x28\xb5\x2f\xfd", *_SKIPPABLE)

    def decompressor(self) -> Decompressor:
        return cast(Decompressor, _zstd().ZstdDecompressor())

    def compressor(self) -> Compressor:
        zstd = _zstd()
        parameter = zstd.CompressionParameter
        options = {parameter.compression_level: 1, parameter.checksum_flag: 1}
        return cast(Compressor, zstd.ZstdCompressor(options=options))

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        return (_zstd().ZstdError,)


class Lz4(Codec):
    name = "lz4"
    extensions = (".lz4",)
    magics = (b"\x04\x22\x4d\x18", *_SKIPPABLE)
    errors = (RuntimeError,)

    def decompressor(self) -> Decompressor:
        from lz4.frame import LZ4FrameDecompressor  # type: ignore[import-untyped]

        return cast(Decompressor, LZ4FrameDecompressor())

    def compressor(self) -> Compressor:
        return _Lz4Compressor()


class Snappy(Codec):
    name = "snappy"
    extensions = (".snappy", ".sz")
    magics = (b"\xff\x06\x00\x00sNaPpY",)

    def begins(self, head: bytes) -> bool:
        from ferris_beam.formats.compression.snappy import is_hadoop

        return super().begins(head) or is_hadoop(head)

    def decompressor(self) -> Decompressor:
        from ferris_beam.formats.compression.snappy import SnappyDecompressor

        return SnappyDecompressor()

    def compressor(self) -> Compressor:
        from ferris_beam.formats.compression.snappy import SnappyCompressor

        return SnappyCompressor()

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        from cramjam import DecompressionError

        return (DecompressionError, ValueError)

    def may_end(self, member: Any) -> bool:
        return not member.pending


class _Lz4Compressor:
    """One frame; the header goes ahead of the first bytes."""

    def __init__(self) -> None:
        from lz4.frame import LZ4FrameCompressor

        self._frame = LZ4FrameCompressor(content_checksum=True)
        self._begun = False

    def compress(self, data: Any) -> bytes:
        return self._begin() + bytes(self._frame.compress(data))

    def flush(self) -> bytes:
        return self._begin() + bytes(self._frame.flush())

    def _begin(self) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        return bytes(self._frame.begin())


def _zstd() -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd


CODECS: dict[str, Codec] = {
    codec.name: codec for codec in (Bzip2(), Gzip(), Lz4(), Snappy(), Xz(), Zstd())
}
"""The codecs by name; a new one is a class above and a place in this row."""


def codec_of_name(path: str) -> tuple[Codec | None, str]:
    """The codec that a file's name ends with, and the name without that ending."""
    lowered = path.lower()
    for codec in CODECS.values():
        for extension in codec.extensions:
            if lowered.endswith(extension):
                return codec, path[: -len(extension)]
    return None, path


def codec_of_content(head: bytes) -> Codec | None:
    """The codec that the first bytes of a file are of: exact, no text begins like that. A frame
    without data may be zstd's or lz4's: it counts as zstd's."""
    return next((c for c in (CODECS["zstd"], *CODECS.values()) if _is_of(c, head)), None)


def _is_of(codec: Codec, head: bytes) -> bool:
    return head.startswith(codec.magics)
