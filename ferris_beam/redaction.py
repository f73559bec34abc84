"""Hiding secrets in text that people will read: URIs, messages of drivers, logs."""

from __future__ import annotations

import re

__all__ = ["redact", "sounds_secret"]

_SECRET_NAME = re.compile(
    r"passw|pwd|secret|token|credential|private|signature|(?:api|access|account)_?key",
    re.IGNORECASE,
)
# All repetitions are bounded, or start where no longer match can: long texts cost linear time.
_BEFORE_AT_SIGN = re.compile(
    r"""
    (?P<user>://[^\s:/?\#@\[]{0,99})
        (?: : (?! \d{1,5} (?:[,/?\#\s]|$) ) \S{0,999}    # user:password@, not host:port
          | @ [^\s/?\#]{0,999} ) @                       # user@password@
    | (?P<no_password>://[^\s:/?\#@\[]{0,99}@)
    | (?<![^\s/?\#&=]) [^\s/?\#&=]+ @                   # a password that went astray
    """,
    re.VERBOSE,
)
# References such as `password=env:PGPASSWORD` and `password=${PGPASSWORD}` stay readable.
_SECRET_OPTION = re.compile(
    rf"""
    ((?:{_SECRET_NAME.pattern}) [\w.-]{{0,99}} =)
    (?! (?:env:\w+ | file:[\w./~-]+ | \$\{{\w+\}}) (?:[&\#\s]|$) ) [^&\#\s]+
    """,
    re.VERBOSE | re.IGNORECASE,
)


def redact(text: str) -> str:
    """The text with `***` for passwords in URIs and for values of options that sound secret.

    Whatever stands before an `@` is hidden wherever it is, for a typo may have moved a password
    into a path; the price is that mail addresses lose their first half.
    """
    return _SECRET_OPTION.sub(r"\1***", _BEFORE_AT_SIGN.sub(_hidden, text))


def sounds_secret(name: str) -> bool:
    """Whether an option of this name is likely to hold a secret."""
    return _SECRET_NAME.search(name) is not None


def _hidden(match: re.Match[str]) -> str:
    return f"{match['user']}:***@" if match["user"] else match["no_password"] or "***@"
