from __future__ import annotations

import io
import threading
from textwrap import dedent

import pytest

from ferris_beam.monitoring.progress import PLAIN_SECONDS, PlainView, Progress, RecentRate, Snapshot
from ferris_beam.transforms.meter import Meter, forget, tally
from tests.pseudo_terminal import python, python_on_terminal

_RUN = dedent(
    """
    import sys, threading
    from ferris_beam.monitoring.progress import Progress
    from ferris_beam.transforms.meter import Meter

    meter = Meter("run", "file")
    shown = threading.Event()
    write = sys.stderr.write
    def watched(text):
        if "122,880 rows read" in text:
            shown.set()
        return write(text)
    sys.stderr.write = watched
    with Progress("run"):
        meter.expect(2_000_000)
        meter.count("bytes_read", 1_000_000)
        meter.count("rows_read", 122_880)
        meter.count("rows_written", 98_304)
        meter.count("rows_rejected", 12)
        if sys.stderr.isatty():
            assert shown.wait(30)
        print("a line of the user")
    print("the end")
    """
)


def test_a_terminal_shows_a_bar_and_the_counts() -> None:
    session = python_on_terminal(80, "-c", _RUN)
    assert session.code == 0, session.text
    assert "━━━" in session.text
    assert "50 % of 2.00 MB" in session.text
    assert "122,880 rows read · 98,304 written · 12 rejected · " in session.text
    assert "a line of the user" in session.text
    assert max(map(len, session.text.splitlines())) <= 80
    assert session.text.rstrip().endswith("the end")
    assert session.raw.count("\x1b[?25l") == session.raw.count("\x1b[?25h") == 1  # the cursor


def test_without_colours_the_bar_still_tells_how_far_it_is() -> None:
    session = python_on_terminal(80, "-c", _RUN, NO_COLOR="1")
    assert session.code == 0, session.text
    assert "\x1b[3" not in session.raw.replace("\x1b[38", "")
    half = next(line for line in session.text.splitlines() if "50 % of" in line)
    bar = half[: half.index("50 %")]
    assert 0.4 < bar.count("━") / len(bar.rstrip(" ") + " ") <= 1
    assert bar.count(" ") > bar.count("━") * 0.8


@pytest.mark.parametrize("variables", [{}, {"FORCE_COLOR": "1"}])
def test_without_a_terminal_a_short_run_shows_nothing(variables: dict[str, str]) -> None:
    finished = python("-c", _RUN, **variables)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout == "a line of the user\nthe end\n"


def test_a_dumb_terminal_gets_no_bar() -> None:
    session = python_on_terminal(80, "-c", _RUN.replace("sys.stderr.isatty()", "0"), TERM="dumb")
    assert session.raw == "a line of the user\r\nthe end\r\n"


def test_plain_lines_come_every_few_seconds() -> None:
    stream = io.StringIO()
    view = PlainView(stream)
    moments = [tenth / 10 for tenth in range(121)]
    for seconds in moments:
        view.show(Snapshot(1000, 900, 1, 5000, 10_000, seconds, 2_400_000.0))
    lines = stream.getvalue().splitlines()
    assert lines[0] == (
        "1,000 rows read · 900 written · 1 rejected · 2.40 M rows/s · 50 % of 10.0 kB · 5.0 s"
    )
    assert len(lines) == int(moments[-1] / PLAIN_SECONDS)


def test_the_share_is_known_only_where_bytes_are_expected_and_never_above_one() -> None:
    assert Snapshot(bytes_read=10).share is None
    assert Snapshot(bytes_read=2_000_000).bytes_line() == "2.00 MB"
    assert Snapshot(bytes_read=30, bytes_expected=20).share == 1.0


def test_the_rate_is_that_of_the_last_seconds() -> None:
    rate = RecentRate()
    assert rate.at(0.0, 0) == 0.0
    assert rate.at(1.0, 1000) == 1000.0
    for second in range(2, 20):
        latest = rate.at(float(second), 1000 + (second - 1) * 10)
    assert latest == pytest.approx(10.0)


def test_quiet_starts_no_thread() -> None:
    before = threading.active_count()
    with Progress("nobody", quiet=True):
        assert threading.active_count() == before


class _Broken(io.StringIO):
    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        raise BrokenPipeError("nobody reads")


@pytest.mark.parametrize("stream", [io.StringIO(), _Broken()])
def test_it_is_stopped_whatever_happens(stream: io.StringIO) -> None:
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError), Progress("r", stream=stream):
        raise ZeroDivisionError
    assert threading.active_count() == before


def test_it_shows_what_the_engine_counts() -> None:
    meter = Meter("counted", "file")
    meter.expect(100)
    for name in ("rows_read", "rows_written", "rows_rejected", "bytes_read"):
        meter.count(name, len(name))
    snapshot = Snapshot.of(tally("counted"), 2.0, 3.0)
    forget("counted")
    assert snapshot == Snapshot(9, 12, 13, 10, 100, 2.0, 3.0)
