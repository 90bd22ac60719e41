"""Names for the files people send: safe, unique, and the newest one keeps the plain name."""

import re
import unicodedata
from collections.abc import Collection
from datetime import datetime
from pathlib import PurePosixPath

NAME_BYTES = 120
"""Of a name in UTF-8: most file systems and platforms take 255, and dates are added to it."""
ENDING_BYTES = 20

_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
_JOINERS = "\u200c\u200d"
"""Invisible, but Persian words and family emoji need them."""


def safe_name(name: str) -> str:
    """A file name that stays in its directory and can be read, stored and downloaded everywhere."""
    last_part = re.split(r"[/\\]", unicodedata.normalize("NFC", name).rstrip("/\\"))[-1]
    visible = "".join(
        character
        for character in last_part
        if character in _JOINERS or not unicodedata.category(character).startswith("C")
    )
    plain = re.sub(r'[<>:"|?*\u2028\u2029]', "_", visible).strip(" .")
    if not plain.strip("_ ."):
        plain = "file"
    if _RESERVED.fullmatch(plain):
        plain = f"_{plain}"
    return _shortened(plain)


def unique_name(name: str, taken: Collection[str]) -> str:
    """`name`, or `name (2)` and so on before its ending, whichever is free."""
    number = 1
    candidate = name
    while candidate in taken:
        number += 1
        candidate = _with(name, f" ({number})")
    return candidate


def older_name(name: str, verb: str, at: datetime, taken: Collection[str]) -> str:
    """What a file is called once a newer one has its name: `sales (uploaded 2026-03-02).csv`.

    `verb` says what happened to it at that time; `at` is in the time zone of whoever reads the name.
    """
    by_day = _with(name, f" ({verb} {at:%Y-%m-%d})")
    if by_day not in taken:
        return by_day
    by_minute = _with(name, f" ({verb} {at:%Y-%m-%d %H.%M})")
    number = 1
    candidate = by_minute
    while candidate in taken:
        number += 1
        candidate = _with(by_minute, f" {number}")
    return candidate


def _with(name: str, addition: str) -> str:
    ending = _ending(name)
    return _shortened(name.removesuffix(ending) + addition + ending, kept=addition + ending)


def _shortened(name: str, kept: str | None = None) -> str:
    """Cut before the ending, between two characters."""
    kept = _ending(name) if kept is None else kept
    stem = name.removesuffix(kept).encode()[: NAME_BYTES - len(kept.encode())]
    return stem.decode(errors="ignore").rstrip(" .") + kept


def _ending(name: str) -> str:
    """`.csv`, or `.tar.gz`; nothing where the part after the dot is too long to be one."""
    path = PurePosixPath(name)
    double = "".join(path.suffixes[-2:])
    ending = double if re.fullmatch(r"\.(tar|geojson|nii|csv|json|txt)\.\w+", double) else path.suffix
    return ending if len(ending.encode()) <= ENDING_BYTES else ""
