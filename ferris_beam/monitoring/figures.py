"""Numbers as people read them: counts, sizes, durations, bars."""

from __future__ import annotations

_SIZES = ("kB", "MB", "GB", "TB", "PB")
_COUNTS = ("k", "M", "G", "T")
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def human_count(count: int) -> str:
    """All digits, in groups of three: ``1,234,567``."""
    return f"{count:,}"


def human_number(number: float) -> str:
    """Three digits and a unit: ``950``, ``12.3 k``, ``1.23 M``."""
    return _scaled(number, _COUNTS, "")


def human_size(nbytes: float) -> str:
    """Decimal units, as disks and networks are sold: ``512 B``, ``1.50 kB``, ``27.1 MB``."""
    return _scaled(nbytes, _SIZES, "B")


def human_seconds(seconds: float) -> str:
    """``0.42 s``, ``5.3 s``, ``42 s``, ``3 min 07 s``, ``2 h 05 min``."""
    if seconds < 9.95:
        return f"{seconds:.2f} s" if seconds < 0.995 else f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min"


def bar(value: float, most: float, width: int) -> str:
    """A horizontal bar of at most ``width`` characters, exact to an eighth of one.

    A value above 0 is always visible.
    """
    if value <= 0 or most <= 0:
        return ""
    eighths = max(1, round(min(value / most, 1.0) * width * 8))
    whole, rest = divmod(eighths, 8)
    return "█" * whole + (_EIGHTHS[rest] if rest else "")


def _scaled(number: float, units: tuple[str, ...], plain: str) -> str:
    if round(number) < 1000:
        return f"{round(number)} {plain}".rstrip()
    for unit in units:
        number /= 1000
        if number < 999.5 or unit == units[-1]:
            break
    decimals = 2 if number < 9.995 else 1 if number < 99.95 else 0
    return f"{number:.{decimals}f} {unit}"
