"""Tables, which Discord does not know: as aligned code that fits a phone, and whole as a file. Pure."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markdown_it.token import Token

COLUMNS = 60
"""Characters of a line of code on a phone held upright, about."""
ROWS = 25
"""Of a table in a message; what is longer comes as a file too."""
NARROWEST = 6
"""Characters that a column keeps, however many others there are."""
GAP = "  "

_ENTITIES = re.compile(r"<br\s*/?>")
_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)")
_MARKS = re.compile(r"(\*\*|__|~~|`)(?=\S)(.+?)(?<=\S)\1")


@dataclass(frozen=True, slots=True)
class Table:
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[bool, ...]
    """Whether the column's text ends at the right: where Markdown says so, and for numbers."""


def table(tokens: Sequence[Token]) -> Table:
    """From the tokens between `table_open` and `table_close`."""
    lines = list(_lines(tokens))
    head, rows = lines[0], lines[1:]
    styles = [str(token.attrs.get("style", "")) for token in tokens if token.type == "th_open"]
    numbers = [bool(rows) and all(_is_number(row[at]) for row in rows) for at in range(len(head))]
    right = tuple(("right" in style) or number for style, number in zip(styles, numbers, strict=True))
    return Table(head, tuple(rows), right)


def shown(found: Table) -> tuple[str, bool]:
    """Lines of code, and whether the whole table is there. No line where it would not fit."""
    rows = found.rows[:ROWS]
    natural = [max(width(cell) for cell in column) for column in zip(found.head, *rows, strict=True)]
    widths = _fitted(natural)
    if widths is None:
        return "", False
    lines = [_line(found.head, widths, found.right), GAP.join("─" * each for each in widths)]
    lines += [_line(row, widths, found.right) for row in rows]
    return "\n".join(lines), widths == natural and len(rows) == len(found.rows)


def width(text: str) -> int:
    """In characters of a fixed-width font, of which Chinese ones take two and accents none."""
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _lines(tokens: Sequence[Token]) -> Iterator[tuple[str, ...]]:
    cells: list[str] = []
    for token in tokens:
        if token.type == "inline":
            cells.append(_plain(token.content))
        elif token.type == "tr_close":
            yield tuple(cells)
            cells = []


def _plain(cell: str) -> str:
    """Marks would stand there as they are."""
    text = _LINK.sub(r"\1", _ENTITIES.sub(" ", cell))
    for _ in range(2):
        text = _MARKS.sub(r"\2", text)
    return text.strip()


def _is_number(cell: str) -> bool:
    return bool(re.fullmatch(r"[-+−(]?[$€£¥]?\s?[\d.,\s'’]*\d[\d.,]*\)?\s?[%€$]?", cell)) or cell in {
        "",
        "-",
        "–",
    }


def _fitted(natural: Sequence[int]) -> list[int] | None:
    """Widths that fit together, the widest columns cut first; None where there are too many columns."""
    widths = list(natural)
    room = COLUMNS - len(GAP) * (len(widths) - 1)
    while sum(widths) > room:
        widest = max(range(len(widths)), key=widths.__getitem__)
        if widths[widest] <= NARROWEST:
            return None
        widths[widest] -= 1
    return widths


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = [
        _padded(cell, size, at_right) for cell, size, at_right in zip(cells, widths, right, strict=True)
    ]
    return GAP.join(padded).rstrip()


def _padded(cell: str, size: int, at_right: bool) -> str:
    if width(cell) > size:
        kept = ""
        for character in cell:
            if width(kept + character) > size - 1:
                break
            kept += character
        cell = f"{kept}…"
    blanks = " " * (size - width(cell))
    return blanks + cell if at_right else cell + blanks
