"""What adapters remember of a thread: which of the platform's messages a post became, say."""

import time

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.messages import ThreadId
from bot.store.database import Database
from bot.store.tables import notes


class Notes:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def recall(self, thread: ThreadId, key: str) -> str | None:
        async def work(connection: AsyncConnection) -> str | None:
            found: str | None = await connection.scalar(
                select(notes.c.value).where(notes.c.thread == thread, notes.c.key == key)
            )
            return found

        return await self._database.read(work)

    async def note(self, thread: ThreadId, key: str, value: str) -> None:
        now = time.time()
        adding = self._database.insert(notes).values(thread=thread, key=key, value=value, at=now)

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(
                adding.on_conflict_do_update(
                    index_elements=["thread", "key"], set_={"value": value, "at": now}
                )
            )

        await self._database.write(work)
