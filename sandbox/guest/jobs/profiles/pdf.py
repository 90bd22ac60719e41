"""PDF: its pages, its first text, and whether it is a scan."""

import re
from dataclasses import dataclass, field
from typing import Any

from sandbox.guest.jobs.profiles.finding import Broken, Encrypted, Finding
from sandbox.guest.jobs.profiles.source import Source
from sandbox.guest.jobs.profiles.wording import count, plain

PAGES_LOOKED_AT = 8
CONTENT_BYTES = 3_000_000
"""Of a page: a drawing of a map has megabytes of lines, and no words."""
TEXT_SHOWN = 900
SCANNED_WORDS = 15
"""A page that is a picture may have a stamp or a page number as text."""


@dataclass(slots=True)
class _Pages:
    """What was seen on the first ones."""

    count: int = 0
    images: int = 0
    table_rows: int = 0
    """Lines of numbers in columns."""
    texts: list[str] = field(default_factory=list[str])

    @property
    def words(self) -> int:
        return sum(len(text.split()) for text in self.texts)


def profile(source: Source) -> Finding:
    """Raises `Broken`, `Encrypted`; ImportError where no library is there."""
    import pypdf
    from pypdf.errors import DependencyError, FileNotDecryptedError, PyPdfError

    try:
        reader = pypdf.PdfReader(str(source.path))
        # An empty password opens what is only protected against changes.
        if reader.is_encrypted and not reader.decrypt(""):
            raise Encrypted("The PDF is protected with a password.")
        return _described(reader, source)
    except FileNotDecryptedError as error:
        raise Encrypted("The PDF is protected with a password.") from error
    except DependencyError as error:
        # AES needs a library that may not be there.
        raise Encrypted("The PDF is encrypted.") from error
    except (
        PyPdfError,
        RecursionError,
        ValueError,
        KeyError,
        AttributeError,
        TypeError,
        IndexError,
    ) as error:
        raise Broken("The PDF is damaged or cut off.") from error


def _described(reader: Any, source: Source) -> Finding:  # pypdf is not typed here
    pages = len(reader.pages)
    seen = _first_pages(reader, source)
    facts = [f"PDF: {count(pages, 'page')}{_paper(reader) if pages else ''}, {_kind(seen)}"]
    if seen.table_rows >= 3:
        facts.append(f"Probably tables: {seen.table_rows} lines of numbers in columns")
    if source.seconds_left > 1:
        fields = len(reader.get_fields() or {}) if pages else 0
        facts += [f"A form with {count(fields, 'field')}"] if fields else []
        attached = len(reader.attachments)
        facts += [f"Files are attached inside: {attached}"] if attached else []
    text = list(facts)
    if reader.metadata and reader.metadata.title:
        text.append(f"Title: {plain(reader.metadata.title, 120)}")
    if seen.words:
        text.append(f"Begins: {plain(' '.join(seen.texts), TEXT_SHOWN)}")
    return Finding("document", tuple(text), tuple(facts))


def _first_pages(reader: Any, source: Source) -> _Pages:
    seen = _Pages()
    for page in reader.pages[:PAGES_LOOKED_AT]:
        if source.seconds_left < 1 and seen.count:
            break
        seen.count += 1
        seen.images += _images(page)
        if _is_of_sane_size(page):
            seen.texts.append(page.extract_text())
            seen.table_rows += sum(map(_is_table_row, seen.texts[-1].splitlines()))
    return seen


def _is_of_sane_size(page: Any) -> bool:
    from pypdf.errors import LimitReachedError

    try:
        contents = page.get_contents()
        return contents is not None and len(contents.get_data()) < CONTENT_BYTES
    except LimitReachedError:
        return False


def _paper(reader: Any) -> str:
    box = reader.pages[0].mediabox
    return f", {float(box.width) / 72 * 2.54:.0f} × {float(box.height) / 72 * 2.54:.0f} cm"


def _kind(seen: _Pages) -> str:
    if seen.images >= max(1, seen.count) and seen.words < SCANNED_WORDS * seen.count:
        return "scanned: pictures of pages, text only by OCR"
    if not seen.words:
        return "without any text on the first pages"
    return f"with text, {seen.words:,} words on the first {count(seen.count, 'page')}"


def _images(page: Any) -> int:
    resources: Any = page.get("/Resources", {})
    objects: Any = resources.get_object().get("/XObject", {}) if resources else {}
    found = objects.get_object() if objects else {}
    return sum(each.get_object().get("/Subtype") == "/Image" for each in list(found.values())[:50])


def _is_table_row(line: str) -> bool:
    return len(re.findall(r"(?<!\S)[-+(€$]?\d[\d.,]*[%)]?(?!\S)", line)) >= 3
