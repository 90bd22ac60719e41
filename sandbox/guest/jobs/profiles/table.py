"""A table as a whole: its header, its columns, and the rows to leave out. Pure, standard library only."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.guest.jobs.profiles.cells import Row, Value, filled, is_blank, kind_of
from sandbox.guest.jobs.profiles.column import Column
from sandbox.guest.jobs.profiles.columns import describe
from sandbox.guest.jobs.profiles.headers import find_header, typical_width
from sandbox.guest.jobs.profiles.numbers import PLAIN, Marks
from sandbox.guest.jobs.profiles.totals import Total, find_totals, summary_label

LISTED_ROWS = 60
"""Rows to be left out that are named one by one."""
COLUMNS_LOOKED_AT = 600
HEADING_CELLS = 3
"""A table of at least so many columns may have rows of a single cell that head a group."""


@dataclass(slots=True)
class Table:
    header: Row | None
    groups: list[Row]
    """Rows right above the names that put several under one word."""
    units: list[Row]
    """Rows right under the names that are no data."""
    titles: list[Row]
    columns: list[Column]
    """At most so many as are looked at."""
    column_count: int
    data: list[Row]
    """The rows to calculate with."""
    totals: list[tuple[Row, Total]]
    footers: list[Row]
    repeated_headers: list[Row]
    headings: list[Row]
    """Rows that only name a group of rows."""
    next_table: Row | None
    """Where another table seems to begin."""
    marks: Marks
    """How most of the columns write numbers."""
    is_part: bool
    """Whether more of it follows that was not looked at."""

    @property
    def first_data_row(self) -> int:
        return self.data[0].number if self.data else (self.header.number + 1 if self.header else 1)

    @property
    def last_data_row(self) -> int:
        return self.data[-1].number if self.data else (self.header.number if self.header else 0)

    def rows_left_out(self, last_row: int) -> list[int]:
        """Numbers of the rows up to `last_row` that hold neither the names nor data, blank ones among them."""
        start = self.header.number if self.header else self.first_data_row
        inside = [row.number for row in [*self.units, *self.dropped]]
        return [*range(1, start), *inside, *range(self.last_data_row + 1, last_row + 1)]

    @property
    def drops_by_words(self) -> bool:
        """Whether total rows are left out by their words: there are many, or more may follow."""
        inner = self._inner_totals
        return len(inner) > LISTED_ROWS or (self.is_part and any(total.label for _, total in inner))

    @property
    def dropped(self) -> list[Row]:
        """Rows between the data that are left out one by one."""
        totals = [] if self.drops_by_words else [row for row, _ in self._inner_totals]
        repeated = [row for row in self.repeated_headers if row.number < self.last_data_row]
        return sorted([*totals, *repeated], key=lambda row: row.number)

    @property
    def _inner_totals(self) -> list[tuple[Row, Total]]:
        return [each for each in self.totals if each[0].number < self.last_data_row]


def analyse(
    rows: Sequence[Row],
    preferred: Marks | None = None,
    *,
    named_only: bool = False,
    is_part: bool = False,
) -> Table:
    """`rows` are those that hold something, in their order, from the top of the file.

    `named_only`: cells beyond the last name are no columns but mistakes. `is_part`: the file has more rows.
    """
    header = find_header(rows)
    names_row = rows[header.index] if header else None
    start = header.index + 1 + header.below if header else 0
    body, next_table = _first_table(list(rows[start:]), names_row)
    used = _positions(names_row, body, len(names_row.cells) if names_row and named_only else None)
    width = typical_width(body) if body else len(used)
    body, footers = _without_footers(body, width)
    body, repeated = _without_repeated(body, names_row)
    named = _names(names_row, used[:COLUMNS_LOOKED_AT])

    def described(rows: Sequence[Row], marks: Marks | None) -> list[Column]:
        return [
            describe(name, position, label, [row.cell(position) for row in rows], marks)
            for position, name, label in named
        ]

    # Totals are found by adding, so the columns are read twice: first to know how numbers are written.
    rough = described(body[:2000], preferred)
    marks = _common_marks(rough)
    if marks not in {None, preferred}:
        rough = described(body[:2000], marks)
    by_position = {column.position: column for column in rough}
    numeric = [column.position for column in rough if column.kind in {"integer", "number", "mixed"}]
    found = find_totals(body, lambda position, value: by_position[position].number(value), numeric)
    left_out = {total.index for total in found}
    headings = _headings(body, left_out, width)
    left_out_too = _summaries(body, left_out, footers)
    data = [row for index, row in enumerate(body) if index not in left_out | headings | left_out_too]
    return Table(
        header=names_row,
        groups=list(rows[header.index - header.above : header.index]) if header else [],
        units=list(rows[header.index + 1 : start]) if header else [],
        titles=list(rows[: header.index - header.above]) if header else [],
        columns=described(data, marks or preferred),
        column_count=len(used),
        data=data,
        totals=[(body[total.index], total) for total in found],
        footers=[body[index] for index in sorted(left_out_too)] + footers,
        repeated_headers=repeated,
        headings=[body[index] for index in sorted(headings)],
        next_table=next_table,
        marks=marks or preferred or PLAIN,
        is_part=is_part,
    )


def _positions(header: Row | None, body: Sequence[Row], width: int | None) -> list[int]:
    """Columns from the first to the last that is used."""
    counted = [header, *body] if header else body
    width = max((len(row.cells) for row in counted), default=0) if width is None else width

    def is_used(position: int) -> bool:
        return any(not is_blank(row.cell(position)) for row in counted)

    first = next((position for position in range(width) if is_used(position)), width)
    last = next((position for position in reversed(range(width)) if is_used(position)), -1)
    return list(range(first, last + 1))


def _names(header: Row | None, positions: Sequence[int]) -> list[tuple[int, str, str]]:
    """Position, name and name as code, as pandas will have it."""
    if header is None:
        return [(position, str(position), str(position)) for position in positions]
    named: list[tuple[int, str, str]] = []
    seen: Counter[Value] = Counter()
    for position in positions:
        value = header.cell(position)
        if is_blank(value):
            value = f"Unnamed: {position}"
        name = f"{value}.{seen[value]}" if seen[value] else str(value)
        is_number = isinstance(value, int | float) and not seen[value]
        named.append((position, name, str(value) if is_number else json.dumps(name, ensure_ascii=False)))
        seen[value] += 1
    return named


def _first_table(body: list[Row], header: Row | None) -> tuple[list[Row], Row | None]:
    """The rows up to where another table begins, and its first row."""
    if header is None:
        return body, None
    gaps = [index for index in range(1, len(body)) if body[index].number > body[index - 1].number + 1]
    for index in gaps[:20]:
        below = body[index : index + 60]
        found = find_header(below)
        if not found or found.index > 2 or len(below) < found.index + 3:
            continue
        names = below[found.index]
        if len(filled(names)) < 2 or _same(names, header):
            continue
        if [kind_of(value) for value in names.cells] != [kind_of(value) for value in body[0].cells]:
            return body[:index], names
    return body, None


def _without_footers(body: list[Row], width: int) -> tuple[list[Row], list[Row]]:
    """Notes below the table: single texts where rows are wider."""
    end = len(body)
    while end > 1 and width >= 2 and _is_note(body[end - 1], width):
        end -= 1
    return body[:end], body[end:]


def _is_note(row: Row, width: int) -> bool:
    used = filled(row)
    few = len(used) == 1 or (len(used) == 2 and width >= 5)
    return (
        few
        and kind_of(row.cells[used[0]]) == "text"
        and (len(used) == 1 or kind_of(row.cells[used[1]]) in {"text", "date"})
    )


def _without_repeated(body: list[Row], header: Row | None) -> tuple[list[Row], list[Row]]:
    """The header once more at the top of each printed page."""
    if header is None:
        return body, []
    repeated = [row for row in body if row.cells[:1] == header.cells[:1] and _same(row, header)]
    if not repeated:
        return body, []
    return [row for row in body if not any(row is each for each in repeated)], repeated


def _same(one: Row, two: Row) -> bool:
    used = filled(one)
    return used == filled(two) and all(one.cells[position] == two.cells[position] for position in used)


def _headings(body: Sequence[Row], totals: set[int], width: int) -> set[int]:
    if width < HEADING_CELLS:
        return set()
    alone = {
        index
        for index, row in enumerate(body)
        if index not in totals and len(used := filled(row)) == 1 and kind_of(row.cells[used[0]]) == "text"
    }
    # More of them than a group has rows are records with gaps.
    return alone if len(alone) <= len(body) / 3 else set()


def _summaries(body: Sequence[Row], totals: set[int], footers: Sequence[Row]) -> set[int]:
    """Averages and their like, where the table ends."""
    found: set[int] = set()
    for index in range(len(body) - 1, max(0, len(body) - 6), -1):
        if index in totals:
            continue
        if summary_label(body[index]) is None:
            break
        found.add(index)
    return found


def _common_marks(columns: Sequence[Column]) -> Marks | None:
    """What the columns that are sure say; decimals count more than whole numbers. None where none says anything."""
    votes: Counter[Marks] = Counter()
    for column in columns:
        if column.numbers is None or column.numbers.other:
            continue
        if column.kind == "number":
            votes[column.numbers.marks] += 2
        elif column.kind in {"integer", "mixed"} and column.numbers.marks != PLAIN:
            # Whole numbers without any mark read alike in every way of writing.
            votes[column.numbers.marks] += 1
    telling = {marks: times for marks, times in votes.items() if marks != PLAIN} or votes
    return max(telling, key=lambda marks: telling[marks]) if telling else None
