"""The file that is looked into: its ends, its size and the time that is left for it."""

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sandbox.guest.jobs.profiles.finding import Broken

CHUNK_BYTES = 1024 * 1024
START_BYTES = 6 * 1024 * 1024
"""Of a text: what is said of a larger one is said of its start."""


@dataclass(frozen=True, slots=True)
class Start:
    """The beginning of a text, unpacked where the file is compressed."""

    data: bytes
    whole: bool
    """Whether this is all of it."""
    ending: str
    """Of its name, without that of the compression."""
    compression: str = ""
    """`gzip`, `bz2` or `xz`, as pandas calls it; empty for most files."""


@dataclass(frozen=True, slots=True)
class Source:
    path: Path
    name: str
    """As people know it, relative to the workspace."""
    size: int
    """In bytes."""
    deadline: float
    """On the monotonic clock: nothing new is begun after it."""

    @classmethod
    def open(cls, folder: Path, name: str, seconds: float) -> "Source":
        """Raises `Broken` for what is not an ordinary file: a pipe or a device would never end."""
        path = folder / name
        try:
            found = path.stat()
        except OSError as error:
            raise Broken(f"The file cannot be opened: {os.strerror(error.errno or 0)}.") from error
        if not stat.S_ISREG(found.st_mode):
            raise Broken("This is not an ordinary file.")
        return cls(path, name, found.st_size, time.monotonic() + seconds)

    @property
    def ending(self) -> str:
        """`csv` for `Sales.CSV`; empty where there is none."""
        return self.path.suffix[1:].lower()

    @property
    def seconds_left(self) -> float:
        return self.deadline - time.monotonic()

    def head(self, size: int) -> bytes:
        return self.part(0, size)

    def tail(self, size: int) -> bytes:
        return self.part(max(0, self.size - size), size)

    def part(self, offset: int, size: int) -> bytes:
        if offset >= self.size:
            return b""
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read(size)

    def start(self) -> Start:
        data = self.head(START_BYTES)
        return Start(data, len(data) == self.size, self.ending)

    def chunks(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
