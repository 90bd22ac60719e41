"""Single files packed by gzip, bzip2 or xz. Their start is unpacked and looked at. Standard library only."""

import bz2
import gzip
import lzma
import time
import zlib
from typing import IO, cast

from sandbox.guest.jobs.profiles import archive, text
from sandbox.guest.jobs.profiles.finding import Broken, Finding
from sandbox.guest.jobs.profiles.listing import BOMB_RATIO, BOMB_SIZE
from sandbox.guest.jobs.profiles.magic import magic
from sandbox.guest.jobs.profiles.source import CHUNK_BYTES, Source, Start
from sandbox.guest.jobs.profiles.wording import size

UNPACKED_BYTES = 4 * 1024 * 1024
COUNTING_SECONDS = 0.5
NAMES = {"gzip": "gzip", "bzip2": "bz2", "xz": "xz"}
"""As pandas calls them."""


def profile(source: Source, kind: str) -> Finding:
    """A tar, or something whose start is looked at. Raises `Broken`."""
    try:
        head, unpacked, whole = _unpacked(source, kind)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise Broken("The compressed file is damaged or cut off.") from error
    if head[257:262] == b"ustar":
        with source.path.open("rb") as file:
            return archive.tar(source, opened(file, kind))
    start = Start(head, len(head) == unpacked and whole, _inner_ending(source.name), NAMES[kind])
    much = size(unpacked) if whole else f"more than {size(unpacked)}"
    top = [f"Compressed by {kind}, {size(source.size)}, unpacked {much}"]
    if unpacked > BOMB_RATIO * source.size and unpacked > BOMB_SIZE:
        top.append(f"Watch out: unpacks to {unpacked // source.size:,} times its size: read it in pieces")
    inner = text.profile(source, start)
    if inner:
        return Finding(inner.kind, (*top, *inner.text), (*top, *inner.schema))
    lines = (*top, f"Inside: {magic(head) or 'data of an unknown format'}")
    return Finding("archive", lines, lines)


def opened(file: IO[bytes], kind: str) -> IO[bytes]:
    if kind == "bzip2":
        return bz2.open(file)
    return lzma.open(file) if kind == "xz" else cast("IO[bytes]", gzip.open(file))


def _unpacked(source: Source, kind: str) -> tuple[bytes, int, bool]:
    """The start, how many bytes were counted, and whether that is all."""
    deadline = time.monotonic() + COUNTING_SECONDS
    with source.path.open("rb") as file:
        stream = opened(file, kind)
        head = stream.read(UNPACKED_BYTES)
        total = len(head)
        while chunk := stream.read(CHUNK_BYTES):
            total += len(chunk)
            if time.monotonic() > deadline:
                return head, total, False
    return head, total, True


def _inner_ending(name: str) -> str:
    """Of `sales.csv.gz`: `csv`."""
    parts = name.lower().rsplit("/", 1)[-1].split(".")
    return parts[-2] if len(parts) > 2 else ""
