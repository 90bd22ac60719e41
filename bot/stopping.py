"""Waiting for something that a person may stop."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

INTERRUPT_SECONDS = 15
"""How long something interrupted may take to end by itself."""


SILENT = frozenset({"superseded", "deleted"})
"""Reasons for which nobody is answered: the question is not there any more."""


class Stop(asyncio.Event):
    """Set once a turn is to end early."""

    reason: str = "cancelled"

    def set_for(self, reason: str) -> None:
        self.reason = reason
        self.set()


class Parked(Exception):
    """The turn waits for people, and for nothing else: whoever worked on it is free. Not an error."""


class Stopped(Exception):
    """A person stopped the turn. Not an error: what was done so far is delivered."""


async def unless_stopped(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives. Once `stop` is set, `work` is cancelled.

    Raises `Stopped`, also when `stop` was set before.
    """
    return await until_stopped(stop, work, interrupt=None)


async def until_stopped(
    stop: asyncio.Event, work: Coroutine[Any, Any, T], interrupt: Callable[[], Awaitable[None]] | None
) -> T:
    """What `work` gives. Once `stop` is set, `interrupt` is called, and `work` may still end by itself.

    Raises `Stopped` when it doesn't, when there is no `interrupt`, or when `stop` was set before.
    """
    if stop.is_set():
        work.close()
        raise Stopped
    task = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done() and interrupt is not None:
            await interrupt()
            await asyncio.wait({task}, timeout=INTERRUPT_SECONDS)
        if not task.done():
            raise Stopped
        return task.result()
    finally:
        stopping.cancel()
        task.cancel()
        await asyncio.gather(task, stopping, return_exceptions=True)
