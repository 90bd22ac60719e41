"""The rows of a sheet in an Excel workbook, and what stands around them."""

import re
import time
import zipfile
from datetime import datetime, timedelta
from typing import IO
from xml.parsers import expat

from sandbox.guest.jobs.profiles.cells import CellError, Row, Value
from sandbox.guest.jobs.profiles.finding import Broken
from sandbox.guest.jobs.profiles.markup import CHUNK_BYTES, Markup, end_of, feed_fragment
from sandbox.guest.jobs.profiles.workbook import COLUMNS, ROWS, Sheet, bottom, shortened
from sandbox.guest.jobs.profiles.xlsx_parts import Context, unescaped

ROWS_LOOKED_AT = 50_000
CELLS_LOOKED_AT = 300_000
LAST_ROWS = 40
PARSING_SHARE = 0.35
"""Of the time for a sheet; the rest is for getting to its end."""
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d+)")
_NUMBERED_ROW = re.compile(rb'<(\w*:|)row (?=[^<>]*\br=")')


def read_sheet(archive: zipfile.ZipFile, name: str, sheet: Sheet, context: Context, seconds: float) -> None:
    """As many rows as there is time for. Raises `Broken`."""
    began = time.monotonic()
    part = _SheetPart(sheet, context)
    try:
        with archive.open(name) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                part.feed(chunk)
                if part.enough or time.monotonic() > began + PARSING_SHARE * seconds:
                    sheet.complete = False
                    break
            sheet.rows = part.rows
            if not sheet.complete:
                # Unpacking is much faster than parsing: the end may be in reach.
                _read_end(stream, sheet, context, began + seconds)
                sheet.row_count = max(sheet.row_count, part.announced_rows)
    except expat.ExpatError as error:
        raise Broken("A sheet of the workbook is damaged.") from error


def _read_end(stream: IO[bytes], sheet: Sheet, context: Context, deadline: float) -> None:
    tail = end_of(stream, deadline)
    found = _NUMBERED_ROW.search(tail)
    if not found:
        return
    part = _SheetPart(sheet, context)
    feed_fragment(part, b"<%bworksheet><%bsheetData>" % (found[1], found[1]), tail[found.start() :])
    sheet.last_rows = part.rows[-LAST_ROWS:]


class _SheetPart(Markup):
    """Rows, and what stands around them. Parsing ends early by `enough`."""

    def __init__(self, sheet: Sheet, context: Context) -> None:
        super().__init__()
        self.sheet = sheet
        self.rows: list[Row] = []
        self.cells_seen = 0
        self.announced_rows = 0
        """As the sheet itself says, at its start."""
        self._context = context
        self._row_number = 0
        self._cells: list[Value] = []
        self._position = -1
        self._type = ""
        self._style = 0
        self._value: list[str] | None = None
        self._has_formula = False
        self._collecting = False
        self._reference = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            self._reference = attributes.get("r", "")
            found = _REFERENCE.fullmatch(self._reference)
            self._position = _position(found[1]) if found else self._position + 1
            self._type = attributes.get("t", "n")
            style = attributes.get("s", "0")
            self._style = int(style) if style.isdigit() else 0
            self._value = None
            self._has_formula = False
        elif name == "v" or (name == "t" and self._type == "inlineStr"):
            self._collecting = True
            self._value = self._value or []
        elif name == "f":
            self._has_formula = True
        elif name == "row":
            number = attributes.get("r", "")
            is_sane = number.isdigit() and len(number) <= len(str(ROWS))
            self._row_number = int(number) if is_sane else self._row_number + 1
            self._cells = []
            self._position = -1
            if attributes.get("hidden") in {"1", "true"}:
                self.sheet.hidden_rows.append(self._row_number)
        elif name == "dimension":
            self.announced_rows = min(bottom(attributes.get("ref", "")), ROWS)
        elif name == "mergeCell":
            self.sheet.merged.append(attributes.get("ref", ""))
        elif name == "col" and attributes.get("hidden") in {"1", "true"}:
            first, last = int(attributes.get("min", "1")), int(attributes.get("max", "1"))
            self.sheet.hide_columns(first - 1, last)
        elif name == "filterColumn":
            self.sheet.is_filtered = True

    def end(self, name: str) -> None:
        if name == "c":
            self._take_cell()
        elif name in {"v", "t"}:
            self._collecting = False
        elif name == "row":
            if not self.enough and any(value is not None and value != "" for value in self._cells):
                self.rows.append(Row(self._row_number, self._cells))
                self.sheet.row_count = max(self.sheet.row_count, self._row_number)
            self.cells_seen += len(self._cells)

    def text(self, data: str) -> None:
        if self._collecting and self._value is not None and len(self._value) < 100:
            self._value.append(data)

    @property
    def enough(self) -> bool:
        return self.cells_seen > CELLS_LOOKED_AT or len(self.rows) > ROWS_LOOKED_AT

    def _take_cell(self) -> None:
        if self._has_formula and not self._value and self._type != "str":
            self.sheet.uncached.append(self._reference)
        value = self._typed() if self._value else None
        if value is None or self._position >= COLUMNS:
            return
        if self._position >= len(self._cells):
            self._cells.extend([None] * (self._position + 1 - len(self._cells)))
        self._cells[self._position] = value

    def _typed(self) -> Value:
        text = "".join(self._value or [])
        if self._type == "s":
            index = int(text) if text.strip().isdigit() else -1
            return self._context.strings.get(index, "(text)")
        if self._type in {"str", "inlineStr"}:
            return shortened(unescaped(text))
        if self._type == "b":
            return text.strip() == "1"
        if self._type == "e":
            return CellError(text.strip())
        if self._type == "d":
            return text.strip()
        return self._number(text)

    def _number(self, text: str) -> Value:
        try:
            number = float(text)
        except ValueError:
            return text
        styles = self._context.styles
        style = styles[self._style] if self._style < len(styles) else None
        if style and style.is_date:
            return _date(number, self._context.epoch)
        if style and style.zeros:
            self.sheet.padded.setdefault(self._position, style.zeros)
        return int(number) if number == number // 1 and abs(number) < 1e15 else number


def _date(number: float, epoch: datetime) -> Value:
    try:
        moment = epoch + timedelta(days=number)
    except (OverflowError, ValueError):
        return number
    moment = (moment + timedelta(milliseconds=500)).replace(microsecond=0)
    return moment.time() if 0 <= number < 1 else moment


def _position(name: str) -> int:
    position = 0
    for letter in name:
        position = position * 26 + ord(letter) - 64
    return position - 1
