"""Microsoft's compound files: old Office documents, mail, and the wrapping of password-protected new ones."""

from collections.abc import Sequence
from typing import Any

from sandbox.guest.jobs.profiles import workbook, xls
from sandbox.guest.jobs.profiles.finding import MACROS, Broken, Encrypted, Finding
from sandbox.guest.jobs.profiles.source import Source
from sandbox.guest.jobs.profiles.wording import size
from sandbox.guest.jobs.profiles.workbook import Book

OFFICE = frozenset(["xls", "xlt", "doc", "dot", "ppt", "pps", "msg", "xlsx", "docx", "pptx"])


def profile(source: Source) -> Finding:
    """Raises `Broken`, `Encrypted`; ImportError where no library is there."""
    names = _streams(source)
    if "EncryptedPackage" in names:
        raise Encrypted("The document is protected with a password.")
    notes = [MACROS] if names & {"VBA", "_VBA_PROJECT", "_VBA_PROJECT_CUR"} else []
    if names & {"Workbook", "Book"}:
        what = "Old Excel workbook (.xls)" + (" with macros" if notes else "")
        return workbook.profile(Book(source.name, what, xls.read(source), notes, _engine(source)))
    if "WordDocument" in names:
        return _document(source, "Old Word document (.doc)", notes)
    if "PowerPoint Document" in names:
        return _document(source, "Old PowerPoint slides (.ppt)", notes)
    if any(name.startswith("__substg1.0_") for name in names):
        return _document(source, "Outlook message (.msg)")
    if source.ending in OFFICE:
        raise Broken("The document is damaged or cut off.")
    line = f"Compound file of Microsoft, {size(source.size)}, of an unknown kind"
    return Finding("other", (line,), (line,))


def _engine(source: Source) -> str:
    return "" if source.ending == "xls" else "xlrd"


def _streams(source: Source) -> set[str]:
    """Names of the top folders and of all streams."""
    import olefile

    try:
        with olefile.OleFileIO(str(source.path)) as file:
            _refuse_protected(file)
            paths = file.listdir()
    except (OSError, ValueError) as error:
        raise Broken("The document is damaged or cut off.") from error
    return {path[0] for path in paths} | {path[-1] for path in paths}


def _refuse_protected(file: Any) -> None:  # olefile is not typed here
    """[MS-DOC] 2.5.2, bit fEncrypted; [MS-PPT] 2.3.2, headerToken."""
    if file.exists("WordDocument"):
        start = file.openstream("WordDocument").read(12)
        if len(start) == 12 and start[11] & 1:
            raise Encrypted("The document is protected with a password.")
    if file.exists("Current User") and file.openstream("Current User").read(16)[12:16] == b"\xdf\xc4\xd1\xf3":
        raise Encrypted("The slides are protected with a password.")


def _document(source: Source, what: str, notes: Sequence[str] = ()) -> Finding:
    line = f"{what}, {size(source.size)}: convert it with LibreOffice if that is there, or ask for a newer format"
    return Finding("document", (line, *notes), (line, *notes))
