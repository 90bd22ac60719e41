"""The parts of an Excel workbook that its sheets refer to: their list, styles and shared texts."""

import re
import time
import zipfile
from dataclasses import dataclass
from datetime import datetime
from typing import IO
from xml.parsers import expat

from sandbox.guest.jobs.profiles.finding import Broken
from sandbox.guest.jobs.profiles.markup import CHUNK_BYTES, Markup, end_of, feed_fragment
from sandbox.guest.jobs.profiles.workbook import shortened

SMALL_PART_BYTES = 8 * 1024 * 1024
"""More is not read of a part that only describes others."""
STRINGS = 400_000
_DATE_FORMATS = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])
"""Built-in number formats that show a date, ECMA-376 part 1, 18.8.30."""
_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_STRING_BEGINS = re.compile(rb"<(\w*:|)si>")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


@dataclass(frozen=True, slots=True)
class Style:
    """Of cells, as far as it says what their numbers are."""

    is_date: bool
    zeros: str
    """`00000` where numbers are shown with leading zeros."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a sheet's cells refer to."""

    strings: dict[int, str]
    """By their number."""
    styles: list[Style]
    epoch: datetime
    """Day 0 of the numbers that are dates."""


@dataclass(frozen=True, slots=True)
class SheetEntry:
    name: str
    state: str
    """`visible`, `hidden` or `very hidden`."""
    part: str
    """Its name in the archive."""


def read_sheet_list(archive: zipfile.ZipFile, deadline: float) -> tuple[list[SheetEntry], datetime]:
    """The sheets, and day 0 of their dates. Raises `Broken`."""
    relations = _RelationsPart()
    _parse(archive, "xl/_rels/workbook.xml.rels", relations, deadline)
    part = _WorkbookPart()
    _parse(archive, "xl/workbook.xml", part, deadline)
    entries: list[SheetEntry] = []
    for name, state, relation in part.sheets:
        target = relations.targets.get(relation, "")
        path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        entries.append(SheetEntry(name, state, path))
    # Dates of a sheet have no zone. Day 60 is the 29th of February 1900, which never was.
    epoch = datetime(1904, 1, 1) if part.counts_from_1904 else datetime(1899, 12, 30)  # noqa: DTZ001
    return entries, epoch


def read_styles(archive: zipfile.ZipFile, deadline: float) -> list[Style]:
    """Raises `Broken`."""
    if "xl/styles.xml" not in archive.namelist():
        return []
    part = _StylesPart()
    _parse(archive, "xl/styles.xml", part, deadline)
    return [_style(number, part.codes.get(number, "")) for number in part.formats]


def read_strings(archive: zipfile.ZipFile, seconds: float) -> dict[int, str]:
    """By their number: the first ones, and the last ones, which the end of a sheet needs. Raises `Broken`."""
    name = next((name for name in archive.namelist() if name.lower() == "xl/sharedstrings.xml"), None)
    if name is None:
        return {}
    deadline = time.monotonic() + seconds
    part = _StringsPart()
    try:
        with archive.open(name) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                part.feed(chunk)
                if len(part.strings) >= STRINGS or time.monotonic() > deadline:
                    return dict(enumerate(part.strings)) | _last_strings(stream, part.total, seconds)
    except expat.ExpatError as error:
        raise Broken("The texts of the workbook are damaged.") from error
    return dict(enumerate(part.strings))


def _last_strings(stream: IO[bytes], total: int, seconds: float) -> dict[int, str]:
    tail = end_of(stream, time.monotonic() + seconds / 2)
    found = _STRING_BEGINS.search(tail)
    if not found:
        return {}
    part = _StringsPart()
    feed_fragment(part, b"<%bsst>" % found[1], tail[found.start() :])
    return dict(enumerate(part.strings, total - len(part.strings)))


def unescaped(text: str) -> str:
    """`_x000A_` is a line break."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def _parse(archive: zipfile.ZipFile, name: str, part: Markup, deadline: float) -> None:
    try:
        with archive.open(name) as stream:
            part.feed_all(stream, SMALL_PART_BYTES, deadline)
    except KeyError as error:
        raise Broken("A part of the workbook is missing.") from error
    except expat.ExpatError as error:
        raise Broken("A part of the workbook is damaged.") from error


def _style(number: int, code: str) -> Style:
    shown = _QUOTED.sub("", code.split(";", maxsplit=1)[0])
    zeros = shown if re.fullmatch(r"0{2,}", shown) else ""
    is_date = number in _DATE_FORMATS if not code else bool(re.search(r"[ymdhs]", shown, re.IGNORECASE))
    return Style(is_date and "general" not in shown.lower(), zeros)


class _WorkbookPart(Markup):
    def __init__(self) -> None:
        super().__init__()
        self.sheets: list[tuple[str, str, str]] = []
        self.counts_from_1904 = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "sheet":
            state = {"hidden": "hidden", "veryHidden": "very hidden"}.get(
                attributes.get("state", ""), "visible"
            )
            self.sheets.append((attributes.get("name", ""), state, attributes.get("id", "")))
        elif name == "workbookPr":
            self.counts_from_1904 = attributes.get("date1904") in {"1", "true"}


class _RelationsPart(Markup):
    def __init__(self) -> None:
        super().__init__()
        self.targets: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship":
            self.targets[attributes.get("Id", "")] = attributes.get("Target", "")


class _StylesPart(Markup):
    def __init__(self) -> None:
        super().__init__()
        self.codes: dict[int, str] = {}
        self.formats: list[int] = []
        self._in_cell_formats = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "numFmt":
            self.codes[int(attributes.get("numFmtId", "0"))] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            self._in_cell_formats = True
        elif name == "xf" and self._in_cell_formats:
            self.formats.append(int(attributes.get("numFmtId", "0")))

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._in_cell_formats = False


class _StringsPart(Markup):
    def __init__(self) -> None:
        super().__init__()
        self.strings: list[str] = []
        self.total = 0
        self._parts: list[str] = []
        self._in_text = False
        self._in_reading_aid = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "si":
            self._parts = []
        elif name == "t":
            self._in_text = not self._in_reading_aid
        elif name == "rPh":
            self._in_reading_aid = True
        elif name == "sst":
            self.total = int(attributes.get("uniqueCount", "0"))

    def end(self, name: str) -> None:
        if name == "t":
            self._in_text = False
        elif name == "rPh":
            self._in_reading_aid = False
        elif name == "si":
            self.strings.append(shortened(unescaped("".join(self._parts))))

    def text(self, data: str) -> None:
        if self._in_text and len(self._parts) < 100:
            self._parts.append(data)
