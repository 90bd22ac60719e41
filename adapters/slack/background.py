"""Work that Slack does not wait for, with an owner."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from bot.errors import PlatformUnavailable

log = structlog.get_logger()


class Background:
    """Runs what was asked for beside everything else. One that fails takes nothing else down."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.ensure_future(self._guarded(work, name))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Until nothing is left to do."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self.settle()

    async def _guarded(self, work: Coroutine[Any, Any, None], name: str) -> None:
        # Nobody waits for these, so an error would be seen by nobody, or end everything.
        try:
            await work
        except PlatformUnavailable as error:
            log.warning("slack.work_failed", work=name, detail=str(error))
        except Exception:
            log.exception("slack.work_crashed", work=name)
