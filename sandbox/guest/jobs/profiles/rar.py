"""RAR archives, listed by the headers of their files. Standard library only.

https://www.rarlab.com/technote.htm; the older format is that of RAR 4.
"""

import struct
from collections.abc import Iterator

from sandbox.guest.jobs.profiles.finding import Broken, Encrypted, Finding
from sandbox.guest.jobs.profiles.listing import Entry, listing
from sandbox.guest.jobs.profiles.source import Source

ENTRIES_LOOKED_AT = 5000
HEADER_BYTES = 8192
_SIGN = b"Rar!\x1a\x07\x01\x00"
_OLD_SIGN = b"Rar!\x1a\x07\x00"
_UNIX_LINK = 0o12


def profile(source: Source) -> Finding:
    """Raises `Broken`, `Encrypted`."""
    is_old = source.head(8).startswith(_OLD_SIGN)
    entries: list[Entry] = []
    locked = 0
    try:
        for entry, is_locked in _old_entries(source) if is_old else _entries(source):
            entries.append(entry)
            locked += is_locked
            if len(entries) >= ENTRIES_LOOKED_AT or source.seconds_left < 1:
                break
        else:
            return _listed(entries, locked, source, complete=True)
    except (IndexError, struct.error) as error:
        if not entries:
            raise Broken("The archive is damaged or cut off.") from error
    return _listed(entries, locked, source, complete=False)


def _listed(entries: list[Entry], locked: int, source: Source, complete: bool) -> Finding:
    if locked and locked == sum(not entry.is_folder for entry in entries):
        raise Encrypted("The archive is protected with a password.")
    notes = [f"{locked} of the files in it need a password"] if locked else []
    return listing("RAR archive", entries, source.size, notes, complete)


def _entries(source: Source) -> Iterator[tuple[Entry, bool]]:
    """Each file, and whether it needs a password. Raises IndexError for what is cut off."""
    at = len(_SIGN)
    while True:
        reading = _Reading(source.part(at, HEADER_BYTES), 4)
        size = reading.number()
        end = reading.at + size
        kind, flags = reading.number(), reading.number()
        extra = reading.number() if flags & 1 else 0
        content = reading.number() if flags & 2 else 0
        if kind == 4:
            raise Encrypted("The archive is protected with a password.")
        if kind == 5:
            return
        if kind == 2:
            is_locked = any(each == 1 for each in _extras(reading.data[end - extra : end]))
            yield _file(reading), is_locked
        at += end + content


class _Reading:
    """Numbers of seven bits a byte, the lowest first."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    def number(self) -> int:
        result = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            result |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80 or shift > 63:
                return result

    def skip(self, size: int) -> None:
        self.at += size


def _file(reading: _Reading) -> Entry:
    flags, size, attributes = reading.number(), reading.number(), reading.number()
    reading.skip(4 * bool(flags & 2) + 4 * bool(flags & 4))
    reading.number()  # how it is packed
    is_unix = reading.number() == 1
    length = reading.number()
    name = reading.data[reading.at : reading.at + length].decode("utf-8", "replace")
    is_link = is_unix and attributes >> 12 == _UNIX_LINK
    return Entry(name, size, is_link=is_link, is_folder=bool(flags & 1))


def _extras(data: bytes) -> Iterator[int]:
    """The kinds of the records behind a header; 1 is that of encryption."""
    at = 0
    while at < len(data):
        reading = _Reading(data, at)
        size = reading.number()
        end = reading.at + size
        yield reading.number()
        at = end


def _old_entries(source: Source) -> Iterator[tuple[Entry, bool]]:
    at = len(_OLD_SIGN)
    while at < source.size:
        header = source.part(at, HEADER_BYTES)
        kind, flags, size = struct.unpack_from("<BHH", header, 2)
        if kind == 0x73 and flags & 0x80:
            raise Encrypted("The archive is protected with a password.")
        if kind == 0x7B:
            return
        (content,) = struct.unpack_from("<I", header, 7) if flags & 0x8000 else (0,)
        if kind == 0x74:
            unpacked, system, length, attributes = struct.unpack_from("<IB10xHI", header, 11)
            start = 32
            if flags & 0x100:
                high, more = struct.unpack_from("<II", header, start)
                content, unpacked, start = content | high << 32, unpacked | more << 32, start + 8
            # A name in Unicode follows the same one in plain letters.
            name = header[start : start + length].partition(b"\0")[0].decode("utf-8", "replace")
            is_link = system == 3 and attributes >> 12 == _UNIX_LINK
            yield Entry(name, unpacked, is_link=is_link, is_folder=flags & 0xE0 == 0xE0), bool(flags & 4)
        if size < 7:
            raise IndexError
        at += size + content
