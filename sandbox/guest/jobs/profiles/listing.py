"""The files in an archive, and what to beware of when it is unpacked. Pure, standard library only."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sandbox.guest.jobs.profiles.finding import Finding
from sandbox.guest.jobs.profiles.wording import count, listed, plain, quoted, size

ENTRIES_SHOWN = 25
BOMB_RATIO = 200
"""Ordinary data shrink to a hundredth at most."""
BOMB_SIZE = 20_000_000
"""Below it a ratio harms nobody."""
BOMB_BYTES = 500_000_000
ARCHIVE_ENDINGS = (".zip", ".7z", ".rar", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".zst")


@dataclass(frozen=True, slots=True)
class Entry:
    name: str
    size: int
    is_link: bool = False
    is_folder: bool = False
    is_device: bool = False

    @property
    def is_unsafe(self) -> bool:
        """Whether unpacking it carelessly could write outside the folder."""
        name = self.name.replace("\\", "/")
        return name.startswith("/") or ".." in name.split("/") or name[1:2] == ":" or self.is_device


def listing(
    what: str, entries: Sequence[Entry], packed_bytes: int, notes: Iterable[str] = (), complete: bool = True
) -> Finding:
    """`notes`: what else there is to beware of, without names from the archive."""
    files = [entry for entry in entries if not entry.is_folder]
    total = sum(entry.size for entry in files)
    files_counted = ("" if complete else "at least ") + count(len(files), "file")
    top = f"{what}: {files_counted}, {size(total)} unpacked, {size(packed_bytes)} packed"
    warnings = [*notes, *_warnings(entries, files, total, packed_bytes)]
    if not complete:
        warnings.append("not listed to its end")
    endings = Counter(_ending(entry.name) for entry in files)
    kinds = f"By ending: {listed(f'{plain(each, 12)} × {times:,}' for each, times in endings.most_common())}"
    caution = ["Watch out:", *(f"- {warning}" for warning in warnings)] if warnings else []
    unsafe = [f"- unsafe name: {quoted(entry.name, 60)}" for entry in entries if entry.is_unsafe][:3]
    shown = [f"- {plain(entry.name, 80)}, {size(entry.size)}" for entry in files[:ENTRIES_SHOWN]]
    if len(files) > ENTRIES_SHOWN:
        shown.append(f"- and {len(files) - ENTRIES_SHOWN:,} more")
    return Finding("archive", (top, *caution, *unsafe, kinds, *shown), (top, *caution, kinds))


def _warnings(entries: Sequence[Entry], files: Sequence[Entry], total: int, packed_bytes: int) -> list[str]:
    found: list[str] = []
    ratio = total / max(1, packed_bytes)
    if (ratio > BOMB_RATIO and total > BOMB_SIZE) or total > BOMB_BYTES:
        found.append(f"unpacks to {ratio:,.0f} times its size ({size(total)}): don't unpack all of it")
    unsafe = sum(entry.is_unsafe for entry in entries)
    if unsafe:
        found.append(f"{count(unsafe, 'name')} would leave the folder when unpacked")
    links = sum(entry.is_link for entry in entries)
    if links:
        found.append(f"{count(links, 'link')}: don't follow them")
    doubled = len(files) - len({entry.name for entry in files})
    if doubled:
        found.append(f"{count(doubled, 'name')} come more than once")
    nested = sum(entry.name.lower().endswith(ARCHIVE_ENDINGS) for entry in files)
    if nested:
        found.append(f"{count(nested, 'archive')} inside")
    return found


def _ending(name: str) -> str:
    base = name.rstrip("/").rsplit("/", 1)[-1]
    return "." + base.rsplit(".", 1)[-1].lower() if "." in base.strip(".") else "none"
