"""Functions of text."""

from __future__ import annotations

import pyarrow as pa

from ferris_beam.sql.functions.define import Render, category, engine, over, renamed
from ferris_beam.sql.functions.vectorised import formatting

_text = category("text")


def _filled(name: str) -> Render:
    """The values as one list of texts, so that there may be any number of them."""
    return lambda written, *values: engine(
        name,
        written,
        engine("make_array", *(engine("arrow_cast", each, "Utf8") for each in values)),
    )


FUNCTIONS = (
    _text(
        "ascii(text)",
        "The Unicode code point of the first character; 0 for an empty text.",
        ("ascii('A')", "65"),
        aliases=("unicode", "ord"),
    ),
    _text("bit_length(text)", "How many bits the text's UTF-8 has.", ("bit_length('hé')", "24")),
    _text(
        "btrim(text[, characters])",
        "The text without these characters (spaces) at both ends. "
        "Also written TRIM(BOTH 'x' FROM text).",
        ("btrim('  ab ')", "ab"),
        ("trim(BOTH 'x' FROM 'xxabx')", "ab"),
        aliases=("trim",),
    ),
    _text("chr(code)", "The character with this Unicode code point.", ("chr(65)", "A")),
    _text(
        "concat(text, ...)",
        "All texts in a row; NULL counts as empty (with || the result would be NULL).",
        ("concat('a', NULL, 'b')", "ab"),
    ),
    _text(
        "concat_ws(separator, text, ...)",
        "All texts with the separator between them; NULLs are left out.",
        ("concat_ws('-', 'a', NULL, 'b')", "a-b"),
    ),
    _text(
        "contains(text, part)",
        "Whether the part is in the text.",
        ("contains('stream', 'rea')", "true"),
    ),
    _text(
        "ends_with(text, ending)",
        "Whether the text ends so.",
        ("ends_with('a.csv', '.csv')", "true"),
        aliases=("endswith", "suffix"),
    ),
    _text(
        "find_in_set(text, list)",
        "The place, from 1, of a text in a list separated by commas; 0: it isn't there.",
        ("find_in_set('b', 'a,b,c')", "2"),
    ),
    _text(
        "initcap(text)",
        "Each word with a capital letter at its front, the others small.",
        ("initcap('hello WORLD')", "Hello World"),
    ),
    _text(
        "left(text, count)",
        "The first characters; a negative count leaves out as many at the end.",
        ("left('stream', 3)", "str"),
        ("left('stream', -2)", "stre"),
    ),
    _text(
        "length(text)",
        "How many characters the text has.",
        ("length('hé')", "2"),
        aliases=("char_length", "character_length"),
    ),
    _text(
        "levenshtein(text, other)",
        "How many characters have to be changed, added or removed to get the other text.",
        ("levenshtein('kitten', 'sitting')", "3"),
        aliases=("editdist3",),
    ),
    _text("lower(text)", "In small letters.", ("lower('Ab')", "ab"), aliases=("lcase",)),
    _text(
        "lpad(text, length[, fill])",
        "The text, filled at its left (with spaces) or cut, so that it has this length.",
        ("lpad('7', 3, '0')", "007"),
        ("lpad('stream', 3)", "str"),
    ),
    _text(
        "ltrim(text[, characters])",
        "The text without these characters (spaces) at its front.",
        ("ltrim('xxab', 'x')", "ab"),
    ),
    _text(
        "octet_length(text)",
        "How many bytes the text's UTF-8 has.",
        ("octet_length('hé')", "3"),
        aliases=("strlen",),
    ),
    _text(
        "overlay(text, replacement, start[, count])",
        "The text with a part replaced. Also written OVERLAY(text PLACING … FROM … FOR …).",
        ("overlay('Txxxxas', 'hom', 2, 4)", "Thomas"),
    ),
    _text(
        "printf(format, value, ...)",
        "Values put into a format of C: %d, %05d, %x, %s, %-10s, %.2f, %e, %%; NULL if one is.",
        ("printf('%s has %d (%.1f %%)', 'a', 3, 12.345)", "a has 3 (12.3 %)"),
        render=_filled("printf"),
        ours=over(formatting.printf, pa.string(), formatting.TEXTS, pa.string()),
    ),
    _text(
        "format(format, value, ...)",
        "Values put into a format with braces: {}, {1}, {:>10}, {:,}, {:.2f}. NULL if one is NULL.",
        ("format('{} of {:,}', 1, 1000)", "1 of 1,000"),
        render=_filled("format"),
        ours=over(formatting.braces, pa.string(), formatting.TEXTS, pa.string()),
    ),
    _text("repeat(text, count)", "The text, so many times.", ("repeat('ab', 3)", "ababab")),
    _text(
        "replace(text, part, replacement)",
        "The text with all occurrences of a part replaced.",
        ("replace('a-b-c', '-', '+')", "a+b+c"),
    ),
    _text("reverse(text)", "The characters from back to front.", ("reverse('abc')", "cba")),
    _text(
        "right(text, count)",
        "The last characters; a negative count leaves out as many at the front.",
        ("right('stream', 3)", "eam"),
    ),
    _text(
        "rpad(text, length[, fill])",
        "The text, filled at its right (with spaces) or cut, so that it has this length.",
        ("rpad('ab', 4, '.')", "ab.."),
    ),
    _text(
        "rtrim(text[, characters])",
        "The text without these characters (spaces) at its end.",
        ("rtrim('abxx', 'x')", "ab"),
    ),
    _text(
        "split_part(text, separator, place)",
        "One of the parts between separators, counted from 1, or from the end if negative; "
        "empty if there are fewer.",
        ("split_part('a/b/c', '/', 2)", "b"),
        ("split_part('a/b/c', '/', -1)", "c"),
    ),
    _text(
        "starts_with(text, beginning)",
        "Whether the text begins so.",
        ("starts_with('orders.csv', 'orders')", "true"),
        aliases=("startswith", "prefix"),
    ),
    _text(
        "string_to_array(text, separator[, null_text])",
        "The parts between separators as a list; parts equal to null_text are NULL.",
        ("string_to_array('a,b,c', ',')", "[a, b, c]"),
        aliases=("string_split", "str_split", "string_to_list", "split"),
    ),
    _text(
        "strpos(text, part)",
        "The place of the part's first occurrence, from 1; 0: there is none. "
        "Also written POSITION(part IN text).",
        ("strpos('stream', 'r')", "3"),
        ("position('r' IN 'stream')", "3"),
        aliases=("instr",),
    ),
    _text(
        "substr(text, start[, length])",
        "The part that starts at a place, counted from 1. "
        "Also written SUBSTRING(text FROM … FOR …).",
        ("substr('stream', 2, 3)", "tre"),
        aliases=("substring", "mid"),
    ),
    _text(
        "substr_index(text, separator, count)",
        "What is before the count-th separator; behind it, from the end, if negative.",
        ("substr_index('www.apache.org', '.', 2)", "www.apache"),
        aliases=("substring_index",),
    ),
    _text("to_hex(number)", "An integer in hexadecimal digits.", ("to_hex(255)", "ff")),
    _text(
        "translate(text, from, to)",
        "Each character of `from` replaced by the one at the same place of `to`, "
        "or removed if there is none.",
        ("translate('12345', '143', 'ax')", "a2x5"),
    ),
    _text("upper(text)", "In capital letters.", ("upper('Ab')", "AB"), aliases=("ucase",)),
    _text(
        "uuid()",
        "A random UUID (version 4).",
        ("length(uuid())", "36"),
        aliases=("gen_random_uuid",),
        volatile=True,
        render=renamed("uuid"),
    ),
)
