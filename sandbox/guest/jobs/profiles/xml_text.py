"""XML: which elements there are, and where. Standard library only."""

import re
from collections import Counter
from xml.parsers import expat

from sandbox.guest.jobs.profiles.finding import Broken, Finding
from sandbox.guest.jobs.profiles.markup import Markup
from sandbox.guest.jobs.profiles.text_file import TextFile
from sandbox.guest.jobs.profiles.wording import count, listed, plain

ENDINGS = frozenset(["xml", "svg", "gpx", "kml", "xsd", "rss", "xls"])
PART_CHARACTERS = 2_000_000
PATHS_SHOWN = 25
PATH_LENGTH = 6
KNOWN_ROOTS = {
    "svg": "SVG drawing",
    "gpx": "GPS tracks (GPX)",
    "kml": "Map (KML)",
    "Workbook": "Excel workbook as XML",
}


def profile(file: TextFile) -> Finding | None:
    """None for what is no such thing. Raises `Broken` for a .xml that is none."""
    start = file.text[:4096].lstrip()
    if not start.startswith("<?xml") and not (start.startswith("<") and file.ending in ENDINGS):
        return None
    found = _Outline()
    try:
        # The declaration may name an encoding that this text is not in any more.
        found.feed(re.sub(r"^\s*<\?xml[^>]*\?>", "", file.text[:PART_CHARACTERS]).encode("utf-8", "replace"))
    except expat.ExpatError:
        if not found.paths and file.ending in ENDINGS - {"xls"}:
            raise Broken("This is no well-formed XML.") from None
    if not found.paths:
        return None
    root = next(iter(found.paths))
    whole = file.whole and len(file.text) <= PART_CHARACTERS
    counted = count(found.paths.total(), "element") + ("" if whole else " in the part looked at")
    lines = [f"{KNOWN_ROOTS.get(root, 'XML')}: root element {plain(root)}, {counted}"]
    if root == "Workbook":
        lines.append("pandas cannot read this format directly: parse ss:Row and ss:Data with lxml")
    lines += [
        _told(path, times, found.attributes[path]) for path, times in found.paths.most_common(PATHS_SHOWN)
    ]
    return Finding("text", tuple(lines), tuple(lines))


def _told(path: str, times: int, attributes: list[str]) -> str:
    named = f" ({listed(map(plain, attributes))})" if attributes else ""
    return f"- {plain(path, 80)} × {times:,}{named}"


class _Outline(Markup):
    def __init__(self) -> None:
        super().__init__()
        self.paths: Counter[str] = Counter()
        self.attributes: dict[str, list[str]] = {}
        self._path: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        path = "/".join(self._path[:PATH_LENGTH])
        self.paths[path] += 1
        known = self.attributes.setdefault(path, [])
        known += [key for key in attributes if key not in known and len(known) < 8]

    def end(self, name: str) -> None:
        self._path.pop()
