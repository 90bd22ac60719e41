"""XML read in pieces, by local names, with no document types: they make entities grow without end."""

import time
from typing import IO
from xml.parsers import expat

CHUNK_BYTES = 256 * 1024
TAIL_BYTES = 256 * 1024


class Markup:
    """Override `start`, `end` and `text`. Names come without their prefixes."""

    def __init__(self) -> None:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self.text
        parser.StartDoctypeDeclHandler = self._doctype
        parser.buffer_text = True
        self._parser = parser

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, data: str) -> None:
        """Text, perhaps only a part of it."""

    def feed(self, data: bytes) -> None:
        """Raises `expat.ExpatError` for what is no XML."""
        self._parser.Parse(data, False)

    def feed_all(self, stream: IO[bytes], most: int, deadline: float) -> bool:
        """Feed at most so many bytes, up to a time on the monotonic clock. Whether that was all. Raises
        `expat.ExpatError`."""
        while chunk := stream.read(CHUNK_BYTES):
            if most <= 0 or time.monotonic() > deadline:
                return False
            self.feed(chunk)
            most -= len(chunk)
        return True

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if ":" in name:
            name = name.rpartition(":")[2]
        if attributes:
            attributes = {key.rpartition(":")[2]: value for key, value in attributes.items()}
        self.start(name, attributes)

    def _end(self, name: str) -> None:
        self.end(name.rpartition(":")[2])

    def _doctype(self, *_: object) -> None:
        raise expat.ExpatError("document types are not read")


def end_of(stream: IO[bytes], deadline: float) -> bytes:
    """The last bytes; none where the time, on the monotonic clock, does not suffice to get there."""
    last, before = b"", b""
    while chunk := stream.read(CHUNK_BYTES):
        before, last = last, chunk
        if time.monotonic() > deadline:
            return b""
    return (before + last)[-TAIL_BYTES:]


def feed_fragment(part: Markup, opening: bytes, fragment: bytes) -> None:
    """The end of a document under an opening of our own: what encloses it further up is never closed."""
    try:
        part.feed(opening)
        part.feed(fragment)
    except expat.ExpatError:
        return  # what came before the damage has been taken
