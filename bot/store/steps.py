"""What turns have done, step by step: written once, and only by the worker that a turn belongs to."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import Database
from bot.store.fence import Hold, insert_fenced
from bot.store.files import Files
from bot.store.tables import steps

Also = Callable[[AsyncConnection], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Recording:
    """What a step has come to, before it is in the store."""

    step: str
    result: Any
    also: Also | None = None
    """Written with it, and only if it is new."""
    at: float = field(default_factory=time.time)


_OF_TURN = select(steps.c.name, steps.c.result).where(steps.c.turn == bindparam("of"))


class Steps:
    def __init__(self, database: Database, files: Files) -> None:
        self._database = database
        self._files = files

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
        await self.write(self.writing(hold, [Recording(name, result, also)]))

    def writing(self, hold: Hold, recordings: Sequence[Recording], along: Sequence[Also] = ()) -> Also:
        """All of that in one transaction, whichever that is. It raises `Fenced`."""
        rows = [
            {"turn": hold.turn, "name": each.step, "result": each.result, "epoch": hold.epoch, "at": each.at}
            for each in recordings
        ]

        async def write(connection: AsyncConnection) -> None:
            new = await insert_fenced(self._database, connection, steps.c.name, rows, hold) if rows else ()
            for also in along:
                await also(connection)
            # Only now: what a step has cost locks the accounts of many turns.
            for each in recordings:
                if each.step not in new:
                    continue
                await self._files.keep_for_turn(connection, hold.turn, each.step, each.result)
                if each.also:
                    await each.also(connection)

        return write

    async def write(self, write: Also) -> None:
        """Raises `Fenced`."""
        await self._database.write(write)
