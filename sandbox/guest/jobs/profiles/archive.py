"""Archives: zip, tar, 7z and RAR. What they list, and nothing unpacked."""

import lzma
import tarfile
import time
import zipfile
import zlib
from typing import IO, cast

from sandbox.guest.jobs.profiles.finding import Broken, Encrypted, Finding
from sandbox.guest.jobs.profiles.listing import Entry, listing
from sandbox.guest.jobs.profiles.source import Source
from sandbox.guest.jobs.profiles.wording import count

ENTRIES_LOOKED_AT = 20_000
UNPACKED_FOR_LISTING = 400_000_000
"""A compressed tar is unpacked, and thrown away, to see its names."""


def zipped(archive: zipfile.ZipFile, source: Source) -> Finding:
    """Raises `Encrypted` when no file in it can be read."""
    found = archive.infolist()
    files = [info for info in found if not info.is_dir()]
    locked = [info for info in files if info.flag_bits & 1]
    if files and len(locked) == len(files):
        raise Encrypted("The archive is protected with a password.")
    entries = [
        Entry(
            info.filename, info.file_size, is_link=(info.external_attr >> 28) == 0o12, is_folder=info.is_dir()
        )
        for info in found
    ]
    notes = [f"{count(len(locked), 'file')} in it need a password"] if locked else []
    packed = sum(info.compress_size for info in files)
    overlapping = packed > source.size
    if overlapping:
        notes.append("its files overlap, as in a zip bomb: don't unpack it")
    return listing("Zip archive", entries, source.size, notes)


def tar(source: Source, unpacked: IO[bytes] | None = None) -> Finding:
    """`unpacked`: its content where the archive is compressed. Raises `Broken`."""
    entries: list[Entry] = []
    complete = True
    deadline = time.monotonic() + max(0.2, source.seconds_left * 0.7)
    try:
        with source.path.open("rb") as file:
            stream = cast("IO[bytes]", _Bounded(unpacked or file, source))
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                for member in archive:
                    entries.append(_entry(member))
                    if len(entries) >= ENTRIES_LOOKED_AT or time.monotonic() > deadline:
                        complete = False
                        break
    except (_TooMuch, tarfile.StreamError):
        complete = False
    except (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        if not entries:
            raise Broken("The archive is damaged.") from error
        complete = False
    what = "Compressed tar archive" if unpacked else "Tar archive"
    return listing(what, entries, source.size, complete=complete)


def _entry(member: tarfile.TarInfo) -> Entry:
    return Entry(
        member.name,
        member.size,
        is_link=member.issym() or member.islnk(),
        is_folder=member.isdir(),
        is_device=member.isdev(),
    )


class _TooMuch(Exception):
    """More than is unpacked for a list of names."""


class _Bounded:
    """A file to read from, up to a number of bytes or the end of the time."""

    def __init__(self, stream: IO[bytes], source: Source) -> None:
        self._stream = stream
        self._source = source
        self._left = UNPACKED_FOR_LISTING

    def read(self, number: int = -1) -> bytes:
        if self._left <= 0 or self._source.seconds_left < 0.3:
            raise _TooMuch
        data = self._stream.read(min(number, 1024 * 1024) if number >= 0 else 1024 * 1024)
        self._left -= len(data)
        return data
