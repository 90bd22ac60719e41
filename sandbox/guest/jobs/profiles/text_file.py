"""The start of a file as text."""

from dataclasses import dataclass

from sandbox.guest.jobs.profiles.encoding import Encoding, decode, find_encoding
from sandbox.guest.jobs.profiles.hint import text_literal
from sandbox.guest.jobs.profiles.source import Start


@dataclass(frozen=True, slots=True)
class TextFile:
    name: str
    """Of the file, as people know it."""
    ending: str
    """Of its name, without that of a compression."""
    text: str
    encoding: Encoding
    whole: bool
    """Whether the text is all of the file."""
    compression: str
    """`gzip`, `bz2` or `xz`, as pandas calls it; empty for most files."""
    has_zeros: bool
    """Whether a program left zeros between the characters. They are no part of the text."""

    @property
    def opened(self) -> str:
        """Python that opens it for reading text."""
        encoding = f'encoding="{self.encoding.name}"'
        if not self.compression:
            return f"open({text_literal(self.name)}, {encoding})"
        module = "lzma" if self.compression == "xz" else self.compression
        return f'{module}.open({text_literal(self.name)}, "rt", {encoding})'


def read_text(name: str, start: Start) -> TextFile | None:
    """None for what is no text."""
    encoding = find_encoding(start.data, start.whole)
    if encoding is None:
        return None
    decoded = decode(start.data, encoding.name, start.whole)
    text = decoded.replace("\0", "").removeprefix("\ufeff")
    return TextFile(name, start.ending, text, encoding, start.whole, start.compression, "\0" in decoded)
