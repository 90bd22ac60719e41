"""Text and frames of the kernel travel apart; a mark in the text says where a frame belongs.

Code can write marks of its own. All that it moves with them is its own output.
"""

import re

_MARK = re.compile(rb"\x00\x1a\[plotline (\d{1,12})\]\x1a\x00")


def mark(number: int) -> bytes:
    return b"\x00\x1a[plotline %d]\x1a\x00" % number


def unmarked(text: bytes) -> bytes:
    return _MARK.sub(b"", text) if b"\x1a" in text else text
