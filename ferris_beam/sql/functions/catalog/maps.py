"""Functions of maps and structs."""

from __future__ import annotations

from sqlglot import exp

from ferris_beam.sql.functions.define import category, engine

_map = category("maps and structs")


def _element_at(entries: exp.Expression, key: exp.Expression) -> exp.Expression:
    return engine("array_element", engine("map_extract", entries, key), 1)


def _contains(entries: exp.Expression, key: exp.Expression) -> exp.Expression:
    return engine("array_has", engine("map_keys", entries), key)


def _from_entries(entries: exp.Expression) -> exp.Expression:
    return engine("map", _field_of(entries, "key"), _field_of(entries.copy(), "value"))


def _field_of(entries: exp.Expression, name: str) -> exp.Expression:
    """A list of one field of the structs in a list."""
    entry = exp.to_identifier("entry", quoted=True)
    body = engine("get_field", exp.Column(this=entry.copy()), name)
    return engine("array_transform", entries, exp.Lambda(this=body, expressions=[entry]))


def _struct_pack(*fields: exp.Expression) -> exp.Expression:
    parts: list[exp.Expression] = []
    for field in fields:
        if not isinstance(field, exp.PropertyEQ):
            raise ValueError("each field needs its name: struct_pack(name := value)")
        parts += [exp.Literal.string(field.this.name), field.expression]
    return engine("named_struct", *parts)


def _struct(*fields: exp.Expression) -> exp.Expression:
    """``struct(1, 2)`` or ``struct(1 AS a, 2 AS b)``."""
    named = [field for field in fields if isinstance(field, exp.Alias)]
    if not named:
        return engine("struct", *fields)
    if len(named) < len(fields):
        raise ValueError("either all fields have a name or none: struct(value AS name, …)")
    return engine("named_struct", *(part for each in named for part in (each.alias, each.this)))


FUNCTIONS = (
    _map(
        "map(keys, values)",
        "A map of two lists, also written MAP {key: value, …}.",
        ("map(['a', 'b'], [1, 2])", "[a: 1, b: 2]"),
        ("MAP {'a': 1}", "[a: 1]"),
        aliases=("make_map",),
    ),
    _map(
        "element_at(map, key)",
        "The value of a key, also written map[key]; NULL if there is none.",
        ("element_at(map(['a', 'b'], [1, 2]), 'b')", "2"),
        render=_element_at,
        aliases=("map_extract_value",),
    ),
    _map(
        "map_extract(map, key)",
        "A list with the value of a key; empty if there is none.",
        ("map_extract(map(['a'], [1]), 'a')", "[1]"),
    ),
    _map(
        "map_contains(map, key)",
        "Whether the key is there.",
        ("map_contains(map(['a'], [1]), 'b')", "false"),
        render=_contains,
        aliases=("map_contains_key",),
    ),
    _map("map_keys(map)", "All keys.", ("map_keys(map(['a', 'b'], [1, 2]))", "[a, b]")),
    _map("map_values(map)", "All values.", ("map_values(map(['a', 'b'], [1, 2]))", "[1, 2]")),
    _map(
        "map_entries(map)",
        "All entries, as structs of key and value.",
        ("map_entries(map(['a'], [1]))", "[{key: a, value: 1}]"),
    ),
    _map(
        "map_from_entries(entries)",
        "A map of a list of structs of key and value.",
        ("map_from_entries([{'key': 'a', 'value': 1}])", "[a: 1]"),
        render=_from_entries,
    ),
    _map(
        "named_struct(name, value, ...)",
        "A struct, also written {'name': value, …}.",
        ("named_struct('a', 1, 'b', 'x')", "{a: 1, b: x}"),
        ("{'a': 1}", "{a: 1}"),
    ),
    _map(
        "struct_pack(field, ...)",
        "A struct of named fields: name := value.",
        ("struct_pack(a := 1, b := 'x')", "{a: 1, b: x}"),
        render=_struct_pack,
    ),
    _map(
        "get_field(struct, name)",
        "A field of a struct, also written struct.name.",
        ("get_field({'a': 1}, 'a')", "1"),
        aliases=("struct_extract",),
    ),
    _map(
        "row(value, ...)",
        "A struct whose fields are called c0, c1, …, or by their aliases.",
        ("row(1, 'x')", "{c0: 1, c1: x}"),
        ("struct(1 AS a, 'x' AS b)", "{a: 1, b: x}"),
        render=_struct,
        aliases=("struct",),
    ),
)
