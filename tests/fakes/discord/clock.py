"""Time that passes when a test says so."""

import asyncio
import heapq
import itertools
import time
from datetime import UTC, datetime, timedelta

PATIENCE_SECONDS = 20
TURNS_OF_THE_LOOP = 20
"""How often tasks that were woken may run before time goes on."""


class FakeClock:
    """Begins on a Monday; who sleeps on it wakes up in order."""

    def __init__(self, start: datetime = datetime(2026, 3, 2, 13, 5, tzinfo=UTC)) -> None:
        self._now = start
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        waking: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        due = self._now + timedelta(seconds=seconds)
        heapq.heappush(self._sleepers, (due, next(self._numbers), waking))
        await waking

    @property
    def is_awaited(self) -> bool:
        """Whether somebody sleeps."""
        return any(not waking.done() for _, _, waking in self._sleepers)

    async def advance(self, seconds: float) -> None:
        end = self._now + timedelta(seconds=seconds)
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, waking = heapq.heappop(self._sleepers)
            self._now = max(self._now, due)
            if not waking.done():
                waking.set_result(None)
            await _settle()
        self._now = end
        await _settle()

    async def wake(self, seconds: float) -> None:
        """Advance, once somebody sleeps whom that wakes: what they did before may take its real time."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        end = self._now + timedelta(seconds=seconds)
        while not any(due <= end and not waking.done() for due, _, waking in self._sleepers):
            assert time.monotonic() < deadline, "nobody fell asleep"
            await asyncio.sleep(0.005)
        await self.advance(seconds)


async def _settle() -> None:
    for _ in range(TURNS_OF_THE_LOOP):
        await asyncio.sleep(0)


class WallClock(FakeClock):
    """Time that passes by itself."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
