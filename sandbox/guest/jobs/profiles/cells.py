"""Rows of a table as every reader hands them over. Pure, standard library only."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

from sandbox.guest.jobs.profiles.dates import date_text
from sandbox.guest.jobs.profiles.numbers import allowed_marks
from sandbox.guest.jobs.profiles.values import is_clock, is_missing, is_truth


class CellError(str):
    """`#REF!` and its like, where the file says that it is an error and not just text."""

    __slots__ = ()


Value = str | int | float | bool | datetime | date | time | timedelta | None
"""Text files have text only."""


class Row(NamedTuple):
    number: int
    """As people count: the line of the file, or the row of the sheet, from 1."""
    cells: Sequence[Value]

    def cell(self, position: int) -> Value:
        return self.cells[position] if position < len(self.cells) else None


def is_blank(value: Value) -> bool:
    return value is None or (type(value) is str and not value.strip())


def kind_of(value: Value) -> str:
    """`blank`, `number`, `date`, `truth`, `error` or `text`; text that stands for one of the others counts as it."""
    if value is None:
        return "blank"
    if isinstance(value, CellError):
        return "error"
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, int | float):
        return "number"
    return _kind_of_text(value) if isinstance(value, str) else "date"


@lru_cache(maxsize=50_000)
def _kind_of_text(text: str) -> str:
    if is_missing(text):
        return "blank"
    if not text[:1].isalpha():
        return "number" if allowed_marks(text) else "date" if date_text(text) or is_clock(text) else "text"
    if len(text) > 40:
        return "text"
    return (
        "truth"
        if is_truth(text)
        else "date"
        if date_text(text)
        else "number"
        if allowed_marks(text)
        else "text"
    )


def filled(row: Row) -> list[int]:
    """Positions of the cells that hold something."""
    return [position for position, value in enumerate(row.cells) if not is_blank(value)]


def letters(position: int) -> str:
    """`A`, `Z`, `AA`: the name of a column in a spreadsheet, from position 0."""
    name = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        name = chr(65 + rest) + name
    return name
