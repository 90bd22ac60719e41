"""Files of many formats, made by hand."""

import base64
import io
import lzma
import sqlite3
import struct
import tarfile
import wave
import zipfile
import zlib
from pathlib import Path

from tests.guest.box import Box


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    width: int, height: int, colour: tuple[int, int, int] = (10, 200, 30), rows: int | None = None
) -> bytes:
    """`rows`: how many of them are really there."""
    raw = (b"\0" + bytes(colour) * width) * (height if rows is None else rows)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    )


def zipped(**files: str | bytes) -> bytes:
    """Names with double underscores for dots and `SLASH` for what separates folders."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", ".").replace("SLASH", "/"), content)
    return into.getvalue()


def tarred(*members: tarfile.TarInfo, mode: str = "w") -> bytes:
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode=mode) as archive:  # type: ignore[call-overload]  # the mode is given below
        for member in members:
            archive.addfile(member, io.BytesIO(bytes(member.size)))
    return into.getvalue()


def member(name: str, size: int = 3, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = size if kind == tarfile.REGTYPE else 0
    info.type, info.linkname = kind, link
    return info


def sound(seconds: int = 2) -> bytes:
    into = io.BytesIO()
    with wave.open(into, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(22050)
        file.writeframes(bytes(22050 * 4 * seconds))
    return into.getvalue()


def database(folder: Path) -> bytes:
    path = folder / "d.sqlite"
    connection = sqlite3.connect(path)
    connection.execute('CREATE TABLE "odd name"(id INTEGER PRIMARY KEY, name TEXT)')
    connection.executemany('INSERT INTO "odd name"(name) VALUES (?)', [("Ada",), ("Ben",)])
    connection.execute('CREATE VIEW names AS SELECT name FROM "odd name"')
    connection.commit()
    connection.close()
    return path.read_bytes()


def film(box: Box) -> bytes:
    """Ten frames a second for three seconds: black, red, green."""
    code = """
import av, base64, io
import numpy as np
into = io.BytesIO()
with av.open(into, "w", format="mp4") as container:
    stream = container.add_stream("mpeg4", rate=10)
    stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
    for number in range(30):
        colour = [(0, 0, 0), (200, 30, 30), (30, 200, 30)][number // 10]
        picture = np.full((120, 160, 3), colour, dtype="uint8")
        picture[::7] //= 2
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
    container.mux(stream.encode())
value = base64.b64encode(into.getvalue()).decode()
"""
    return base64.b64decode(box.run(code))


LOCKED_7Z = (
    "N3q8ryccAAT4LyE5kwAAAAAAAAAUAAAAAAAAACZVopft2Sy/4PeQobzDBkNCK0rfat6TWUC4nGoQS+Mt8DiFBgEAbgEEBgABCSAKAVQAeuIABwsB"
    "AAIkBvEHARJTDzdRyR89xRLFwrTg8DKOoVMhIQEYAQAMFxMACAoBY3PJ3gAABQERFwBzAGUAYwByAGUAdAAuAGMAcwB2AAAAFAoBAGCwy0OBfN0B"
    "FQYBACCAgIEAAAAXBiABCXMABwsBAAEhIQEYDG8AAA=="
)
"""As py7zr writes it: what describes the content is packed by LZMA2."""
LOCKED_NAMES_7Z = (
    "N3q8ryccAASAlOelkAAAAAAAAAAoAAAAAAAAAJ877iypwdgYCzgvIOEr29CpsiR4NTAran9WNW3anQckgQDA2lvgbpNPb7DazecnQhS+uhHixJq7"
    "G1w9Dn9aJ6qWwzUKgcqh97E8G2QFFsSkPhu6Au0eGYRSL9j66gPZ7OQMdWn2I+gdoOAlduVBo/mtIG+DvbsChMhS2O54MxnSya1X/qpycryuYD9w"
    "jiu7D0vtN9sXBiABCXAABwsBAAEkBvEHARJTD4VsPDAAm942C9tBmYcogKQMbwAA"
)
OPEN_7Z = (
    "N3q8ryccAAS0g8XwdQAAAAAAAAAUAAAAAAAAALS6wFIBABJuYW1lLGFtb3VudApBbm5hLDEKAOAAWgBWXQAAgTMHrg/Pbu6MB7DD2irXWGSss3jO"
    "VN2o0NmZewT9EYt+roETBEKyf0hQlVq71Abycn7mbQAWJGwP04cGW3JSpNN7mhw1vMAf9IPj2jUENi6cAAAAAAAXBhcBCV4ABwsBAAEhIQEYDFsA"
    "AA=="
)


def seven_zip(header: bytes) -> bytes:
    """As 7-Zip writes it: what describes the content is packed by LZMA."""
    coding = {"id": lzma.FILTER_LZMA1, "dict_size": 65536, "lc": 3, "lp": 0, "pb": 2}
    packed = lzma.compress(header, lzma.FORMAT_RAW, filters=[coding])
    assert len(packed) < 128
    how = b"\x17\x06\0\x01\x09%c\0\x07\x0b\x01\0\x01\x23\x03\x01\x01\x05]\0\0\x01\0\x0c%c\0\0" % (
        len(packed), len(header) & 0x7F
    )  # fmt: skip
    start = struct.pack("<QQI", len(packed), len(how), zlib.crc32(how))
    return b"7z\xbc\xaf\x27\x1c\0\x04" + struct.pack("<I", zlib.crc32(start)) + start + packed + how


def rar(name: str, size: int, *, is_locked: bool = False, hides_names: bool = False) -> bytes:
    """The headers of an archive in the format of RAR 5."""
    extra = b"\x02\x01\x00" if is_locked else b""
    fields = bytes([0, size, 0x20, 0, 1, len(name)]) + name.encode()
    blocks = [b"\x04\0"] if hides_names else []
    blocks += [b"\x01\0\0", bytes([2, 3, len(extra), 5]) + fields + extra]
    content = [b"", b"12345"] if not hides_names else [b"", b"", b"12345"]
    packed = b"".join(
        b"\0\0\0\0%c" % len(block) + block + data for block, data in zip(blocks, content, strict=True)
    )
    return b"Rar!\x1a\x07\x01\0" + packed + b"\0\0\0\0\x03\x05\0\0"


def old_rar(name: str, size: int, *, is_locked: bool = False) -> bytes:
    """The same in that of RAR 4."""
    file = struct.pack("<IIBIIBBHI", 5, size, 3, 0, 0, 29, 0x33, len(name), 0o100644) + name.encode()
    head = struct.pack("<HBHH", 0, 0x74, 0x8000 | 4 * is_locked, 7 + len(file)) + file
    main = struct.pack("<HBHH", 0, 0x73, 0, 13) + bytes(6)
    return b"Rar!\x1a\x07\0" + main + head + b"12345" + struct.pack("<HBHH", 0, 0x7B, 0, 7)
