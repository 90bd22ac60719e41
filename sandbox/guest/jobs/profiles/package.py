"""Files that are zip archives inside, told by their parts: spreadsheets, documents, slides, books."""

import re
import zipfile

from sandbox.guest.jobs.profiles import archive as archives
from sandbox.guest.jobs.profiles import document, ods, workbook, xls, xlsx
from sandbox.guest.jobs.profiles.finding import Broken, Encrypted, Finding
from sandbox.guest.jobs.profiles.source import Source
from sandbox.guest.jobs.profiles.wording import count
from sandbox.guest.jobs.profiles.workbook import Book

LARGE_BYTES = 5_000_000
ANALYSIS_SECONDS = 0.7
"""Kept for looking at the rows once they are read."""


def profile(source: Source) -> Finding:
    """Raises `Broken`, `Encrypted`."""
    try:
        with zipfile.ZipFile(source.path) as archive:
            return _inside(archive, source)
    except zipfile.BadZipFile as error:
        raise Broken("The file is a damaged or cut off zip archive.") from error
    except NotImplementedError as error:
        raise Broken("The archive is packed in a way that is not known here.") from error
    except RuntimeError as error:
        if "password" in str(error) or "encrypted" in str(error):
            raise Encrypted("The file is protected with a password.") from error
        raise


def _inside(archive: zipfile.ZipFile, source: Source) -> Finding:  # noqa: PLR0911  # one line a kind
    names = set(archive.namelist())
    kind = _mimetype(archive) if "mimetype" in names else ""
    if "xl/workbook.xml" in names:
        return _excel(archive, source)
    if "xl/workbook.bin" in names:
        sheets, notes = xls.read_plainly(source), document.macros(archive)
        what = "Binary Excel workbook (.xlsb)" + (" with macros" if notes else "")
        return workbook.profile(Book(source.name, what, sheets, notes, engine="calamine"))
    if "word/document.xml" in names:
        return document.word(archive, source)
    if "ppt/presentation.xml" in names:
        return document.slides(archive, source)
    if kind.startswith("application/vnd.oasis.opendocument"):
        return _open_document(archive, source, kind)
    if kind == "application/epub+zip":
        return document.book(archive)
    if any(re.match(r"Index/.*\.iwa", name) for name in names) or "Index.zip" in names:
        line = "Apple Numbers, Pages or Keynote document: not readable here; export it as Excel, CSV or PDF"
        return Finding("document", (line,), (line,))
    if any(name.endswith(".npy") for name in names) and source.ending == "npz":
        line = f"NumPy archive: {count(len(names), 'array')}: {', '.join(sorted(names)[:20])}"
        return Finding("table", (line,), (line,))
    return archives.zipped(archive, source)


def _mimetype(archive: zipfile.ZipFile) -> str:
    with archive.open("mimetype") as part:
        return part.read(200).decode("ascii", "replace").strip()


def _excel(archive: zipfile.ZipFile, source: Source) -> Finding:
    sheets = xlsx.read(archive, max(0.5, source.seconds_left - ANALYSIS_SECONDS))
    notes = document.macros(archive)
    what = "Excel workbook with macros" if notes else "Excel workbook"
    links = sum(name.startswith("xl/externalLinks/externalLink") for name in archive.namelist())
    if links:
        notes.append(f"Values come from {count(links, 'other workbook')} and may be old")
    return workbook.profile(Book(source.name, what, sheets, notes, _engine(source)))


def _engine(source: Source) -> str:
    """pandas looks at the content itself, but takes no name that it does not know; and its usual reader is slow."""
    if source.size > LARGE_BYTES:
        return "calamine"
    return "" if source.ending in {"xlsx", "xlsm", "xls"} else "openpyxl"


def _open_document(archive: zipfile.ZipFile, source: Source, kind: str) -> Finding:
    if "META-INF/manifest.xml" in archive.namelist():
        with archive.open("META-INF/manifest.xml") as part:
            if b"encryption-data" in part.read(2_000_000):
                raise Encrypted("The document is protected with a password.")
    if "spreadsheet" in kind:
        sheets = ods.read(archive, max(0.5, source.seconds_left - ANALYSIS_SECONDS))
        return workbook.profile(Book(source.name, "OpenDocument spreadsheet", sheets))
    return document.open_document(archive, source, kind)
