"""What turns have done, step by step: written once, and only by the worker that a turn belongs to."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.blobs import Blobs
from bot.store.database import Database
from bot.store.fence import Hold, insert_fenced
from bot.store.files import keep_for_turn
from bot.store.tables import steps

Also = Callable[[AsyncConnection], Awaitable[None]]


_OF_TURN = select(steps.c.name, steps.c.result).where(steps.c.turn == bindparam("of"))


class Steps:
    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._database = database
        self._blobs = blobs

    async def of(self, turn: str) -> dict[str, Any]:
        """The results of all steps, by name."""

        async def work(connection: AsyncConnection) -> dict[str, Any]:
            found = await connection.execute(_OF_TURN, {"of": turn})
            return {row.name: row.result for row in found}

        return await self._database.read(work)

    async def record(self, hold: Hold, name: str, result: Any, also: Also | None = None) -> None:
        """`also` writes in the same transaction: what a step has cost is counted with it or not at all.

        Raises `Fenced`.
        """
        await self.write(self.recording(hold, name, result, also))

    def recording(self, hold: Hold, name: str, result: Any, also: Also | None = None) -> Also:
        """The same, to be written along with something else."""
        row = {"turn": hold.turn, "name": name, "result": result, "epoch": hold.epoch, "at": time.time()}

        async def write(connection: AsyncConnection) -> None:
            if await insert_fenced(self._database, connection, steps, row, hold):
                await keep_for_turn(self._database, connection, hold.turn, name, result, self._blobs.size)
                if also:
                    await also(connection)

        return write

    async def write(self, *all_of: Also) -> None:
        """In one transaction. Raises `Fenced`."""

        async def work(connection: AsyncConnection) -> None:
            for write in all_of:
                await write(connection)

        await self._database.write(work)
