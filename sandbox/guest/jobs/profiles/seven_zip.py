"""7z archives: listed by py7zr where that is there. Whether they need a password is seen without it."""

import lzma
import struct

from sandbox.guest.jobs.profiles.finding import Broken, Encrypted, Finding
from sandbox.guest.jobs.profiles.listing import Entry, listing
from sandbox.guest.jobs.profiles.source import Source
from sandbox.guest.jobs.profiles.wording import size

HEADER_BYTES = 1024 * 1024
"""More of what describes the content is not read."""
_START_BYTES = 32
_PACKED_HEADER = b"\x17"
_ONE_CODER = b"\x0b\x01\x00\x01"
"""One folder, described here, of one coder."""
_AES, _LZMA, _LZMA2 = b"\x06\xf1\x07\x01", b"\x03\x01\x01", b"\x21"
"""https://github.com/ip7z/7zip/blob/main/DOC/Methods.txt."""


def profile(source: Source) -> Finding:
    """Raises `Broken`, `Encrypted`."""
    if _AES in _header(source):
        raise Encrypted("The archive is protected with a password.")
    try:
        import py7zr
    except ImportError:
        line = f"7z archive, {size(source.size)}: no library for it is installed here; ask for a zip"
        return Finding("archive", (line,), (line,))
    try:
        with py7zr.SevenZipFile(source.path) as archive:
            entries = [
                Entry(each.filename, each.uncompressed or 0, is_folder=each.is_directory)
                for each in archive.list()
            ]
    except py7zr.exceptions.Bad7zFile as error:
        raise Broken("The archive is damaged.") from error
    return listing("7z archive", entries, source.size)


def _header(source: Source) -> bytes:
    """What describes the content, which is at the end and mostly packed itself: as stored, then unpacked."""
    start = source.head(_START_BYTES)
    if len(start) < _START_BYTES:
        raise Broken("The archive is cut off.")
    offset, length = struct.unpack("<QQ", start[12:28])
    if _START_BYTES + offset + length > source.size:
        raise Broken("The archive is cut off.")
    header = source.part(_START_BYTES + offset, min(length, HEADER_BYTES))
    if not header.startswith(_PACKED_HEADER) or _AES in header:
        return header
    try:
        return header + _unpacked(header, source)
    except (IndexError, ValueError, lzma.LZMAError) as error:
        raise Broken("The archive is damaged.") from error


def _unpacked(header: bytes, source: Source) -> bytes:
    """https://github.com/ip7z/7zip/blob/main/DOC/7zFormat.txt, from the property EncodedHeader on."""
    # Two markers, then where the packed header lies; its size follows a marker of its own.
    position, at = _number(header, 2)
    _, at = _number(header, at)
    length, _ = _number(header, at + 1)
    packed = source.part(_START_BYTES + position, min(length, HEADER_BYTES))
    at = header.index(_ONE_CODER) + len(_ONE_CODER)
    coder = header[at + 1 : at + 1 + (header[at] & 0x0F)]
    # No part of the header that is read is further away than this.
    coding: dict[str, int] = {"id": lzma.FILTER_LZMA2, "dict_size": HEADER_BYTES}
    if coder == _LZMA:
        rest, literal = divmod(header[at + 1 + len(coder) + 1], 9)
        coding |= {"id": lzma.FILTER_LZMA1, "lc": literal, "lp": rest % 5, "pb": rest // 5}
    elif coder != _LZMA2:
        return b""
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[coding]).decompress(packed, HEADER_BYTES)


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number at a place, and the place behind it. The first byte begins with a one for each byte that follows."""
    first = data[at]
    more = 8 - (first ^ 0xFF).bit_length()
    low = int.from_bytes(data[at + 1 : at + 1 + more], "little")
    high = first & (0x7F >> more)
    return low | high << (8 * more), at + 1 + more
