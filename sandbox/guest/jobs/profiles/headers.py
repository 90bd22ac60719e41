"""Which row names the columns, and where the titles above it end. Pure, standard library only."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles

from sandbox.guest.jobs.profiles.cells import Row, Value, filled, is_blank, kind_of
from sandbox.guest.jobs.profiles.totals import total_label

SEARCHED_ROWS = 40
"""No report has more lines of titles."""
COMPARED_ROWS = 60
COMPARED_COLUMNS = 300
LABEL_LENGTH = 80
FIELDS = 12
"""Rows of a name and its value between the titles and the table."""


@dataclass(frozen=True, slots=True)
class Header:
    index: int
    """Into the rows: where the names of the columns stand."""
    above: int
    """Rows above it that group the columns: `Q1` over `Plan` and `Actual`."""
    below: int
    """Rows below it that are no data yet: units, or names in another language."""


def find_header(rows: Sequence[Row]) -> Header | None:
    """None where the data begin at once. `rows` are not blank."""
    body = [
        Row(row.number, row.cells[:COMPARED_COLUMNS]) if len(row.cells) > COMPARED_COLUMNS else row
        for row in rows[: SEARCHED_ROWS + COMPARED_ROWS]
    ]
    if not body:
        return None
    width = typical_width(body)
    is_first = True
    for index in range(min(SEARCHED_ROWS, len(body))):
        if _names_columns(body, index, width, is_first) and not _is_topped(body, index, width):
            return _with_neighbours(body, index)
        if _looks_like_data(body[index], width):
            return None
        is_first = is_first and len(filled(body[index])) < 0.9 * width
    return None


def typical_width(rows: Sequence[Row]) -> int:
    """Cells that a full row has: titles and footnotes have fewer."""
    counts = [len(filled(row)) for row in rows]
    return round(quantiles(counts, n=4)[2]) if len(counts) > 1 else counts[0]


def _names_columns(rows: Sequence[Row], index: int, width: int, is_first: bool) -> bool:  # noqa: PLR0911  # one line a reason
    """`is_first`: no row above is as full as the table."""
    row = rows[index]
    used = filled(row)
    if len(used) < max(1, min(2, width), 0.6 * width) or total_label(row):
        return False
    if not all(_is_label(row.cells[position]) for position in used):
        return False
    names = [str(row.cells[position]).strip().lower() for position in used]
    if len(set(names)) < 0.5 * len(names):
        return False
    below = _below(rows, index)
    if not below:
        return False
    told_apart = sum(_differs(row.cells[position], position, below) for position in used)
    if told_apart:
        return any(isinstance(row.cells[position], str) for position in used)
    # Nothing but text: a row of names is the first full one, and its words do not come again below.
    if not is_first or not all(isinstance(row.cells[position], str) for position in used):
        return False
    return len(used) >= 0.9 * width and not any(
        row.cells[position] == other.cell(position) for position in used for other in below
    )


def _is_topped(rows: Sequence[Row], index: int, width: int) -> bool:
    """Whether a fuller row of names follows: what stands above it are fields such as `Customer: | Acme`, or groups."""
    used = filled(rows[index])
    is_field = str(rows[index].cells[used[0]]).rstrip().endswith((":", "："))
    for later in range(index + 1, min(index + 1 + FIELDS, len(rows))):
        if rows[later].number > rows[later - 1].number + 1 and not is_field:
            return False
        if len(filled(rows[later])) > len(used) and _names_columns(rows, later, width, False):
            return True
        if _looks_like_data(rows[later], width):
            return False
    return False


def _below(rows: Sequence[Row], index: int) -> Sequence[Row]:
    """Rows to compare with: up to a gap, after which another table may stand, unless it comes at once."""
    end = min(len(rows), index + 1 + COMPARED_ROWS)
    for later in range(index + 3, end):
        if rows[later].number > rows[later - 1].number + 1:
            return rows[index + 1 : later]
    return rows[index + 1 : end]


def _plain(value: Value) -> str:
    return str(value).strip().lower()


def _kind_of_name(value: Value) -> str:
    """A column may be called `none`, `missing` or `yes`."""
    kind = kind_of(value)
    is_word = isinstance(value, str) and any(map(str.isalpha, value))
    return "text" if is_word and kind in {"blank", "truth"} else kind


def _is_label(value: Value) -> bool:
    kind = _kind_of_name(value)
    if kind == "text":
        return len(str(value)) <= LABEL_LENGTH
    return kind == "date" or _is_year(value)


def _is_year(value: Value) -> bool:
    text = str(value).strip()
    return text.isascii() and text.isdigit() and len(text) == 4 and 1900 <= int(text) <= 2100


def _differs(name: Value, position: int, below: Sequence[Row]) -> bool:
    """Whether the cells under `name` are of another kind than it."""
    values = [value for row in below if not is_blank(value := row.cell(position))]
    if not values:
        return False
    kinds = Counter(map(kind_of, values))
    kinds.pop("blank", None)
    others = {kind: times for kind, times in kinds.items() if kind != "text"}
    if sum(others.values()) < 0.4 * max(1, kinds.total()):
        return False
    commonest = max(others, key=lambda kind: others[kind])
    if _is_year(name):
        return commonest == "number" and not all(map(_is_year, values))
    kind = kind_of(name)
    return kind != commonest and (_kind_of_name(name) == "text" or commonest == "number")


def _looks_like_data(row: Row, width: int) -> bool:
    """As full as the rest, and with numbers: from here on no names can follow."""
    used = filled(row)
    if len(used) < max(2, 0.8 * width):
        return False
    numbers = [row.cells[each] for each in used if kind_of(row.cells[each]) == "number"]
    return bool(numbers) and not all(map(_is_year, numbers))


def _with_neighbours(rows: Sequence[Row], index: int) -> Header:
    above = 0
    # Groups stand above names that repeat; the lower row is the one that tells the columns apart.
    while (
        index + 1 < len(rows)
        and above < 2
        and _needs_another(rows[index], rows[index + 1])
        and _names_under_groups(rows, index + 1)
    ):
        index += 1
        above += 1
    if not above and index and _groups(rows[index - 1], rows[index]):
        above = 1
    below = 0
    while below < 2 and _is_unit_row(rows, index, index + 1 + below):
        below += 1
    return Header(index, above, below)


def _groups(row: Row, names: Row) -> bool:
    """Whether a row with gaps tells apart names that repeat."""
    used = filled(row)
    known = [_plain(names.cells[position]) for position in filled(names)]
    return (
        row.number == names.number - 1
        and len(set(known)) < len(known)
        and len(used) > 1
        and all(_is_label(row.cells[position]) for position in used)
    )


def _needs_another(row: Row, next_row: Row) -> bool:
    """Whether a row has gaps, or repeats that the next row tells apart."""
    used = filled(row)
    names = [_plain(row.cells[position]) for position in used]
    pairs = [(_plain(row.cell(position)), _plain(next_row.cell(position))) for position in used]
    return len(used) < len(filled(next_row)) or len(set(pairs)) > len(set(names))


def _names_under_groups(rows: Sequence[Row], index: int) -> bool:
    row = rows[index]
    used = filled(row)
    below = _below(rows, index)
    return (
        len(used) > 1
        and all(_is_label(row.cells[position]) and not _is_year(row.cells[position]) for position in used)
        and not total_label(row)
        and sum(_differs(row.cells[position], position, below) for position in used) > 0
    )


def _is_unit_row(rows: Sequence[Row], header: int, index: int) -> bool:
    """Text under the names where all that follows is numbers: `EUR`, `kg`, `%`."""
    if index + 2 >= len(rows) or total_label(rows[index]):
        return False
    row = rows[index]
    used = filled(row)
    below = _below(rows, index)
    numeric = [
        position
        for position in filled(rows[header])
        if _differs("x", position, below) and kind_of(below[0].cell(position)) == "number"
    ]
    return bool(
        used
        and numeric
        and all(
            kind_of(row.cells[position]) == "text" and len(str(row.cells[position])) <= 15
            for position in used
        )
        and sum(position in used for position in numeric) >= 0.5 * len(numeric)
    )
