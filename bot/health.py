"""Says over HTTP how it is: alive (`/healthz`), ready (`/readyz`), in numbers (`/metrics`).

Ready is measured where the work is: the store is asked, the engine is asked, and each adapter says when it last heard
its platform. A bot that is deaf is not ready, however alive it is.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog
from aiohttp import web
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import metrics
from bot.errors import BotError
from bot.store.database import Database
from bot.store.tables import OPEN, turns

log = structlog.get_logger()

CHECK_SECONDS = 3.0
FRESH_SECONDS = 2.0
"""However often it is asked, the checks are made no more often than this."""

Ready = Callable[[], Awaitable[bool]]
"""Whether a part works now. A `BotError` means no."""


@dataclass(slots=True)
class Health:
    database: Database
    checks: dict[str, Ready] = field(default_factory=dict[str, Ready])
    """By name: `engine`, `slack`. Whoever is connected later adds theirs then."""
    sessions: Callable[[], int] = lambda: 0
    is_draining: bool = False
    """It takes nothing new: whoever sends work should send it elsewhere."""
    _found: Mapping[str, bool] = field(default_factory=dict[str, bool])
    _found_at: float = float("-inf")
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def readiness(self) -> Mapping[str, bool]:
        """Each check, by its name."""
        async with self._asking:
            if time.monotonic() - self._found_at > FRESH_SECONDS:
                named = {"store": self._store_answers, **self.checks}
                results = await asyncio.gather(*(_passed(name, each) for name, each in named.items()))
                self._found = dict(zip(named, results, strict=True))
                self._found_at = time.monotonic()
        return {**self._found, **({"draining": False} if self.is_draining else {})}

    async def numbers(self) -> bytes:
        for name, is_ready in (await self.readiness()).items():
            metrics.ready.labels(name).set(is_ready)
        metrics.sessions.set(self.sessions())
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                found = await self.database.read(_by_state)
        except (BotError, TimeoutError):
            found = {}
        for state in OPEN:
            metrics.queue.labels(state).set(found.get(state, 0))
        return metrics.page()

    async def _store_answers(self) -> bool:
        await self.database.read(lambda connection: connection.execute(text("SELECT 1")))
        return True


@asynccontextmanager
async def serving(health: Health, host: str, port: int) -> AsyncIterator[int]:
    """The port that it listens on; another one than `port` where that is 0."""

    async def alive(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def ready(_: web.Request) -> web.Response:
        found = await health.readiness()
        status = 200 if all(found.values()) else 503
        lines = [f"{name} {'ok' if is_ready else 'failed'}\n" for name, is_ready in found.items()]
        return web.Response(text="".join(lines), status=status)

    async def numbers(_: web.Request) -> web.Response:
        page = await health.numbers()
        return web.Response(body=page, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    app = web.Application()
    app.add_routes([web.get("/healthz", alive), web.get("/readyz", ready), web.get("/metrics", numbers)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        listening = runner.addresses[0][1]
        log.info("health.served", host=host, port=listening)
        yield int(listening)
    finally:
        await runner.cleanup()


async def _passed(name: str, check: Ready) -> bool:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check()
    except (BotError, OSError, TimeoutError) as error:
        log.warning("check.failed", check=name, detail=str(error))
        return False


async def _by_state(connection: AsyncConnection) -> dict[str, int]:
    found = await connection.execute(
        select(turns.c.state, func.count()).where(turns.c.state.in_(OPEN)).group_by(turns.c.state)
    )
    return {row[0]: row[1] for row in found}
