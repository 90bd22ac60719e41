"""Workers of a data directory, and which of them have ended: each holds a lock for as long as it lives."""

import asyncio
import contextlib
import os
import secrets
import socket
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

from bot.lock import FILE, is_free, locked

SWEEP_SECONDS = 3600.0


@asynccontextmanager
async def working(data_dir: Path) -> AsyncIterator[str]:
    """The name of a new worker, which is this process."""
    name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    await asyncio.to_thread(_sweep, data_dir)
    folder = _folder(data_dir, name)
    async with locked(folder):
        yield name
    with contextlib.suppress(OSError):
        (folder / FILE).unlink()
        folder.rmdir()


async def dead(data_dir: Path, names: Collection[str], *, with_others: bool) -> list[str]:
    """Which of these have been workers of this data directory, and are not any more.

    `with_others`: some may be of other machines. Else all have worked here, be it under a name that the machine has no
    more, as every new container has one of its own.
    """
    return await asyncio.to_thread(_dead, data_dir, names, with_others)


def _dead(data_dir: Path, names: Collection[str], with_others: bool) -> list[str]:
    # Names of machines may have dashes, and one may begin as another one.
    ours = [name for name in names if not with_others or name.rsplit("-", 2)[0] == socket.gethostname()]
    return [name for name in ours if not _folder(data_dir, name).exists() or is_free(_folder(data_dir, name))]


def _sweep(data_dir: Path) -> None:
    """What workers have left that were killed: whoever has no folder counts as dead too."""
    for folder in (data_dir / "workers").glob("*"):
        with contextlib.suppress(OSError):
            # One that is being made is not locked yet.
            if folder.stat().st_mtime < time.time() - SWEEP_SECONDS and is_free(folder):
                (folder / FILE).unlink()
                folder.rmdir()


def _folder(data_dir: Path, name: str) -> Path:
    return data_dir / "workers" / name
