"""What a check says: whether something is as it should be, and the command that mends it."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from bot.sentences import size


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    ok: bool
    detail: str
    mend: str = ""
    """A command, or what to set; empty where nothing has to be mended."""


def disk(name: str, folder: Path, least_bytes: int, mend: str) -> Check:
    """Whether so much is free where `folder` is, or will be."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    free = shutil.disk_usage(there).free
    ok = free >= least_bytes
    wanted = "" if ok else f"; at least {shown_size(least_bytes)} are needed"
    return Check(name, ok, f"{shown_size(free)} free in {folder}{wanted}.", "" if ok else mend)


def shown_size(size_bytes: int) -> str:
    return size("en", size_bytes)
