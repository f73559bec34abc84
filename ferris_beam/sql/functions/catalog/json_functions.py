"""Functions of JSON, which is text: paths, ``->``, ``->>``, and building documents."""

from __future__ import annotations

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.functions.define import Render, category, engine, over
from ferris_beam.sql.functions.definition import Vectorised
from ferris_beam.sql.functions.paths import write
from ferris_beam.sql.functions.to_json import json_array, json_object, to_json
from ferris_beam.sql.functions.vectorised import json_values as run

_json = category("JSON")
_TEXT = pa.string()
_DOCUMENT = """'{"a": {"b": [1, "x"]}, "n": null}'"""


def _taking(returns: pa.DataType, convert: object) -> Vectorised:
    return over(run.taking(returns, convert), _TEXT, _TEXT, returns)  # type: ignore[arg-type]


def _at_path(name: str) -> Render:
    """Several keys are PostgreSQL's ``json_extract_path(json, 'a', 'b')``."""

    def render(document: exp.Expression, *path: exp.Expression) -> exp.Expression:
        if len(path) == 1:
            return engine(name, document, path[0])
        if not all(isinstance(key, exp.Literal) for key in path):
            raise ValueError("the keys must be texts in quotes")
        return engine(name, document, write(tuple(key.name for key in path)))

    return render


def _path(name: str) -> Render:
    """Without a path it is the root; a number is an index."""

    def render(document: exp.Expression, path: exp.Expression | None = None) -> exp.Expression:
        if path is None:
            return engine(name, document, "$")
        number = path.this if isinstance(path, exp.Neg) else path
        if isinstance(number, exp.Literal) and not number.is_string:
            index = int(number.name)
            return engine(name, document, write((index if number is path else -index,)))
        return engine(name, document, path)

    return render


FUNCTIONS = (
    _json(
        "json_extract(json, path)",
        "The value at a path as JSON; NULL if there is none. Also written json -> path. A path is "
        'a key, or $.key[0]."another key".',
        (f"json_extract({_DOCUMENT}, '$.a.b[1]')", '"x"'),
        (f"{_DOCUMENT} -> 'a'", '{"b":[1,"x"]}'),
        render=_path("json_extract"),
        ours=_taking(_TEXT, run.written),
    ),
    _json(
        "json_extract_string(json, path)",
        "The value at a path as text (texts without quotes, null as NULL); NULL if there is none. "
        "Also written json ->> path.",
        (f"json_extract_string({_DOCUMENT}, '$.a.b[1]')", "x"),
        (f"{_DOCUMENT} -> 'a' -> 'b' ->> 0", "1"),
        aliases=("get_json_object",),
        render=_path("json_extract_string"),
        ours=_taking(_TEXT, run.as_text),
    ),
    _json(
        "json_extract_path(json, key, ...)",
        "json_extract by one key after the other.",
        (f"json_extract_path({_DOCUMENT}, 'a', 'b')", '[1,"x"]'),
        render=_at_path("json_extract"),
    ),
    _json(
        "json_extract_path_text(json, key, ...)",
        "json_extract_string by one key after the other.",
        (f"json_extract_path_text({_DOCUMENT}, 'a', 'b')", '[1,"x"]'),
        render=_at_path("json_extract_string"),
    ),
    _json(
        "json_value(json, path)",
        "The text, number or boolean at a path as text; NULL for objects and arrays.",
        (f"json_value({_DOCUMENT}, '$.a.b[0]')", "1"),
        render=_path("json_value"),
        ours=_taking(_TEXT, run.scalar_text),
    ),
    _json(
        "json_query(json, path)",
        "The object or array at a path as JSON; NULL for all else.",
        (f"json_query({_DOCUMENT}, '$.a')", '{"b":[1,"x"]}'),
        render=_path("json_query"),
        ours=_taking(_TEXT, run.nested_text),
    ),
    _json(
        "json_exists(json, path)",
        "Whether there is a value at a path, if only null.",
        (f"json_exists({_DOCUMENT}, '$.n')", "true"),
        render=_path("json_exists"),
        ours=over(run.exists, _TEXT, _TEXT, pa.bool_()),
    ),
    _json(
        "json_array_length(json[, path])",
        "How many items an array has; 0 for what is no array.",
        (f"json_array_length({_DOCUMENT}, '$.a.b')", "2"),
        render=_path("json_array_length"),
        ours=_taking(pa.int64(), run.length),
    ),
    _json(
        "json_array_elements(json[, path])",
        "The items of an array as a list of JSON; UNNEST makes rows of it.",
        (f"json_array_elements({_DOCUMENT}, '$.a.b')", '[1, "x"]'),
        render=_path("json_array_elements"),
        aliases=("json_extract_array",),
        ours=_taking(run.TEXTS, run.elements),
    ),
    _json(
        "json_array_elements_text(json[, path])",
        "The items of an array as a list of texts.",
        (f"json_array_elements_text({_DOCUMENT}, '$.a.b')", "[1, x]"),
        render=_path("json_array_elements_text"),
        ours=_taking(run.TEXTS, run.element_texts),
    ),
    _json(
        "json_keys(json[, path])",
        "The keys of an object as a list.",
        (f"json_keys({_DOCUMENT})", "[a, n]"),
        render=_path("json_keys"),
        aliases=("json_object_keys",),
        ours=_taking(run.TEXTS, run.keys),
    ),
    _json(
        "json_type(json[, path])",
        "OBJECT, ARRAY, VARCHAR, UBIGINT, BIGINT, DOUBLE, BOOLEAN or NULL.",
        (f"json_type({_DOCUMENT}, '$.a.b[0]')", "UBIGINT"),
        render=_path("json_type"),
        ours=_taking(_TEXT, run.duckdb_type),
    ),
    _json(
        "json_typeof(json[, path])",
        "object, array, string, number, boolean or null.",
        (f"json_typeof({_DOCUMENT})", "object"),
        render=_path("json_typeof"),
        ours=_taking(_TEXT, run.postgresql_type),
    ),
    _json(
        "json_valid(text)",
        "Whether the text is JSON.",
        ("json_valid('{')", "false"),
        ours=over(run.valid, _TEXT, pa.bool_()),
    ),
    _json(
        "json(text)",
        "JSON without spaces; an error if the text is none.",
        ("json('[1, 2 ]')", "[1,2]"),
        render=lambda text: engine("json_extract", text, "$"),
        aliases=("json_minify",),
    ),
    _json(
        "to_json(value)",
        "A value of any type as JSON: numbers, texts, lists, structs, maps; times as text, NaN and "
        "NULL as null.",
        ("to_json('a')", '"a"'),
        ("to_json({'id': 1, 'tags': ['x', NULL]})", '{"id":1,"tags":["x",null]}'),
        by_type=to_json,
        aliases=("to_jsonb", "row_to_json", "array_to_json"),
    ),
    _json(
        "json_array([value, ...])",
        "An array of values as JSON.",
        ("json_array(1, 'a', NULL)", '[1,"a",null]'),
        by_type=json_array,
        aliases=("json_build_array",),
    ),
    _json(
        "json_object([key, value, ...])",
        "An object of keys and values as JSON.",
        ("json_object('id', 1, 'ok', true)", '{"id":1,"ok":true}'),
        by_type=json_object,
        aliases=("json_build_object",),
    ),
    *(
        _json(f"{name}({signature})", summary, ours=implementation, internal=True)
        for name, signature, summary, implementation in (
            ("json_quoted", "text", "A text as JSON.", over(run.quoted, _TEXT, _TEXT)),
            ("json_raw", "text", "A number's text as JSON.", over(run.raw, _TEXT, _TEXT)),
            (
                "json_array_of",
                "list",
                "Texts to JSON.",
                over(run.array_of, run.TEXTS, _TEXT),
            ),
            (
                "json_object_of",
                "names, values",
                "Names and JSON texts as an object.",
                over(run.object_of, run.TEXTS, run.TEXTS, _TEXT),
            ),
        )
    ),
)
