"""Rules about several options: two spellings of one mode."""

from __future__ import annotations

import pytest

from ferris_beam.errors import ConfigurationError
from ferris_beam.options import (
    Options,
    check,
    conflicts,
    option,
    requires_either,
    resolve_endpoint,
)
from ferris_beam.uri import Uri


class Changes(Options):
    """How ``shop://`` is read."""

    rules = (
        requires_either("slot", mode="cdc", cdc=True),
        conflicts("query", mode="cdc", cdc=True),
    )
    mode: str = option("table", description="What is read.")
    cdc: bool = option(False, description="The same as mode=cdc.")
    slot: str | None = option(None, description="The slot.", example="s")
    query: str | None = option(None, description="The query.", example="SELECT 1")


def resolved(uri: str) -> Changes:
    scrubbed, kept = check(Changes, Uri.parse(uri), {})
    found = resolve_endpoint(Changes, scrubbed, kept).options
    assert isinstance(found, Changes)
    return found


@pytest.mark.parametrize("mode", ["mode=cdc", "cdc=true", "cdc=TRUE"])
def test_either_spelling_allows_what_needs_it(mode: str) -> None:
    assert resolved(f"shop://h/d?{mode}&slot=s").slot == "s"


@pytest.mark.parametrize("mode", ["", "mode=table&", "cdc=false&"])
def test_without_either_it_is_refused(mode: str) -> None:
    with pytest.raises(ConfigurationError, match="slot works only with mode=cdc or cdc=true"):
        resolved(f"shop://h/d?{mode}slot=s")


@pytest.mark.parametrize("mode", ["mode=cdc", "cdc=true"])
def test_what_conflicts_names_the_spelling_that_was_given(mode: str) -> None:
    with pytest.raises(ConfigurationError, match=f"query doesn't work with {mode}; keep one"):
        resolved(f"shop://h/d?{mode}&query=SELECT 1")
    assert resolved("shop://h/d?cdc=false&query=SELECT 1").query == "SELECT 1"
