"""Excel's old workbooks (.xls) and binary ones (.xlsb), by the libraries for them."""

import io
from collections import deque
from datetime import date, datetime, time, timedelta
from typing import Any

from sandbox.guest.jobs.profiles.cells import CellError, Row, Value, letters
from sandbox.guest.jobs.profiles.finding import Broken, Encrypted
from sandbox.guest.jobs.profiles.source import Source
from sandbox.guest.jobs.profiles.workbook import Sheet, shortened

FORMATTED_BYTES = 4 * 1024 * 1024
"""Up to here xlrd is quick enough; it alone tells of hidden rows and merged cells."""
CELLS_LOOKED_AT = 300_000
LAST_ROWS = 40
_ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}


def read(source: Source) -> list[Sheet]:
    """Raises `Broken`, `Encrypted`; ImportError where no library is there."""
    if source.size <= FORMATTED_BYTES and source.ending != "xlsb":
        return _with_formats(source)
    return read_plainly(source)


def _with_formats(source: Source) -> list[Sheet]:
    import xlrd

    try:
        with xlrd.open_workbook(str(source.path), formatting_info=True, logfile=io.StringIO()) as book:
            return [_sheet(book, sheet) for sheet in book.sheets()]
    except xlrd.XLRDError as error:
        if "encrypt" in str(error).lower():
            raise Encrypted("The workbook is protected with a password.") from error
        raise Broken("The workbook is damaged.") from error


def _sheet(book: Any, found: Any) -> Sheet:  # xlrd is not typed here
    states = {0: "visible", 1: "hidden", 2: "very hidden"}
    sheet = Sheet(found.name, states.get(found.visibility, "visible"))
    looked_at = min(found.nrows, CELLS_LOOKED_AT // max(1, found.ncols))
    sheet.rows = _rows(book, found, range(looked_at))
    sheet.complete = looked_at == found.nrows
    if not sheet.complete:
        sheet.last_rows = _rows(book, found, range(max(looked_at, found.nrows - LAST_ROWS), found.nrows))
    sheet.row_count = max((row.number for row in [*sheet.rows, *sheet.last_rows]), default=0)
    sheet.hidden_rows = [
        number + 1 for number, info in found.rowinfo_map.items() if info.hidden and number < found.nrows
    ]
    sheet.hidden_columns = [
        number for number, info in found.colinfo_map.items() if info.hidden and number < found.ncols
    ]
    for top, bottom, left, right in found.merged_cells:
        sheet.merged.append(f"{letters(left)}{top + 1}:{letters(right - 1)}{bottom}")
    return sheet


def _rows(book: Any, found: Any, numbers: range) -> list[Row]:
    """Those that hold something; `numbers` are from 0."""
    rows = (
        Row(number + 1, [_value(cell.ctype, cell.value, book.datemode) for cell in found.row(number)])
        for number in numbers
    )
    return [row for row in rows if any(value is not None and value != "" for value in row.cells)]


def _value(kind: int, value: object, datemode: int) -> Value:  # noqa: PLR0911  # one line a kind
    import xlrd

    if kind == xlrd.XL_CELL_TEXT:
        return shortened(str(value))
    if kind == xlrd.XL_CELL_NUMBER and isinstance(value, float):
        return int(value) if value == value // 1 and abs(value) < 1e15 else value
    if kind == xlrd.XL_CELL_DATE and isinstance(value, float):
        try:
            moment: datetime = xlrd.xldate_as_datetime(value, datemode)
        except (ValueError, OverflowError):
            return value
        return moment.time() if value < 1 else moment
    if kind == xlrd.XL_CELL_BOOLEAN:
        return bool(value)
    if kind == xlrd.XL_CELL_ERROR:
        return CellError(_ERRORS.get(int(str(value)), "#ERROR"))
    return None


def read_plainly(source: Source) -> list[Sheet]:
    """Values only, and fast."""
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_path(str(source.path))
        return [_plain_sheet(book, meta) for meta in book.sheets_metadata]
    except python_calamine.PasswordError as error:
        raise Encrypted("The workbook is protected with a password.") from error
    except python_calamine.CalamineError as error:
        raise Broken("The workbook is damaged.") from error


def _plain_sheet(book: Any, meta: Any) -> Sheet:
    states = {"Visible": "visible", "Hidden": "hidden", "VeryHidden": "very hidden"}
    sheet = Sheet(meta.name, states.get(str(meta.visible).rpartition(".")[2], "visible"))
    if not str(meta.typ).endswith("WorkSheet"):
        sheet.is_chart = True
        return sheet
    found = book.get_sheet_by_name(meta.name)
    top, left = found.start or (0, 0)
    cells_seen = 0
    last: deque[Row] = deque(maxlen=LAST_ROWS)
    for number, cells in enumerate(found.iter_rows(), top + 1):
        row = Row(number, [None] * left + cells)
        if cells_seen > CELLS_LOOKED_AT:
            last.append(row)
        else:
            cells_seen += len(row.cells)
            sheet.rows += _typed(row)
    sheet.complete = not last
    sheet.last_rows = [each for row in last for each in _typed(row)]
    sheet.row_count = max((row.number for row in [*sheet.rows, *sheet.last_rows]), default=0)
    return sheet


def _typed(row: Row) -> list[Row]:
    """None for a blank one."""
    cells = [_plain_value(value) for value in row.cells]
    return [Row(row.number, cells)] if any(cell is not None for cell in cells) else []


def _plain_value(value: object) -> Value:
    if value == "":
        return None
    if isinstance(value, str):
        return (
            CellError(value) if value.startswith("#") and value.rstrip("!?").isupper() else shortened(value)
        )
    if isinstance(value, float) and value == value // 1 and abs(value) < 1e15:
        return int(value)
    return value if isinstance(value, bool | int | float | datetime | date | time | timedelta) else None
