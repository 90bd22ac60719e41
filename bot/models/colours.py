"""A small picture with a known answer, made without any library for images."""

import struct
import zlib

SIDE = 64
"""Pixels. Endpoints refuse pictures of a few pixels."""
COLOURS = {
    "red": (220, 20, 20),
    "green": (20, 160, 40),
    "blue": (20, 40, 220),
    "yellow": (250, 220, 20),
    "black": (0, 0, 0),
    "white": (255, 255, 255),
}


def png(upper: str, lower: str) -> bytes:
    """A picture whose upper half has one colour and whose lower half another."""
    rows = [upper] * (SIDE // 2) + [lower] * (SIDE // 2)
    pixels = b"".join(b"\0" + bytes(COLOURS[colour]) * SIDE for colour in rows)
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(pixels)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
