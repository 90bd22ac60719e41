"""Spreadsheets as sheets, whatever file they came in. Pure, standard library only."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sandbox.guest.jobs.profiles import hint, telling
from sandbox.guest.jobs.profiles.cells import Row, letters
from sandbox.guest.jobs.profiles.finding import Finding, Trap
from sandbox.guest.jobs.profiles.table import Table, analyse
from sandbox.guest.jobs.profiles.wording import count, listed, quoted, ranges

ROWS, COLUMNS = 1_048_576, 16_384
"""That a sheet of Excel has."""
SHEETS_LISTED = 20
SHEETS_DESCRIBED = 3
"""In full: the text for the model has no room for more."""


@dataclass(slots=True)
class Sheet:
    name: str
    state: str = "visible"
    """`visible`, `hidden` or `very hidden`."""
    rows: list[Row] = field(default_factory=list[Row])
    """Those that hold something, from the top."""
    last_rows: list[Row] = field(default_factory=list[Row])
    """The end of a sheet that was not read whole."""
    complete: bool = True
    row_count: int = 0
    """Number of the last row that holds something, as far as it is known."""
    merged: list[str] = field(default_factory=list[str])
    """Ranges such as `A1:C1`."""
    hidden_rows: list[int] = field(default_factory=list[int])
    hidden_columns: list[int] = field(default_factory=list[int])
    """Positions, from 0."""
    uncached: list[str] = field(default_factory=list[str])
    """Cells with a formula whose value is not in the file."""
    padded: dict[int, str] = field(default_factory=dict[int, str])
    """Columns whose numbers are shown with leading zeros, by position, and how."""
    is_filtered: bool = False
    is_chart: bool = False
    """A sheet of its own for a chart: it has no cells."""

    def hide_columns(self, first: int, end: int) -> None:
        """Positions, `end` not included."""
        # Often all columns to the right of the table are hidden, and none of those is missed.
        if len(self.hidden_columns) < COLUMNS:
            self.hidden_columns += range(first, min(end, first + 200))

    @property
    def column_count(self) -> int:
        return max((len(row.cells) for row in self.rows), default=0)


@dataclass(frozen=True, slots=True)
class Book:
    """A file of sheets."""

    name: str
    """Of the file."""
    kind: str
    """Of the format, in words."""
    sheets: Sequence[Sheet]
    notes: Sequence[str] = ()
    """What is to be said of the file as a whole, without values."""
    engine: str = ""
    """For pandas, where it does not find out itself."""


def profile(book: Book) -> Finding:
    top = [f"{book.kind}: {count(len(book.sheets), 'sheet')}", *(f"- {note}" for note in book.notes)]
    top += [f"- {_listed(sheet)}" for sheet in book.sheets[:SHEETS_LISTED]]
    top += _rest(book.sheets[SHEETS_LISTED:])
    # The sheet that people mean is one they see, and of several the fullest.
    by_weight = sorted(
        (sheet for sheet in book.sheets if sheet.rows),
        key=lambda sheet: (sheet.state != "visible", -len(sheet.rows) * sheet.column_count),
    )
    text, schema = list(top), list(top)
    for sheet in by_weight[:SHEETS_DESCRIBED]:
        table = analyse(sheet.rows, is_part=not sheet.complete)
        text += _described(book, sheet, table, schema=False)
        schema += _described(book, sheet, table, schema=True)
    return Finding("table", tuple(text), tuple(schema))


def _rest(sheets: Sequence[Sheet]) -> list[str]:
    """Of many sheets the last ones are counted only, but hidden ones are named."""
    hidden = [quoted(sheet.name, 30) for sheet in sheets if sheet.state != "visible"]
    which = f", of which hidden: {listed(hidden, 10)}" if hidden else ""
    return [f"- and {len(sheets):,} more{which}"] if sheets else []


def shortened(text: str) -> str:
    """A cell's text as far as it is ever shown or compared."""
    return text if len(text) <= 400 else text[:400]


def bottom(reference: str) -> int:
    """The last row of a range such as `A1:D2`; 0 for what is none."""
    digits = "".join(sign for sign in reference.rpartition(":")[2] if sign.isdecimal())
    return int(digits) if 0 < len(digits) <= len(str(ROWS)) else 0


def _listed(sheet: Sheet) -> str:
    name = quoted(sheet.name, 60) + ("" if sheet.state == "visible" else f" ({sheet.state})")
    if sheet.is_chart:
        return f"{name}: a chart, no cells"
    if not sheet.rows:
        return f"{name}: {'empty' if sheet.complete else 'not looked at'}"
    rows = count(sheet.row_count, "row")
    if not sheet.complete:
        about = (
            "" if sheet.last_rows else "about " if sheet.row_count > sheet.rows[-1].number else "more than "
        )
        rows = f"{about}{rows}, of which the first {len(sheet.rows):,} were looked at"
    return f"{name}: {rows} × {count(sheet.column_count, 'column')}"


def _described(book: Book, sheet: Sheet, table: Table, schema: bool) -> list[str]:
    rows = count(len(table.data), "data row") + ("" if sheet.complete else " looked at")
    return [
        f"Sheet {quoted(sheet.name, 60)}: {rows} × {count(table.column_count, 'column')}",
        *(f"Read: {line}" for line in read_hint(book, sheet, table)),
        *telling.described(table, [*telling.traps(table), *_traps(sheet, table)], schema),
    ]


def _traps(sheet: Sheet, table: Table) -> list[Trap]:
    found: list[Trap] = []
    if sheet.state != "visible":
        found.append(Trap("this sheet is hidden: people may not know of it"))
    if sheet.hidden_rows:
        why = " (a filter is set)" if sheet.is_filtered else ""
        what = count(len(sheet.hidden_rows), "hidden row") + why
        found.append(Trap(f"{what}, read by pandas all the same: row {ranges(sheet.hidden_rows)}"))
    if sheet.hidden_columns:
        found.append(
            Trap(f"hidden columns: {listed(letters(position) for position in sheet.hidden_columns)}")
        )
    top = table.header.number if table.header else 0
    merged = [each for each in sheet.merged if bottom(each) >= top]
    if merged:
        what = count(len(merged), "merged range")
        found.append(Trap(f"{what}, only the first cell of each has the value: {listed(merged, 4)}"))
    if sheet.uncached:
        what = f"{count(len(sheet.uncached), 'formula')} without a stored value, read as missing"
        how = "compute them yourself (openpyxl shows the formulas)"
        found.append(Trap(f"{what}: {listed(sheet.uncached, 4)}; {how}"))
    for position, zeros in list(sheet.padded.items())[:3]:
        named = next((each.name for each in table.columns if each.position == position), letters(position))
        what = f"people see these numbers with leading zeros: .astype(str).str.zfill({len(zeros)}) gives that"
        found.append(Trap(f"{quoted(named)}: {what}"))
    if not sheet.complete and not sheet.last_rows:
        found.append(Trap("the end was not looked at: see df.tail() for total rows and notes"))
    found += [
        Trap(f"row {row.number:,} at the end is a total or a note") for row in _at_the_end(sheet, table)
    ]
    return found


def _at_the_end(sheet: Sheet, table: Table) -> list[Row]:
    """Total rows and notes at the end of a sheet that was not read whole."""
    if sheet.complete or not sheet.last_rows:
        return []
    known = [*([table.header] if table.header else []), *table.data[-40:]]
    numbers = {row.number for row in known}
    joined = analyse([*known, *sheet.last_rows])
    found = [*(row for row, _ in joined.totals), *joined.footers]
    return [row for row in found if row.number not in numbers]


def read_hint(book: Book, sheet: Sheet, table: Table) -> list[str]:
    """Python that reads the data rows, and no others, with their right types."""
    facts = [hint.text_literal(book.name)]
    if len(book.sheets) > 1:
        facts.append(f"sheet_name={hint.text_literal(sheet.name)}")
    if book.engine:
        facts.append(f'engine="{book.engine}"')
    if table.header is None:
        facts.append("header=None")
    last = table.last_data_row
    skipped = table.rows_left_out(sheet.row_count if sheet.complete else last)
    skipped += [row.number for row in _at_the_end(sheet, table)]
    facts += hint.skipping([number - 1 for number in skipped])
    facts += hint.column_range(table, sheet.column_count - 1)
    facts += hint.values(table)
    numbers = [row.number for row in sheet.rows if table.first_data_row <= row.number <= last]
    has_gaps = len(numbers) < last - table.first_data_row + 1
    blank = '.dropna(how="all")' if has_gaps and len(table.columns) > 1 else ""
    totals = hint.without_totals(table) if table.drops_by_words else []
    return [hint.call("read_excel", facts) + blank, *totals, *hint.cleaning(table)]
