"""OpenDocument spreadsheets (.ods), read as a stream like Excel's."""

import time
import zipfile
from datetime import date, datetime
from xml.parsers import expat

from sandbox.guest.jobs.profiles.cells import CellError, Row, Value, letters
from sandbox.guest.jobs.profiles.finding import Broken
from sandbox.guest.jobs.profiles.markup import CHUNK_BYTES, Markup
from sandbox.guest.jobs.profiles.workbook import COLUMNS, ROWS, Sheet, shortened

REPEATS = 1000
"""Rows and cells are stored once with a count; blank ones up to the edge of the sheet."""
CELLS_LOOKED_AT = 300_000
_ERRORS = ("#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NUM!", "Err:5")


def read(archive: zipfile.ZipFile, seconds: float) -> list[Sheet]:
    """Raises `Broken`."""
    deadline = time.monotonic() + seconds
    part = _ContentPart()
    try:
        with archive.open("content.xml") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                part.feed(chunk)
                if part.enough or time.monotonic() > deadline:
                    if part.sheets:
                        part.sheets[-1].complete = False
                    break
    except (KeyError, expat.ExpatError) as error:
        raise Broken("The content of the spreadsheet is missing or damaged.") from error
    return part.sheets


class _ContentPart(Markup):
    def __init__(self) -> None:
        super().__init__()
        self.sheets: list[Sheet] = []
        self.cells_seen = 0
        self._hidden_styles: set[str] = set()
        self._table_style = ""
        self._row_number = 0
        self._row_repeats = 1
        self._row_hidden = False
        self._cells: list[Value] = []
        self._blanks = 0
        """Cells after those that hold nothing so far: nearly every row ends with thousands of them."""
        self._attributes: dict[str, str] = {}
        self._words: list[str] = []
        self._in_cell = 0
        self._in_note = 0
        self._column = 0

    @property
    def enough(self) -> bool:
        return self.cells_seen > CELLS_LOOKED_AT

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "style":
            self._table_style = attributes.get("name", "")
        elif name == "table-properties" and attributes.get("display") == "false":
            self._hidden_styles.add(self._table_style)
        elif name == "table" and "name" in attributes:
            hidden = attributes.get("style-name", "") in self._hidden_styles
            self.sheets.append(Sheet(attributes["name"], "hidden" if hidden else "visible"))
            self._row_number = 0
            self._column = 0
        elif name == "table-column" and self.sheets:
            repeats = _repeats(attributes, "number-columns-repeated")
            if attributes.get("visibility") in {"collapse", "filter"}:
                self.sheets[-1].hide_columns(self._column, self._column + repeats)
            self._column += repeats
        elif name == "table-row":
            self._cells = []
            self._blanks = 0
            self._row_repeats = _repeats(attributes, "number-rows-repeated")
            self._row_hidden = attributes.get("visibility") in {"collapse", "filter"}
            if attributes.get("visibility") == "filter" and self.sheets:
                self.sheets[-1].is_filtered = True
        elif name in {"table-cell", "covered-table-cell"}:
            self._attributes = attributes
            self._words = []
            self._in_cell += 1
        elif name == "annotation":
            self._in_note += 1
        elif name == "p" and self._words:
            self._words.append("\n")
        elif name == "s" and self._in_cell:
            self._words.append(" ")

    def end(self, name: str) -> None:
        if name in {"table-cell", "covered-table-cell"}:
            self._in_cell -= 1
            self._take_cell()
        elif name == "annotation":
            self._in_note -= 1
        elif name == "table-row" and self.sheets:
            self._take_row()

    def text(self, data: str) -> None:
        if self._in_cell and not self._in_note and len(self._words) < 100:
            self._words.append(data)

    def _take_cell(self) -> None:
        if not self.sheets:
            return
        sheet, attributes = self.sheets[-1], self._attributes
        value = _value(attributes, "".join(self._words))
        position = len(self._cells) + self._blanks
        repeats = min(_repeats(attributes, "number-columns-repeated"), REPEATS, COLUMNS - position)
        reference = f"{letters(position)}{self._row_number + 1}"
        if "formula" in attributes and value is None and "value-type" not in attributes:
            sheet.uncached.append(reference)
        across, down = (
            _repeats(attributes, "number-columns-spanned"),
            _repeats(attributes, "number-rows-spanned"),
        )
        if across > 1 or down > 1:
            end = f"{letters(position + across - 1)}{self._row_number + down}"
            sheet.merged.append(f"{reference}:{end}")
        # The same object once more means that the next cell's attributes are its own.
        self._attributes = {}
        if value is None:
            self._blanks += repeats
        elif repeats:
            self._cells += [*[None] * self._blanks, *[value] * repeats]
            self._blanks = 0

    def _take_row(self) -> None:
        sheet = self.sheets[-1]
        repeats = self._row_repeats
        if self._row_hidden and repeats < REPEATS and len(sheet.hidden_rows) < ROWS:
            sheet.hidden_rows += range(self._row_number + 1, self._row_number + 1 + repeats)
        if self._cells:
            for number in range(min(repeats, REPEATS)):
                if self.enough:
                    sheet.complete = False
                    break
                sheet.rows.append(Row(self._row_number + 1 + number, self._cells))
                self.cells_seen += len(self._cells)
            sheet.row_count = self._row_number + repeats
        self._row_number += repeats


def _repeats(attributes: dict[str, str], key: str) -> int:
    number = attributes.get(key, "1")
    return int(number) if number.isdigit() and len(number) < 9 else 1


def _value(attributes: dict[str, str], shown: str) -> Value:  # noqa: PLR0911  # one line a kind
    kind = attributes.get("value-type", "")
    if shown.startswith(_ERRORS) and (
        kind == "string" or "formula" in attributes or attributes.get("calcext") == "error"
    ):
        return CellError(shown[:10])
    if kind in {"float", "currency", "percentage"}:
        try:
            number = float(attributes.get("value", ""))
        except ValueError:
            return None
        return int(number) if number == number // 1 and abs(number) < 1e15 else number
    if kind == "date":
        return _date(attributes.get("date-value", ""))
    if kind == "boolean":
        return attributes.get("boolean-value") == "true"
    if kind == "time":
        return shown or None
    return shortened(shown) if shown else None


def _date(text: str) -> date | datetime | str | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text or None
    return moment.replace(tzinfo=None)
