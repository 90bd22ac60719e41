"""Boxes kept ready for threads that have none yet: each is for one thread, and never for another one."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import structlog

from bot.errors import SandboxError
from sandbox.box import Box

log = structlog.get_logger()

TRY_AGAIN_SECONDS = 30
REFILL_AFTER_SECONDS = 1.0
"""Whoever has taken one has the machine for as long: most first cells have ended by then."""


class Warm:
    """Refilled one at a time, off the path of whoever takes one."""

    def __init__(
        self,
        wanted: int,
        new: Callable[[], Awaitable[Box | None]],
        drop: Callable[[Box], Awaitable[None]],
        news: Callable[[], None],
    ) -> None:
        """`new` gives None where there is no room for one more; `drop` is for those that have ended.

        `news` hears of each that can be given up.
        """
        self._wanted = wanted
        self._new = new
        self._drop = drop
        self._tell = news
        self._boxes: deque[Box] = deque()
        self._news = asyncio.Event()
        self._is_full = asyncio.Event()

    async def take(self) -> Box | None:
        """One that is ready, if there is one."""
        self.refill()
        while self._boxes:
            box = self._boxes.popleft()
            if not box.has_ended:
                return box
            await self._drop(box)
        return None

    def refill(self) -> None:
        self._is_full.clear()
        self._news.set()

    async def until_full(self) -> None:
        if self._wanted:
            await self._is_full.wait()

    async def keep_filled(self) -> None:
        """For as long as it runs."""
        while True:
            await self._fill()
            self._is_full.set()
            await self._news.wait()
            await asyncio.sleep(REFILL_AFTER_SECONDS)
            self._news.clear()

    def give_up_one(self) -> Box | None:
        """For somebody who needs its place more; it is made anew in a while, if there is room again."""
        return self._boxes.popleft() if self._boxes else None

    async def ping(self) -> None:
        """Lets them know that somebody is there; looks for those that have ended, and for room for more."""
        for box in list(self._boxes):
            try:
                await box.ping()
            except SandboxError:
                # Whoever has taken it meanwhile finds out too.
                if box in self._boxes:
                    self._boxes.remove(box)
                    await self._drop(box)
        if len(self._boxes) < self._wanted:
            self.refill()

    def empty(self) -> list[Box]:
        boxes, self._boxes = list(self._boxes), deque()
        return boxes

    async def _fill(self) -> None:
        while len(self._boxes) < self._wanted:
            try:
                box = await self._new()
            except SandboxError as error:
                log.warning("container.not_warmed", detail=str(error))
                await asyncio.sleep(TRY_AGAIN_SECONDS)
                continue
            if box is None:
                return
            self._boxes.append(box)
            self._tell()
