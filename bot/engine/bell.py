"""What wakes workers: something is to be done, or to be stopped. A bell may ring for nothing, and may not be missed for
long: whoever waits looks again after a while in any case."""

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol


class Bell(Protocol):
    async def ring(self) -> None:
        """For every worker of this deployment."""
        ...

    def ring_here(self) -> None:
        """Only for whoever waits at this one."""
        ...

    async def wait(self, most_seconds: float) -> None:
        """Until it rings, or has rung since the last time."""
        ...


class LocalBell:
    """For the processes of one machine: each that listens has a pipe in a folder, so nobody has to look at the clock.

    Pipes, since the path of a socket may only have a hundred characters.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rung = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def heard(cls, data_dir: Path) -> AsyncIterator["LocalBell"]:
        """For the worker itself: others ring it from outside."""
        bell = cls(data_dir / "bell")
        pipe = bell._folder / secrets.token_hex(8)
        descriptor = _new_pipe(pipe)
        loop = asyncio.get_running_loop()
        loop.add_reader(descriptor, bell._hear, descriptor)
        try:
            yield bell
        finally:
            loop.remove_reader(descriptor)
            pipe.unlink(missing_ok=True)
            os.close(descriptor)

    async def ring(self) -> None:
        self._rung.set()
        with contextlib.suppress(FileNotFoundError):
            for pipe in self._folder.iterdir():
                _ring(pipe)

    def ring_here(self) -> None:
        self._rung.set()

    async def wait(self, most_seconds: float) -> None:
        await until(self._rung, most_seconds)

    def _hear(self, descriptor: int) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(descriptor, 65_536)
        self._rung.set()


def _new_pipe(pipe: Path) -> int:
    pipe.parent.mkdir(parents=True, exist_ok=True)
    made = pipe.with_name(f".{pipe.name}")
    os.mkfifo(made, 0o600)
    # For writing as well: else it would be at its end whenever nobody rings.
    descriptor = os.open(made, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    # Only now: what nobody listens at is taken away by whoever rings.
    made.rename(pipe)
    return descriptor


def _ring(pipe: Path) -> None:
    if pipe.name.startswith("."):
        return
    try:
        descriptor = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        # Whoever listened there has died.
        pipe.unlink(missing_ok=True)
        return
    # One that is full has been rung often enough.
    with contextlib.suppress(OSError):
        os.write(descriptor, b"!")
    os.close(descriptor)


async def until(rung: asyncio.Event, most_seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(most_seconds):
            await rung.wait()
    rung.clear()
