"""Locks between the processes of one machine: whoever holds one is alive."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

ASK_AGAIN_SECONDS = 0.05
FILE = "lock"


@asynccontextmanager
async def locked(folder: Path) -> AsyncIterator[None]:
    """Waits as long as somebody else holds it. It is free again when its holder ends, however that ends."""
    opening = asyncio.ensure_future(asyncio.to_thread(_opened, folder))
    try:
        descriptor = await asyncio.shield(opening)
    except asyncio.CancelledError:
        # It is opened all the same, and nobody else would close it.
        os.close(await opening)
        raise
    try:
        while not _taken(descriptor):  # noqa: ASYNC110  # another process sets no Event of ours
            await asyncio.sleep(ASK_AGAIN_SECONDS)
        yield
    finally:
        os.close(descriptor)


def is_free(folder: Path) -> bool:
    """Whether nobody holds it at this moment."""
    descriptor = _opened(folder)
    try:
        return _taken(descriptor)
    finally:
        os.close(descriptor)


def _opened(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    return os.open(folder / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
