"""Dates as people write them. Pure, standard library only.

Whether the day or the month comes first cannot be seen in one value: each gives the formats that it allows, and a
column takes what all of its values allow.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

_TIME = (
    r"(?:[T ,]+(?P<time>\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?\s*(?P<zone>Z|[-+]\d{2}:?\d{2})?)?"
)
_YEAR_FIRST = re.compile(rf"(?P<y>\d{{4}})(?P<s>[-/.])(?P<m>\d{{1,2}})(?P=s)(?P<d>\d{{1,2}}){_TIME}")
_YEAR_LAST = re.compile(rf"(?P<a>\d{{1,2}})(?P<s>[-/.])(?P<b>\d{{1,2}})(?P=s)(?P<y>\d{{4}}|\d{{2}}){_TIME}")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_LONG_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_DAY_WORD = re.compile(
    rf"(?P<d>\d{{1,2}})(?P<s>[- ])(?P<m>[A-Za-z]{{3,9}})(?P=s)(?P<y>\d{{4}}|\d{{2}}){_TIME}"
)
_WORD_DAY = re.compile(rf"(?P<m>[A-Za-z]{{3,9}}) (?P<d>\d{{1,2}}), (?P<y>\d{{4}}){_TIME}")


class DateText(NamedTuple):
    formats: tuple[str, ...]
    """For strptime; two where day and month could change places."""
    has_time: bool


def date_text(text: str) -> DateText | None:
    """None for what is no date."""
    text = text.strip()
    if not 6 <= len(text) <= 40:
        return None
    if found := _YEAR_FIRST.fullmatch(text):
        s = found["s"]
        dated = [(f"%Y{s}%m{s}%d", f"{found['y']} {found['m']} {found['d']}")]
    elif found := _YEAR_LAST.fullmatch(text):
        s, year = found["s"], "%Y" if len(found["y"]) == 4 else "%y"
        century = found["y"] if len(found["y"]) == 4 else "20" + found["y"]
        dated = [(f"%d{s}%m{s}{year}", f"{century} {found['b']} {found['a']}")]
        # Nobody writes the month first with dots.
        dated += [] if s == "." else [(f"%m{s}%d{s}{year}", f"{century} {found['a']} {found['b']}")]
    elif found := _DAY_WORD.fullmatch(text) or _WORD_DAY.fullmatch(text):
        word = found["m"].lower()
        names = [("%b", _MONTHS), ("%B", _LONG_MONTHS)]
        # May is short and long at once.
        month = [(form, months.index(word) + 1) for form, months in names if word in months]
        year, century = ("%Y", found["y"]) if len(found["y"]) == 4 else ("%y", "20" + found["y"])
        s = "" if found.re is _WORD_DAY else found["s"]
        dated = [
            (f"%d{s}{form}{s}{year}" if s else f"{form} %d, {year}", f"{century} {number} {found['d']}")
            for form, number in month
        ]
    else:
        return None
    formats = tuple(written + _time_format(found, text) for written, day in dated if _exists(day))
    return DateText(formats, bool(found["time"])) if formats else None


def _exists(day: str) -> bool:
    try:
        datetime.strptime(day, "%Y %m %d")  # noqa: DTZ007  # only asks whether there is such a day
    except ValueError:
        return False
    return True


def _time_format(found: re.Match[str], text: str) -> str:
    if not found["time"]:
        return ""
    between = text[found.end("y" if found.re is not _YEAR_FIRST else "d") : found.start("time")]
    parts = found["time"].replace(",", ".").split(":")
    written = ("%I" if found["half"] else "%H") + ":%M"
    if len(parts) == 3:
        written += ":%S.%f" if "." in parts[2] else ":%S"
    if found["half"]:
        written += text[found.end("time") : found.start("half")] + "%p"
    if found["zone"]:
        written += text[found.end("half" if found["half"] else "time") : found.start("zone")] + "%z"
    return between + written


class Dates(NamedTuple):
    format: str
    """For strptime and pandas."""
    other: str | None
    """The same with day and month changed, when nothing tells which comes first."""
    misfits: tuple[str, ...]
    """Dates that are written in another way."""
    has_time: bool


def read_dates(texts: Iterable[str]) -> Dates | None:
    """The format that fits most of `texts`, which are distinct."""
    found = {text: each for text in texts if (each := date_text(text))}
    votes: dict[str, int] = {}
    for each in found.values():
        for written in each.formats:
            votes[written] = votes.get(written, 0) + 1
    if not votes:
        return None
    most = max(votes.values())
    best, *others = (written for written, number in votes.items() if number == most)
    misfits = tuple(text for text, each in found.items() if best not in each.formats)
    swapped = [each for each in others if _swapped(each) == best]
    return Dates(
        best, swapped[0] if swapped else None, misfits, any(each.has_time for each in found.values())
    )


def _swapped(written: str) -> str:
    return written.replace("%d", "\0").replace("%m", "%d").replace("\0", "%m")
