"""Hostile values as short, plain text of one line. Pure, standard library only."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from math import isfinite

CUT = "…"


def plain(value: object, longest: int = 40) -> str:
    """On one line, without control characters and without marks that turn the direction of writing."""
    # Enough for what is shown, and no work on a cell of a megabyte.
    text = str(value)[: longest * 4]
    shown = "".join(" " if unicodedata.category(each) in {"Cc", "Zl", "Zp"} else each for each in text)
    shown = "".join(each for each in shown if unicodedata.category(each) not in {"Cf", "Cs"})
    shown = re.sub(r"\s+", " ", shown).strip()
    return shown if len(shown) <= longest else shown[: longest - 1].rstrip() + CUT


def quoted(value: object, longest: int = 40) -> str:
    return f"“{plain(value, longest)}”"


def listed(items: Iterable[str], most: int = 6) -> str:
    """`a, b, c and 4 more`."""
    everything = list(items)
    shown = ", ".join(everything[:most])
    return shown if len(everything) <= most else f"{shown} and {len(everything) - most:,} more"


def count(number: int, what: str, plural: str | None = None) -> str:
    """`1 row`, `1,204 rows`."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {plural or what + 's'}"


def ranges(numbers: Iterable[int], most: int = 6) -> str:
    """`3–5, 9`."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return listed((f"{a}" if a == b else f"{a}–{b}" for a, b in runs), most)


def span(low: str, high: str) -> str:
    return low if low == high else f"{low} … {high}"


def size(size_bytes: float) -> str:
    """`812 bytes`, `1.4 MB`."""
    if size_bytes < 1000:
        return count(int(size_bytes), "byte")
    for unit in ("kB", "MB", "GB", "TB"):
        size_bytes /= 1000
        if size_bytes < 999.5 or unit == "TB":
            break
    return f"{size_bytes:.1f} {unit}" if size_bytes < 99.5 else f"{size_bytes:.0f} {unit}"


def duration(seconds: float) -> str:
    """`4.2 s`, `3:05 min`, `1:02:09 h`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02}:{whole % 60:02} h"


def number(value: float) -> str:
    """`1,204`, `12.5`, `1.2e+21`: without the noise of floats."""
    if isinstance(value, int) and abs(value) >= 10**300:
        return "a number of hundreds of digits"
    if not isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return (
        f"{value:,.6g}" if abs(value) < 999_999 else f"{value:,.2f}" if abs(value) < 1e15 else f"{value:.6g}"
    )


def fit(lines: Sequence[str], limit: int) -> str:
    """As many whole lines from the start as fit in `limit` characters, with a mark where some are missing."""
    whole = "\n".join(lines)
    if len(whole) <= limit:
        return whole
    kept: list[str] = []
    room = limit - len(CUT) - 1
    for line in lines:
        # A line that is far too long, of code for hundreds of columns, is left out, and not all that follows.
        shown = line if len(line) <= limit / 2 else CUT
        if len(shown) + 1 > room:
            break
        kept.append(shown)
        room -= len(shown) + 1
    if kept[-1:] != [CUT]:
        kept.append(CUT)
    return "\n".join(kept)
