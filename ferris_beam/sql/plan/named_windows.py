"""The WINDOW clause: definitions that OVER refers to by name."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from ferris_beam.sql.text import SqlText, did_you_mean

_PARTS = ("partition_by", "order", "spec")


def definitions(select: exp.Select, text: SqlText) -> dict[str, exp.Window]:
    """The windows that a SELECT defines, by their names in lower case."""
    result: dict[str, exp.Window] = {}
    for window in select.args.get("windows") or ():
        name = window.this.name.lower()
        if name in result:
            raise text.error(f"the window {window.this.name!r} is defined twice", window)
        if window.args.get("alias") is not None:
            window = expanded(window, result, text)
        result[name] = window
    return result


def expanded(window: exp.Window, defined: Mapping[str, exp.Window], text: SqlText) -> exp.Window:
    """``OVER w`` and ``OVER (w ORDER BY …)`` with what the definition of ``w`` says."""
    alias = window.args["alias"]
    definition = defined.get(alias.name.lower())
    if definition is None:
        hint = did_you_mean(alias.name, [each.this.name for each in defined.values()])
        raise text.error(f"there is no window {alias.name!r}", alias, hint)
    result = window.copy()
    result.set("alias", None)
    for part in _PARTS:
        given = definition.args.get(part)
        if not given:
            continue
        if window.args.get(part):
            what = part.replace("_", " ").upper().replace("SPEC", "frame")
            raise text.error(f"the window {alias.name!r} has its own {what} already", window)
        result.set(part, [each.copy() for each in given] if type(given) is list else given.copy())
    return result
