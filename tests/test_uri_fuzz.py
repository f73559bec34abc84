"""Hundreds of thousands of broken URIs: only `UriError` is raised, and no secret is ever shown.

The secret stands where secrets stand, behind `user:` and behind `password=`, and everything around
it is random or mutated. (Where a mutation would make the secret a host or a user's name, nothing
could tell that it is one: so the signs next to it stay.)
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from ferris_beam.errors import UriError
from ferris_beam.uri import Uri

SECRET = "hunter2-Zq_9~x"
USERINFO, OPTION = f":{SECRET}@", f"&password={SECRET}"

WHOLE = [
    ("postgresql://app", USERINFO, "h1:5432,h2:5433/db?table=orders&batch_size=100"),
    ("kafka://app", USERINFO, "[::1]:9092,b2/topic?group_id=${GROUP:-a&b}&format=json#x"),
    ("s3://bucket/a/**/year=${year}/x-[ab]{c,d}%3F.parquet?region=eu", OPTION, "&a=b#c"),
    ("file:data/b%C3%BCcher.csv?delimiter=;&quote=%22", OPTION, ""),
    ("postgresql://", USERINFO, f"${{HOST}}:5432/${{DB:?set it}}?x=1{OPTION}"),
    ("/data/x.csv?header", OPTION, "#end"),
]
SIGNS = [
    *":/?#[]@!$&'()*+,;=%{}|\\^`\"<> ~-._",
    "://",
    "//",
    "${",
    "${X}",
    "%2F",
    "%zz",
    "%C3",
    "&&",
]
OTHERS = [*"abcXYZ019", "ü", "名", "\u2028", "\u200b", "\xa0", "\x00", "\n", "\t", "\x7f"]
OTHERS += [
    "\udcff",
    "\ud800",
    "\U0010fffd",
    "file",
    "kafka",
    "localhost",
    "env:",
    "[::1]",
    ":99999",
]

MUTATED = 150_000
RANDOM = 60_000


def mutated(text: str, chance: random.Random) -> str:
    for _ in range(chance.randint(0, 3)):
        start = chance.randint(0, len(text))
        end = min(len(text), start + chance.choice((0, 0, 1, 1, 3)))
        inserted = chance.choice(chance.choice((SIGNS, OTHERS, [""], [text[start:end] * 2])))
        text = text[:start] + inserted + text[end:]
    return text


def noise(chance: random.Random) -> str:
    return "".join(chance.choices(SIGNS + OTHERS, k=chance.randint(0, 8)))


def texts(seed: int) -> Iterator[str]:
    chance = random.Random(seed)
    for _ in range(MUTATED):
        before, secret, after = chance.choice(WHOLE)
        # The second secret of a URI isn't to be torn apart either.
        rest, separator, _ = after.partition(OPTION)
        yield mutated(before, chance) + secret + mutated(rest, chance) + separator
    for _ in range(RANDOM):
        scheme = chance.choice(("", "", "kafka://", "postgresql://u", "file:", "x?", "s3://b/"))
        yield scheme + noise(chance) + chance.choice((USERINFO, OPTION)) + noise(chance)


def parsed(text: str) -> tuple[Uri | None, str]:
    """The URI, if it is one, and all that people would see."""
    try:
        uri = Uri.parse(text)
    except UriError as error:
        return None, str(error)
    return uri, f"{uri} {uri!r}"


def test_only_uri_errors_and_no_secret() -> None:
    count = 0
    for text in texts(seed=20240531):
        uri, shown = parsed(text)
        assert SECRET not in shown, ascii(text)
        if uri is not None:
            count += 1
        if uri is not None and count % 4 == 0:
            assert Uri.parse(uri.text()) == uri, ascii(text)
    # Both outcomes are frequent enough for this to mean something.
    assert 50_000 < count < MUTATED + RANDOM - 50_000


def test_without_a_secret_anything_may_come() -> None:
    chance = random.Random(7)
    for _ in range(20_000):
        text = noise(chance) + noise(chance)
        uri, _ = parsed(text)
        assert uri is None or Uri.parse(uri.text()) == uri, ascii(text)
