"""How a text table is written: what stands between its cells, and whether quotes hold them together."""

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.guest.jobs.profiles.lines import split_lines
from sandbox.guest.jobs.profiles.source import START_BYTES

DELIMITERS = (",", ";", "\t", "|")
LINES_COMPARED = 400
LINE_CHARACTERS = 20_000
"""Of a line, for the comparison."""
QUOTED_LINES = 200
"""A cell of more lines than these is a quote that was not closed."""
QUOTES_LOOKED_AT = 500_000
"""Characters."""


@dataclass(frozen=True, slots=True)
class Layout:
    delimiter: str
    quotes: bool
    """Whether quotes hold cells together. False where they are not closed."""
    announced: bool
    """Whether the first line is Excel's `sep=;`."""


def find_layout(text: str) -> Layout | None:
    """None for a text of blank lines."""
    start = itertools.islice(io.StringIO(text, newline=None), LINES_COMPARED)
    lines = [line[:LINE_CHARACTERS] for line in start if line.strip()]
    if not lines:
        return None
    first = lines[0].strip('\n" ').lower()
    if first.startswith("sep=") and len(first) <= 5:
        return Layout(first[4:] or "\t", True, announced=True)
    delimiter = ";" if _is_column(lines) else max(DELIMITERS, key=lambda each: _fitness(lines, each))
    return Layout(delimiter, _quotes_close(text[:QUOTES_LOOKED_AT], delimiter), announced=False)


def looks_like_table(text: str, sure: bool) -> bool:
    """Whether nearly all lines fall into the same number of cells. `sure`: the file's name speaks for it."""
    lines = [line[:LINE_CHARACTERS] for line in split_lines(text[:START_BYTES])[:200] if line.strip()]
    if len(lines) < 2:
        return False
    for delimiter in ("\t", ";", "|", ","):
        widths = Counter(map(len, reader(lines, delimiter, quotes=True)))
        width, times = widths.most_common(1)[0]
        # Prose has commas, too.
        least = 4 if delimiter == "," and not sure else 2
        if width >= least and times >= 0.95 * len(lines):
            return True
    return False


def reader(lines: Iterable[str], delimiter: str, quotes: bool) -> Any:  # its type has no name
    csv.field_size_limit(2 * START_BYTES)
    return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE)


def _is_column(lines: Sequence[str]) -> bool:
    """A single column of numbers with decimal commas under its name: nothing stands between cells."""
    return (
        len(lines) > 1
        and "," not in lines[0]
        and all(re.fullmatch(r"-?\d+,\d+", line.strip()) for line in lines[1:])
    )


def _fitness(lines: Sequence[str], delimiter: str) -> float:
    """How evenly a delimiter cuts the lines; what is cut must not ask for another cut."""
    rows = [row for row in reader(lines, delimiter, quotes=True) if any(map(str.strip, row))]
    if not rows:
        return 0
    widths = Counter(map(len, rows))
    # Titles and notes are narrower than the table, so the widest of the common widths counts.
    width = max((width for width, times in widths.items() if times >= 0.2 * len(rows)), default=1)
    if width == 1:
        # Also a table with few rows under many titles.
        width = max(widths)
        if width == 1 or widths[width] < 2:
            return 0
    share = sum(times for other, times in widths.items() if other in {width, width + 1}) / len(rows)
    others = [each for each in DELIMITERS[1:] if each != delimiter]
    cells = [cell for row in rows[:100] for cell in row]
    torn = sum(any(each in cell for each in others) for cell in cells) / len(cells)
    return share + 0.02 * min(width, 20) - torn


def _quotes_close(text: str, delimiter: str) -> bool:
    """A quote that is never closed swallows the rest of the file."""
    if '"' not in text:
        return True
    rows = reader(io.StringIO(text, newline=""), delimiter, quotes=True)
    before = 0
    for _ in rows:
        if rows.line_num - before > QUOTED_LINES:
            return False
        before = rows.line_num
    return True
