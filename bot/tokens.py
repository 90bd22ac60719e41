"""How many tokens something is, as far as its length tells; endpoints count in their own ways."""

BYTES_PER_TOKEN = 3.5
"""For English, German and Python; a Chinese character is three bytes, and about one token."""
ENTRY_TOKENS = 8
"""Roles and separators around each entry."""
PICTURE_TOKENS = 1100
"""About what an endpoint counts for a picture of 1024 pixels."""


def text_tokens(text: str) -> int:
    # Most texts say so of themselves, and need not be encoded to be counted.
    size = len(text) if text.isascii() else len(text.encode(errors="replace"))
    return int(size / BYTES_PER_TOKEN) + 1
