"""Every codec: members, ends, damage, memory; against independent implementations."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import struct
from collections.abc import Callable
from unittest.mock import patch

import cramjam
import lz4.frame
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.errors import FatalError
from ferris_beam.formats.base import read_bytes
from ferris_beam.formats.compression import (
    CODECS,
    HEAD,
    DecompressedSource,
    codec_of_content,
    codec_of_name,
    compressing,
    decompressed,
)
from ferris_beam.formats.compression import source as source_module
from tests.formats.memory import MemorySource


def _zstd(data: bytes) -> bytes:
    return pa.Codec("zstd").compress(data, asbytes=True)  # type: ignore[no-any-return]


def _snappy(data: bytes) -> bytes:
    return bytes(cramjam.snappy.compress(data))


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "bzip2": bz2.compress,
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "lz4": lambda data: lz4.frame.compress(data, content_checksum=True),
    "snappy": _snappy,
    "xz": lzma.compress,
    "zstd": _zstd,
}
"""Other implementations than ours, where there are any."""

DECOMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "bzip2": bz2.decompress,
    "gzip": gzip.decompress,
    "lz4": lambda data: lz4.frame.open(io.BytesIO(data)).read(),
    "snappy": lambda data: bytes(cramjam.snappy.decompress(data)),
    "xz": lzma.decompress,
    "zstd": lambda data: pa.CompressedInputStream(pa.BufferReader(data), "zstd").read(),
}

TEXT = b"".join(b"%d,customer %d\n" % (at, at % 7) for at in range(300))
SKIPPABLE = b"\x53\x2a\x4d\x18\x05\x00\x00\x00hello"

codecs = pytest.mark.parametrize("codec", sorted(CODECS))


@pytest.fixture(params=[7, 1 << 18], ids=["small steps", "usual steps"])
def _steps(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "_COMPRESSED_STEP", request.param)


def source(data: bytes, codec: str) -> DecompressedSource:
    found = decompressed(MemorySource(data, "x.packed"), codec)
    assert isinstance(found, DecompressedSource)
    return found


def everything(data: bytes, codec: str) -> bytes:
    return read_bytes(source(data, codec), 0, 1 << 22)


def compressed(data: bytes, codec: str) -> bytes:
    file = io.BytesIO()
    target = compressing(file, codec)
    target.write(data)
    target.close()
    return file.getvalue()


def test_each_codec_is_tested_here() -> None:
    assert set(COMPRESS) == set(DECOMPRESS) == set(CODECS)


@codecs
@pytest.mark.usefixtures("_steps")
def test_members_follow_one_another(codec: str) -> None:
    compress = COMPRESS[codec]
    for members in (1, 2, 5):
        texts = [b"%d" % at * 100 for at in range(members)]
        data = b"".join(map(compress, texts))
        assert everything(data, codec) == b"".join(texts)
        padded = (b"\0" * 40).join(map(compress, texts)) + b"\0" * 44
        if codec != "snappy":  # whose files end anywhere: zeros would be a chunk
            assert everything(padded, codec) == b"".join(texts)


@codecs
@pytest.mark.usefixtures("_steps")
def test_no_bytes_are_no_bytes(codec: str) -> None:
    assert everything(b"", codec) == b""
    assert everything(COMPRESS[codec](b"") * 3, codec) == b""


@pytest.mark.parametrize("codec", ["zstd", "lz4"])
@pytest.mark.usefixtures("_steps")
def test_frames_without_data_are_skipped(codec: str) -> None:
    frame = COMPRESS[codec](TEXT)
    assert everything(SKIPPABLE + frame + SKIPPABLE + frame + SKIPPABLE, codec) == TEXT * 2


@codecs
@pytest.mark.usefixtures("_steps")
def test_a_truncated_file_is_refused(codec: str) -> None:
    data = COMPRESS[codec](TEXT)
    for kept in {1, 2, 5, 12, len(data) // 2, len(data) - 9, len(data) - 4, len(data) - 1}:
        for before in (b"", COMPRESS[codec](b"first")):
            with pytest.raises(FatalError, match=r"x\.packed: (the .* is truncated|no .* data)"):
                everything(before + data[:kept], codec)


@codecs
@pytest.mark.usefixtures("_steps")
def test_damage_is_refused_or_harmless(codec: str) -> None:
    """Any flipped bit: never other data."""
    data = compressed(TEXT, codec)
    places = random.Random(codec).sample(range(len(data)), min(60, len(data)))
    refused = 0
    for place in places:
        damaged = bytearray(data)
        damaged[place] ^= 0x10
        found = attempt(bytes(damaged), codec)
        refused += isinstance(found, FatalError)
        assert str(found).startswith("x.packed: ") or found == TEXT
    assert refused > len(places) // 2


def attempt(data: bytes, codec: str) -> bytes | FatalError:
    try:
        return everything(data, codec)
    except FatalError as error:
        return error


@codecs
@pytest.mark.usefixtures("_steps")
def test_what_follows_is_not_dropped(codec: str) -> None:
    data = COMPRESS[codec](TEXT)
    pattern = rf"x\.packed: (no {codec} data at byte {len(data):,}|damaged {codec} data before)"
    with pytest.raises(FatalError, match=pattern):
        everything(data + b"garbage that is longer than any header", codec)


@codecs
@pytest.mark.parametrize("data", [b"a,b\n1,2\n", b"x" * 1000])
def test_what_is_not_compressed_says_so(codec: str, data: bytes) -> None:
    with pytest.raises(FatalError, match=rf"no {codec} data at byte 0, .*; set compression=none"):
        everything(data, codec)


@codecs
def test_memory_is_bounded(codec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """64 MiB of zeros, read in small pieces: what is held is a few steps."""
    data = COMPRESS[codec](b"\0" * (64 << 20))
    found = source(data, codec)
    block = memoryview(bytearray(1 << 16))
    for at in range(64):
        assert found.read_into(at << 16, block) == 1 << 16
    before = pa.total_allocated_bytes()
    assert len(found._left) <= (1 << 20) + (1 << 16)
    assert pa.total_allocated_bytes() == before
    assert found.size is None
    assert found.size_limit >= 64 << 20


def test_only_what_is_asked_for_is_around() -> None:
    inner = MemorySource(b"x")
    assert decompressed(inner, "none") is inner
    wrapped = decompressed(inner, "gzip")
    wrapped.close()
    assert inner.closed


@codecs
def test_a_target_writes_a_member_and_leaves_the_file_open(codec: str) -> None:
    file = io.BytesIO()
    for text in (TEXT, b"", b"second" * 400_000):
        target = compressing(file, codec)
        assert target.write(text) == len(text)
        assert target.write(memoryview(b"!")) == 1
        target.close()
        target.close()
    expected = TEXT + b"!!" + b"second" * 400_000 + b"!"
    assert everything(file.getvalue(), codec) == expected
    assert DECOMPRESS[codec](file.getvalue()) == expected
    empty = io.BytesIO()
    compressing(empty, codec).close()
    assert DECOMPRESS[codec](empty.getvalue()) == b"" == everything(empty.getvalue(), codec)


@codecs
def test_names_and_contents_tell_the_codec(codec: str) -> None:
    for extension in CODECS[codec].extensions:
        assert codec_of_name(f"/a/b.csv{extension.upper()}") == (CODECS[codec], "/a/b.csv")
    assert codec_of_content(COMPRESS[codec](TEXT)[:HEAD]) is CODECS[codec]
    assert codec_of_content(b"id,name\n1,x\n") is None
    assert codec_of_content(b"") is None


DATA = bytes(range(256)) * 8


READS = st.lists(st.tuples(st.integers(0, 2100), st.integers(0, 300)), max_size=6)


@codecs
@given(reads=READS, step=st.sampled_from([1, 100, 1 << 20]))
def test_any_offset_may_be_read(codec: str, reads: list[tuple[int, int]], step: int) -> None:
    data = COMPRESS[codec](DATA[:1000]) + COMPRESS[codec](DATA[1000:])
    with patch.object(source_module, "_STEP", step):
        found = source(data, codec)
        for offset, length in reads:
            assert read_bytes(found, offset, length) == DATA[offset : offset + length]


# ── snappy as Hadoop and Spark write it ─────────────────────────────────────────────────────────


def hadoop(data: bytes, block: int, part: int) -> bytes:
    """Blocks of ``block`` bytes, each in parts: Hadoop's BlockCompressorStream."""
    out = io.BytesIO()
    for start in range(0, len(data), block):
        whole = data[start : start + block]
        out.write(struct.pack(">I", len(whole)))
        for at in range(0, len(whole), part):
            raw = pa.Codec("snappy").compress(whole[at : at + part], asbytes=True)
            out.write(struct.pack(">I", len(raw)) + raw)
    return out.getvalue()


@pytest.mark.usefixtures("_steps")
@pytest.mark.parametrize(("block", "part"), [(1 << 18, 1 << 18), (1000, 300), (4096, 4096)])
def test_hadoops_snappy_is_read(block: int, part: int) -> None:
    data = hadoop(TEXT, block, part)
    assert everything(data, "snappy") == TEXT
    with pytest.raises(FatalError, match="the snappy file is truncated"):
        everything(data[:-3], "snappy")
    damaged = bytearray(data)
    damaged[0] = 0x70  # a block of gigabytes
    with pytest.raises(FatalError, match="no snappy data at byte 0"):
        everything(bytes(damaged), "snappy")


def test_one_raw_block_of_snappy_is_refused() -> None:
    raw = pa.Codec("snappy").compress(TEXT, asbytes=True)
    with pytest.raises(FatalError, match="no snappy data at byte 0"):
        everything(raw, "snappy")
