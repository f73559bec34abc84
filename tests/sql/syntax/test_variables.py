from __future__ import annotations

import pytest

from ferris_beam.errors import SqlError
from ferris_beam.sql.syntax import parse, replace_variables
from ferris_beam.sql.text import SqlText

ENVIRONMENT = {"COUNTRY": "DE", "LIMIT": "5", "QUOTED": "O'Neil", "EMPTY": ""}


def replaced(text: str, **given: str) -> str:
    return replace_variables(SqlText(text), ENVIRONMENT, given).text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("WHERE c = '${COUNTRY}' LIMIT ${LIMIT}", "WHERE c = 'DE' LIMIT 5"),
        ("'${QUOTED}'", "'O''Neil'"),
        ("${MISSING:-7} ${EMPTY:-8}", "7 8"),
        ("'a/year=${year}/'", "'a/year=${year}/'"),
        ("-- ${MISSING}\n/* ${MISSING} */", "-- ${MISSING}\n/* ${MISSING} */"),
        ("'$${COUNTRY}'", "'${COUNTRY}'"),
        ("'postgresql://u:${PASSWORD}@h/d'", "'postgresql://u:${PASSWORD}@h/d'"),
    ],
)
def test_variables_of_the_environment(text: str, expected: str) -> None:
    assert replaced(text) == expected


def test_given_variables_have_any_case_and_stand_anywhere() -> None:
    assert replaced("FROM 'file:///${day}/' WHERE d = '${day}'", day="2025-01-01") == (
        "FROM 'file:///2025-01-01/' WHERE d = '2025-01-01'"
    )
    assert replaced('SELECT "${column}"', column='a"b') == 'SELECT "a""b"'
    assert replaced("'${COUNTRY}'", COUNTRY="FR") == "'FR'"


def test_a_value_cannot_leave_its_string() -> None:
    text = replace_variables(
        SqlText("SELECT * FROM t WHERE a = '${NAME}'"), {"NAME": "x'; DROP TABLE t; --"}
    )
    (statement,) = parse(text)
    assert "DROP TABLE" in statement.query.sql()  # type: ignore[union-attr]


def test_a_missing_variable_has_a_caret() -> None:
    with pytest.raises(SqlError) as caught:
        replaced("SELECT 1\nFROM t LIMIT ${MANY}")
    assert caught.value.message == (
        "the variable MANY is not set (line 2, column 14)\n"
        "FROM t LIMIT ${MANY}\n"
        "             ^^^^^^^\n"
        "export it, or write ${MANY:-default}"
    )


def test_a_variable_that_is_not_given_is_no_template_outside_of_strings() -> None:
    with pytest.raises(SqlError) as caught:
        replaced("SELECT 1 FROM 'file:///${year}/' LIMIT ${most}")
    assert caught.value.message == (
        "the variable most has no value (line 1, column 40)\n"
        "SELECT 1 FROM 'file:///${year}/' LIMIT ${most}\n"
        "                                       ^^^^^^^\n"
        "give it by --set most=…; variables of the environment are UPPER CASE"
    )


def test_errors_point_into_the_text_as_it_was_written() -> None:
    written = "SELECT '${COUNTRY}' AS c, '${QUOTED}'\nFROM t\nWHER a > 1"
    text = replace_variables(SqlText(written), ENVIRONMENT)
    with pytest.raises(SqlError) as caught:
        parse(text)
    assert "(line 3, column 1)\nWHER a > 1\n^^^^" in caught.value.message


def test_errors_never_show_a_value() -> None:
    written = "SELECT a FROM t LIMIT ${SECRET} x"
    text = replace_variables(SqlText(written), {"SECRET": "12345 abc def"})
    with pytest.raises(SqlError) as caught:
        parse(text)
    lines = caught.value.message.split("\n")
    assert lines[1:3] == [written, " " * 22 + "^" * 9]


def test_spans_before_inside_and_behind_a_value() -> None:
    text = replace_variables(SqlText("a ${X} b ${Y} c"), {"X": "12345", "Y": "1"})
    assert text.text == "a 12345 b 1 c"

    def pointed(start: int, end: int) -> str:
        lines = text.error("m", (start, end)).message.split("\n")
        return "".join(
            char
            for char, mark in zip(lines[1], lines[2].ljust(len(lines[1])), strict=True)
            if mark == "^"
        )

    assert pointed(0, 1) == "a"
    assert pointed(3, 4) == "${X}"
    assert pointed(2, 7) == "${X}"
    assert pointed(8, 9) == "b"
    assert pointed(10, 11) == "${Y}"
    assert pointed(12, 13) == "c"
    assert pointed(0, 9) == "a ${X} b"
