"""Boxes from the engine: new ones, running ones, and those that nobody needs any more."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from bot.errors import SandboxError, SandboxLost
from bot.limits import Limits
from sandbox.box import Box
from sandbox.channel import Channel
from sandbox.container import WORKER, Engine, Kind

log = structlog.get_logger()

NOBODY = 0
"""The epoch of a box's maker: every thread's owner has a higher one."""
STILLBORN_SECONDS = 600.0
NOTHING, CHARTS = "", "charts"
"""What a new box has loaded: as little as can be, or all that a chart of a table needs."""


class Boxes:
    def __init__(self, kind: Kind, worker: str) -> None:
        self._engine = Engine(kind)
        self._limits: Limits = kind.limits
        self._network = kind.network
        self._worker = worker
        self._removing: set[asyncio.Task[None]] = set()

    async def new(self, preload: str) -> Box:
        """Raises `SandboxNotReady`, `SandboxLost`."""
        idle_seconds = f"{self._limits.idle_seconds:g}"
        environment = {
            "PLOTLINE_PRELOAD": preload,
            "PLOTLINE_IDLE_SECONDS": idle_seconds,
            **(self._network.environment if self._network else {}),
        }
        container = await self._engine.create({WORKER: self._worker}, environment)
        try:
            channel = Channel(await self._engine.attach(container))
            return await self._ready(container, channel, NOBODY, self._engine.start(container))
        except BaseException:
            self.remove(container)
            raise

    async def is_running(self, container: str) -> bool:
        """Raises `SandboxNotReady`."""
        return await self._engine.is_running(container)

    async def attached(self, container: str, epoch: int) -> Box | None:
        """The box in that container, if it answers and has no owner with a higher epoch. Raises `SandboxNotReady`."""
        try:
            return await self._ready(container, Channel(await self._engine.attach(container)), epoch)
        except SandboxLost as error:
            log.info("container.gone", container=container[:12], detail=str(error))
            return None

    async def all(self) -> dict[str, str]:
        """The worker that made it, by container: all of this deployment."""
        return await self._engine.workers()

    async def stillborn(self) -> list[str]:
        """Those whose maker died before it could start them: they would stay for ever."""
        return await self._engine.never_started(STILLBORN_SECONDS)

    def remove(self, container: str) -> None:
        """In a while: it takes a quarter of a second, and nobody needs to wait for it."""
        task = asyncio.get_running_loop().create_task(self._remove(container))
        self._removing.add(task)
        task.add_done_callback(self._removing.discard)

    async def close(self) -> None:
        await asyncio.gather(*self._removing)
        await self._engine.close()

    async def _remove(self, container: str) -> None:
        try:
            await self._engine.remove(container)
        except SandboxError as error:
            # It ends by itself when it hears nobody.
            log.warning("container.not_removed", container=container[:12], detail=str(error))

    async def _ready(
        self,
        container: str,
        channel: Channel,
        epoch: int,
        starting: Coroutine[Any, Any, None] | None = None,
    ) -> Box:
        try:
            if starting:
                await starting
            box = Box(container, channel, await channel.attach(epoch))
            await box.until_ready()
        except BaseException:
            await channel.close()
            raise
        return box
