"""What people decide while the bot runs: that it pauses, who is blocked, what a team or guild may.

They are read where they count, and nowhere remembered: what was switched holds for the next message.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.messages import ThreadId
from bot.store.database import Database
from bot.store.tables import switches, turns

# Made once, as it is asked several times in each turn: to make it takes longer than to ask it.
_VALUES = select(switches.c.name, switches.c.value).where(
    switches.c.name.in_(bindparam("names", expanding=True))
)


@dataclass(frozen=True, slots=True)
class Running:
    """A turn that is being worked on."""

    key: str
    thread: ThreadId
    user: str


class Switches:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def values(self, names: Collection[str]) -> dict[str, str]:
        """Of those that are there."""

        async def work(connection: AsyncConnection) -> dict[str, str]:
            found = await connection.execute(_VALUES, {"names": list(names)})
            return {row.name: row.value for row in found}

        return await self._database.read(work)

    async def names(self, beginning: str) -> list[str]:
        async def work(connection: AsyncConnection) -> list[str]:
            begins = switches.c.name.startswith(beginning, autoescape=True)
            return list(
                await connection.scalars(select(switches.c.name).where(begins).order_by(switches.c.name))
            )

        return await self._database.read(work)

    async def set(self, name: str, value: str, by: str = "") -> None:
        """`by`: the id of whoever decided, empty for whoever sits at this machine."""
        await self.change(name, lambda _: value, by)

    async def change(self, name: str, change: Callable[[str | None], str], by: str = "") -> str:
        """What it is set to: `change` is given what it was, None where it was not there. Nobody sets it in between."""

        async def work(connection: AsyncConnection) -> str:
            await self._database.alone(connection, name)
            before = await connection.execute(_VALUES, {"names": [name]})
            value = change(next((row.value for row in before), None))
            row = {"value": value, "at": time.time(), "by": by}
            adding = self._database.insert(switches).values(name=name, **row)
            await connection.execute(adding.on_conflict_do_update(index_elements=["name"], set_=row))
            return value

        return await self._database.write(work)

    async def remove(self, name: str) -> bool:
        """Whether it was there."""

        async def work(connection: AsyncConnection) -> bool:
            removed = await connection.execute(delete(switches).where(switches.c.name == name))
            return bool(removed.rowcount)

        return await self._database.write(work)

    async def running(self) -> list[Running]:
        """What a switch may have to stop."""

        async def work(connection: AsyncConnection) -> list[Running]:
            found = await connection.execute(
                select(turns.c.key, turns.c.thread, turns.c.user).where(turns.c.state == "running")
            )
            return [Running(row.key, ThreadId(row.thread), row.user) for row in found]

        return await self._database.read(work)
