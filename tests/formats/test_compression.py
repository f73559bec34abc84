"""gzip: members, ends, damage."""

from __future__ import annotations

import gzip
import io
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.errors import FatalError
from ferris_beam.formats import compression
from ferris_beam.formats.base import read_bytes
from ferris_beam.formats.compression import GZIP_RATIO, GzipSource, GzipTarget, decompressed
from tests.formats.memory import MemorySource


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "_COMPRESSED_STEP", 7)


def source(data: bytes) -> GzipSource:
    return GzipSource(MemorySource(data, "x.gz"))


def everything(data: bytes) -> bytes:
    found = source(data)
    return read_bytes(found, 0, found.size_limit + 1)


def test_members_follow_one_another() -> None:
    for members in (1, 2, 5):
        data = b"".join(gzip.compress(b"%d" % at * 100) for at in range(members))
        assert everything(data) == gzip.decompress(data)
        assert everything(data + b"\0" * 20) == gzip.decompress(data)


def test_no_bytes_are_no_bytes() -> None:
    assert everything(b"") == b""
    assert everything(gzip.compress(b"") * 3) == b""


@pytest.mark.parametrize("missing", [1, 8, 15, 30])
def test_a_truncated_file_is_refused(missing: int) -> None:
    data = gzip.compress(bytes(range(256)) * 20, mtime=0)
    with pytest.raises(FatalError, match=r"x\.gz: the gzip file is truncated after \d+ bytes"):
        everything(data[:-missing])
    with pytest.raises(FatalError, match="truncated"):
        everything(gzip.compress(b"first") + data[:-missing])


def test_a_damaged_file_is_refused() -> None:
    data = bytearray(gzip.compress(bytes(range(256)) * 20))
    data[-6] ^= 1  # in the checksum
    with pytest.raises(FatalError, match=r"x\.gz: damaged gzip data"):
        everything(bytes(data))


@pytest.mark.parametrize("data", [b"a,b\n1,2\n", gzip.compress(b"x") + b"garbage"])
def test_what_is_no_gzip_is_refused(data: bytes) -> None:
    with pytest.raises(FatalError, match=r"x\.gz: no gzip data at byte \d+; set compression=none"):
        everything(data)


def test_no_file_unpacks_to_more_than_the_limit() -> None:
    data = b"\0" * 20_000_000
    assert source(gzip.compress(data, 9)).size_limit >= len(data)
    assert GZIP_RATIO == 1032


def test_only_gzip_is_around() -> None:
    inner = MemorySource(b"x")
    assert decompressed(inner, "none") is inner
    wrapped = decompressed(inner, "gzip")
    wrapped.close()
    assert inner.closed


def test_a_target_writes_a_member_and_leaves_the_file_open() -> None:
    file = io.BytesIO()
    for text in (b"first ", b"second"):
        target = GzipTarget(file)
        assert target.write(text) == len(text)
        target.close()
        target.close()
    assert gzip.decompress(file.getvalue()) == b"first second"
    assert zlib.decompress(file.getvalue(), 31) == b"first "


DATA = bytes(range(256)) * 8


@given(st.lists(st.tuples(st.integers(0, 2100), st.integers(0, 300)), max_size=6))
def test_any_offset_may_be_read(reads: list[tuple[int, int]]) -> None:
    found = source(gzip.compress(DATA[:1000]) + gzip.compress(DATA[1000:]))
    for offset, length in reads:
        assert read_bytes(found, offset, length) == DATA[offset : offset + length]
