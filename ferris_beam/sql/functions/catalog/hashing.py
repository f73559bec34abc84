"""Hashes and encodings of bytes."""

from __future__ import annotations

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.functions import typed_calls
from ferris_beam.sql.functions.define import Render, category, engine, over
from ferris_beam.sql.functions.vectorised import hashing as run

_hash = category("hashes and encodings")


def _hexadecimal(name: str) -> Render:
    return lambda value: engine("encode", engine(name, value), "hex")


def _sha1(value: exp.Expression) -> exp.Expression:
    return engine("sha1", engine("arrow_cast", value, "Binary"))


def _crc32(value: exp.Expression) -> exp.Expression:
    return engine("crc32", engine("arrow_cast", value, "Binary"))


def _hash_of(*values: exp.Expression) -> exp.Expression:
    """BLAKE3 over all values as text, each behind its length: so no two lists look alike."""
    parts = [part for value in values for part in _measured(value)]
    return engine("first_eight_bytes", engine("digest", engine("concat", *parts), "blake3"))


def _measured(value: exp.Expression) -> tuple[exp.Expression, ...]:
    text = engine("arrow_cast", value, "Utf8")
    size = engine("arrow_cast", engine("octet_length", text.copy()), "Utf8")
    return engine("coalesce", size, "-"), exp.Literal.string(":"), text


def _from_base64(value: exp.Expression) -> exp.Expression:
    return engine("decode", value, "base64")


FUNCTIONS = (
    _hash(
        "md5(value)",
        "MD5 of a text or bytes, in hexadecimal digits.",
        ("md5('a')", "0cc175b9c0f1b6a831c399e269772661"),
    ),
    _hash(
        "sha1(value)",
        "SHA-1 of a text or bytes, in hexadecimal digits.",
        ("sha1('a')", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
        render=_sha1,
        ours=over(run.sha1, pa.binary(), pa.string()),
    ),
    *(
        _hash(
            f"sha{bits}(value)",
            f"SHA-{bits} of a text or bytes, in hexadecimal digits.",
            (f"left(sha{bits}('a'), 8)", digits),
            render=_hexadecimal(f"sha{bits}"),
        )
        for bits, digits in (
            (224, "abd37534"),
            (256, "ca978112"),
            (384, "54a59b9f"),
            (512, "1f40fc92"),
        )
    ),
    _hash(
        "digest(value, algorithm)",
        "The digest as bytes: md5, sha224, sha256, sha384, sha512, blake2s, blake2b, blake3.",
        ("encode(digest('a', 'md5'), 'hex')", "0cc175b9c0f1b6a831c399e269772661"),
    ),
    _hash(
        "crc32(value)",
        "CRC-32 of a text or bytes.",
        ("crc32('123456789')", "3421780262"),
        render=_crc32,
        ours=over(run.crc32, pa.binary(), pa.int64()),
    ),
    _hash(
        "hash(value, ...)",
        "A BIGINT that depends on the values only, the same on every machine and in every run: "
        "64 bits of BLAKE3 over their texts.",
        ("hash('a', 1) = hash('a', 1)", "true"),
        ("hash('ab', 'c') = hash('a', 'bc')", "false"),
        render=_hash_of,
        engine="first_eight_bytes",
        ours=over(run.first_eight_bytes, pa.binary(), pa.int64()),
    ),
    _hash(
        "encode(value, encoding)",
        "Bytes or a text as text: 'base64' (without padding), 'base64pad' or 'hex'.",
        ("encode('hello', 'hex')", "68656c6c6f"),
    ),
    _hash(
        "decode(text, encoding)",
        "The bytes that a text in 'base64' or 'hex' stands for.",
        ("arrow_cast(decode('68656c6c6f', 'hex'), 'Utf8')", "hello"),
    ),
    _hash(
        "to_base64(value)",
        "Bytes or a text in Base64, with padding.",
        ("to_base64('hell')", "aGVsbA=="),
        render=lambda value: engine("encode", value, "base64pad"),
        aliases=("base64",),
    ),
    _hash(
        "from_base64(text)",
        "The bytes that a text in Base64 stands for.",
        ("decode_utf8(from_base64('aGVsbA=='))", "hell"),
        render=_from_base64,
        aliases=("unbase64",),
    ),
    _hash(
        "hex(value)",
        "Bytes, a text or an integer in hexadecimal digits, in capital letters.",
        ("hex('z!')", "7A21"),
        ("hex(255)", "FF"),
        by_type=typed_calls.hexadecimal,
    ),
    _hash(
        "unhex(digits)",
        "The bytes that hexadecimal digits stand for.",
        ("decode_utf8(unhex('6869'))", "hi"),
        render=lambda value: engine("decode", value, "hex"),
        aliases=("from_hex",),
    ),
    _hash(
        "decode_utf8(bytes)",
        "Bytes of UTF-8 as text.",
        ("decode_utf8(unhex('68c3a9'))", "hé"),
        ours=over(run.as_text, pa.binary(), pa.string()),
    ),
    _hash(
        "encode_utf8(text)",
        "The text's bytes in UTF-8.",
        ("hex(encode_utf8('hé'))", "68C3A9"),
        render=lambda value: engine("arrow_cast", value, "Binary"),
    ),
)
