"""Writing a file so that others find the old one or the new one, never half of either. Blocks."""

import os
import secrets
from pathlib import Path
from typing import IO


def write(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Without `durable` the file may be the old one again after the machine lost its power."""
    path.parent.mkdir(parents=True, exist_ok=True)
    incoming = incoming_in(path.parent)
    try:
        with incoming.open("wb") as stream:
            stream.write(data)
            if durable:
                settle(stream)
        incoming.replace(path)
    finally:
        incoming.unlink(missing_ok=True)


def incoming_in(folder: Path) -> Path:
    """A free name for what will be renamed once it is whole."""
    return folder / f".{secrets.token_hex(8)}.incoming"


def settle(stream: IO[bytes]) -> None:
    """What was written is on the disk when this returns."""
    stream.flush()
    os.fsync(stream.fileno())
