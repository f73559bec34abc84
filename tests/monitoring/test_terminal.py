from __future__ import annotations

import io
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.errors import ConfigurationErrors, FatalError, UriError
from ferris_beam.monitoring import Endpoint, Report, terminal
from ferris_beam.uri import Uri

REPORT = Report(
    name="orders",
    run="20240102-030405-abcdef",
    runner="FnApiRunner",
    delivery="exactly_once",
    status="done",
    seconds=1.83,
    rows_read=200_040,
    rows_written=200_000,
    rows_dead=40,
    bytes_read=3_910_000,
    bytes_written=2_100_000,
    sources=(Endpoint("Read", "file:///data/" + "long/" * 40 + "orders-*.csv.gz", "file"),),
    sinks=(
        Endpoint("Write", "file:///data/out/", "file"),
        Endpoint("Dead", "file:///data/rejected/", "file", "dead_letters"),
    ),
)


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return io.StringIO()


def _lines(stream: io.StringIO) -> list[str]:
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def test_a_report_shows_counts_sizes_and_places_without_wrapping(stream: io.StringIO) -> None:
    terminal.show_report(REPORT, terminal.console(stream))
    lines = _lines(stream)
    read, written, rejected = (
        next(line for line in lines if line.strip().startswith(word))
        for word in ("read", "written", "rejected")
    )
    assert read.split() == ["read", "200,040", "3.91", "MB", REPORT.sources[0].uri]
    assert written.split() == ["written", "200,000", "2.10", "MB", "file:///data/out/"]
    assert rejected.split() == ["rejected", "40", "file:///data/rejected/"]
    assert lines[-1].strip() == "done in 1.8 s · 109 k rows/s · exactly once"
    assert "\x1b" not in stream.getvalue()


def test_a_pipeline_that_was_finished_already_shows_no_table(stream: io.StringIO) -> None:
    finished = Report("n", "r", "FnApiRunner", "exactly_once", "already finished", 0.0)
    terminal.show_report(finished, terminal.console(stream))
    assert stream.getvalue() == ""


def test_what_was_out_of_the_ordinary_is_told() -> None:
    again = Report("n", "r", "f", "at_least_once", "done", 2.0, masked_intervals=3, retries=4)
    assert terminal.summary(again) == (
        "done in 2.0 s · 0 rows/s · at least once · 3 intervals were there already · 4 retries"
    )


def test_the_caret_of_an_error_stays_below_what_it_points_at(stream: io.StringIO) -> None:
    with pytest.raises(UriError) as caught:
        Uri.parse("data/" + "deep/" * 12 + " ")
    text, caret = caught.value.message.splitlines()[1:]
    terminal.show_error(caught.value, stream)
    first, shown_text, shown_caret = stream.getvalue().splitlines()
    assert first.startswith("error: the URI is wrong at character")
    assert shown_text.index(text.rstrip()) == shown_caret.index(caret)
    assert shown_caret.index("^") - shown_text.index(text.rstrip()) == len(text) - 1 > 60


def test_all_problems_of_an_error_are_shown(stream: io.StringIO) -> None:
    error = ConfigurationErrors("it can't start", ["one" + " long" * 50, "two\nwith a line"])
    terminal.show_error(error, stream)
    assert stream.getvalue().splitlines() == [
        "error: it can't start",
        "  - one" + " long" * 50,
        "  - two",
        "    with a line",
    ]


def test_an_error_without_a_message_shows_its_name(stream: io.StringIO) -> None:
    terminal.show_error(KeyError(), stream)
    assert stream.getvalue() == "error: KeyError\n"


@given(st.text())
def test_data_never_steers_the_terminal(text: str) -> None:
    shown = terminal.visible(text)
    assert shown.isprintable()
    assert shown == text or not text.isprintable()


def test_no_control_character_reaches_the_terminal(stream: io.StringIO) -> None:
    evil = "a\x1b[31m\x07\n[bold]b[/bold]:smile:"
    screen = terminal.console(stream)
    terminal.show_rows("rows", [{evil: evil}], screen)
    terminal.show_bars("bars", {evil: 1}, screen)
    terminal.show_facts("facts", {evil: evil}, screen)
    letter = {"reason": evil, "place": evil, "payload": evil}
    terminal.show_dead_letters("letters", [letter], screen)
    terminal.show_error(FatalError(evil), stream)
    assert set(stream.getvalue()) & {chr(code) for code in range(32)} == {"\n"}
    assert "[bold]b[/bold]:smile:" in stream.getvalue()


def test_bars_stand_in_order_and_proportion(stream: io.StringIO) -> None:
    terminal.show_bars(
        "Orders", {"DE": 1000, "FR": 500, "LI": 1, "XX": 0}, terminal.console(stream)
    )
    title, *bars = _lines(stream)[1:]
    assert title == "Orders"
    assert [line.split()[:2] for line in bars] == [
        ["DE", "1,000"],
        ["FR", "500"],
        ["LI", "1"],
        ["XX", "0"],
    ]
    assert bars[0].count("█") == 2 * bars[1].count("█") > 10
    assert bars[2].endswith("▏")
    assert len(bars[3].split()) == 2


def test_rows_are_a_table(stream: io.StringIO) -> None:
    rows = [
        {"id": 7, "name": "x" * 100, "at": datetime(2024, 5, 31, 12), "none": None},
        {"id": 12345, "name": "y", "at": datetime(2024, 5, 31), "none": 1},
    ]
    terminal.show_rows("Sample", rows, terminal.console(stream))
    _, title, header, _, first, second = _lines(stream)
    assert title == "Sample"
    assert header.split() == ["id", "name", "at", "none"]
    assert first.split() == ["7", "x" * 59 + "…", "2024-05-31", "12:00:00", "null"]
    assert second.index("12345") + 5 == first.index("7") + 1


def test_no_rows_are_told(stream: io.StringIO) -> None:
    terminal.show_rows("Sample", [], terminal.console(stream))
    assert _lines(stream)[-1] == "  none"


def test_dead_letters_tell_reason_place_and_row(stream: io.StringIO) -> None:
    letter = {"reason": "not a number", "place": "line 7 of a.csv", "payload": "1,x\r\n"}
    terminal.show_dead_letters("Rejected", [letter, letter], terminal.console(stream))
    one = ["  reason  not a number", "  place   line 7 of a.csv", "  row     1,x"]
    assert _lines(stream) == ["", "Rejected", *one, "", *one]


def test_commands_and_facts_can_be_copied(stream: io.StringIO) -> None:
    command = "python -m pipelines.copy --source " + "x" * 300
    terminal.show_commands("Next", {"why": command}, terminal.console(stream))
    terminal.show_facts("Where", {"a": "b" * 300}, terminal.console(stream))
    assert _lines(stream) == [
        "",
        "Next",
        "  # why",
        f"  {command}",
        "",
        "Where",
        "  a  " + "b" * 300,
    ]


def test_a_stream_that_knows_no_unicode_is_no_reason_to_fail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    held = io.BytesIO()
    stream = io.TextIOWrapper(held, encoding="ascii")
    screen = terminal.console(stream)
    terminal.show_bars("Bars", {"é": 3}, screen)
    terminal.show_rows("Rows", [{"é": "—"}], screen)
    stream.flush()
    assert b"Bars" in held.getvalue()


def test_the_start_is_told_in_lines_that_align(
    stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    why = "sources can be read again, and each sink commits rows and progress together"
    terminal.show_start({"runner": "FnApiRunner", "delivery": why}, stream)
    assert stream.getvalue() == f"runner    FnApiRunner\ndelivery  {why}\n"
    monkeypatch.setenv("COLUMNS", "40")
    narrow = io.StringIO()
    terminal.show_start({"delivery": why}, narrow)
    first, *others = narrow.getvalue().splitlines()
    assert first.startswith("delivery  sources")
    assert all(line.startswith(" " * 10) and len(line) <= 40 for line in others)
    assert " ".join([first[10:], *(line[10:] for line in others)]) == why
