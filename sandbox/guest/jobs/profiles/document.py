"""Documents: Word, slides, OpenDocument, books, RTF. Their text is read; nothing in them runs."""

import re
import zipfile
from xml.parsers import expat

from sandbox.guest.jobs.profiles.finding import MACROS, Broken, Finding
from sandbox.guest.jobs.profiles.markup import Markup
from sandbox.guest.jobs.profiles.source import Source
from sandbox.guest.jobs.profiles.wording import count, listed, plain, quoted, size

PART_BYTES = 8 * 1024 * 1024
PARAGRAPHS_READ = 5000
TEXT_SHOWN = 900
TELLING_SECONDS = 0.5
"""Kept for what is said of the words once they are read."""


class _Words(Markup):
    """Paragraphs of a document, and how many of some elements it has."""

    def __init__(self, counted: frozenset[str], paragraph: str = "p", words: str = "t") -> None:
        super().__init__()
        self.counts = dict.fromkeys(counted, 0)
        self.paragraphs: list[tuple[str, str]] = []
        self.whole = True
        """Whether this is all of the document."""
        self._paragraph = paragraph
        self._words = words
        self._style = ""
        self._parts: list[str] = []
        self._collecting = 0
        self._all = words == paragraph

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name in self.counts:
            self.counts[name] += 1
        if name == self._paragraph or (self._all and name == "h"):
            self._parts = []
            self._style = attributes.get("outline-level", "")
        elif name == "pStyle":
            self._style = attributes.get("val", "")
        elif name in {"tab", "br", "s"}:
            self._parts.append(" ")
        if name == self._words or (self._all and name == "h"):
            self._collecting += 1

    def end(self, name: str) -> None:
        if name == self._words or (self._all and name == "h"):
            self._collecting -= 1
        if (name == self._paragraph or (self._all and name == "h")) and any(
            part.strip() for part in self._parts
        ):
            self.paragraphs.append((self._style, "".join(self._parts)))
            self._parts = []

    def text(self, data: str) -> None:
        if self._collecting and len(self.paragraphs) < PARAGRAPHS_READ:
            self._parts.append(data)

    @property
    def extent(self) -> str:
        """To be said after what was counted."""
        return "" if self.whole and len(self.paragraphs) < PARAGRAPHS_READ else ", as far as it was looked at"


def _read(archive: zipfile.ZipFile, name: str, part: _Words, source: Source) -> None:
    try:
        with archive.open(name) as stream:
            part.whole = part.feed_all(stream, PART_BYTES, source.deadline - TELLING_SECONDS)
    except (KeyError, expat.ExpatError) as error:
        raise Broken("A part of the document is missing or damaged.") from error


def macros(archive: zipfile.ZipFile) -> list[str]:
    """A sentence, where there are any."""
    return [MACROS] if any(name.endswith("vbaProject.bin") for name in archive.namelist()) else []


def word(archive: zipfile.ZipFile, source: Source) -> Finding:
    """Raises `Broken`."""
    part = _Words(frozenset({"tbl", "drawing", "ins", "del", "footnoteReference"}))
    _read(archive, "word/document.xml", part, source)
    headings = [
        text
        for style, text in part.paragraphs
        if re.match(r"(?i)heading|überschrift|titre|título|title|\d", style)
    ]
    words = sum(len(text.split()) for _, text in part.paragraphs)
    comments = "word/comments.xml" in archive.namelist()
    top = (
        f"Word document: {count(len(part.paragraphs), 'paragraph')}, {count(words, 'word')}, "
        f"{count(part.counts['tbl'], 'table')}, {count(part.counts['drawing'], 'picture')}{part.extent}"
    )
    facts = [top]
    changes = part.counts["ins"] + part.counts["del"]
    if changes:
        facts.append(f"{count(changes, 'tracked change')}: deleted text is still in it")
    if comments:
        facts.append("It has comments")
    facts += macros(archive)
    text = list(facts)
    if headings:
        text.append(f"Headings: {listed((quoted(each, 60) for each in headings), 12)}")
    text.append(f"Begins: {plain(' '.join(each for _, each in part.paragraphs[:40]), TEXT_SHOWN)}")
    return Finding("document", tuple(text), tuple(facts))


def slides(archive: zipfile.ZipFile, source: Source) -> Finding:
    """Raises `Broken`."""
    names = archive.namelist()
    numbers = sorted(
        int(found[1]) for name in names if (found := re.fullmatch(r"ppt/slides/slide(\d+)\.xml", name))
    )
    pictures = sum(name.startswith("ppt/media/") for name in names)
    notes = sum(name.startswith("ppt/notesSlides/notesSlide") for name in names)
    charts = sum(bool(re.fullmatch(r"ppt/charts/chart[^/]*\.xml", name)) for name in names)
    top = (
        f"Slides: {count(len(numbers), 'slide')}, {count(pictures, 'picture or film', 'pictures and films')}, "
        f"{count(charts, 'chart')}, {count(notes, 'page of notes', 'pages of notes')}"
    )
    facts = (top, *macros(archive))
    lines = list(facts)
    for number in numbers[:12]:
        if source.seconds_left < TELLING_SECONDS:
            break
        part = _Words(frozenset())
        _read(archive, f"ppt/slides/slide{number}.xml", part, source)
        shown = plain(" / ".join(text for _, text in part.paragraphs[:8]), 150)
        lines.append(f"- slide {number}: {shown or '(no text)'}")
    return Finding("document", tuple(lines), facts)


def open_document(archive: zipfile.ZipFile, source: Source, kind: str) -> Finding:
    """Text and slides of OpenDocument. Raises `Broken`."""
    part = _Words(frozenset({"table", "image", "page"}), paragraph="p", words="p")
    _read(archive, "content.xml", part, source)
    words = sum(len(text.split()) for _, text in part.paragraphs)
    what = "slides" if "presentation" in kind else "drawing" if "graphics" in kind else "text document"
    pages = f", {count(part.counts['page'], 'page')}" if part.counts["page"] else ""
    top = (
        f"OpenDocument {what}: {count(words, 'word')}, {count(part.counts['table'], 'table')}, "
        f"{count(part.counts['image'], 'picture')}{pages}{part.extent}"
    )
    begins = plain(" ".join(text for _, text in part.paragraphs[:40]), TEXT_SHOWN)
    return Finding("document", (top, f"Begins: {begins}"), (top,))


def book(archive: zipfile.ZipFile) -> Finding:
    names = archive.namelist()
    package = next((name for name in names if name.endswith(".opf")), None)
    top = f"E-book (EPUB): {count(sum(name.endswith(('.xhtml', '.html', '.htm')) for name in names), 'chapter file')}"
    if package is None:
        raise Broken("The book has no table of contents.")
    with archive.open(package) as stream:
        found = re.search(rb"<dc:title[^<>]*>([^<]*)", stream.read(1_000_000))
    title = [f"Title: {plain(found[1].decode('utf-8', 'replace'), 120)}"] if found else []
    return Finding("document", (top, *title), (top,))


def rich_text(source: Source) -> Finding:
    head = source.head(1_000_000).decode("latin-1")
    # Names of fonts and styles stand before the first paragraph.
    head = head[max(0, head.find(r"\pard")) :]
    head = re.sub(r"\\'([0-9a-f]{2})", lambda code: bytes.fromhex(code[1]).decode("cp1252", "replace"), head)
    words = re.sub(r"\\[a-z]+-?\d* ?|[{}]|\\\*", " ", head)
    top = f"Rich text document (RTF), {size(source.size)}"
    return Finding("document", (top, f"Begins: {plain(words, 400)}"), (top,))
