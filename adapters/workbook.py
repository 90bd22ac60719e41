"""A table as an .xlsx file: one sheet, every cell as it reads. Pure, and it only ever writes."""

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CELL_CHARACTERS = 32_767
"""Of one cell; https://support.microsoft.com/office/1672b34d-7043-467e-8e27-269d656771c3."""

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KINDS = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,10})?")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_KINDS}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KINDS}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
    '<sheet name="Table" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}


def workbook(lines: Iterable[Sequence[str]]) -> bytes:
    """The same bytes for the same table, whenever it is made."""
    rows = "".join(_row(number, cells) for number, cells in enumerate(lines, 1))
    sheet = f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>'
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**_PARTS, "xl/worksheets/sheet1.xml": sheet}.items():
            archive.writestr(zipfile.ZipInfo(name), _HEAD + content, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def is_number(cell: str) -> bool:
    """Written so that it can only be one: no separators, no leading zeros, no unit."""
    return bool(_NUMBER.fullmatch(cell))


def _row(number: int, cells: Sequence[str]) -> str:
    written = (_cell(f"{_letters(at)}{number}", cell) for at, cell in enumerate(cells) if cell)
    return f'<row r="{number}">{"".join(written)}</row>'


def _cell(place: str, text: str) -> str:
    if is_number(text):
        return f'<c r="{place}"><v>{text}</v></c>'
    # As a string it is never taken for a formula.
    kept = escape(_FORBIDDEN.sub("", text)[:CELL_CHARACTERS])
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{kept}</t></is></c>'


def _letters(column: int) -> str:
    """A, B, … Z, AA, …"""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
