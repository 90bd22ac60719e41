"""What people thought of answers."""

import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.messages import ThreadId
from bot.store.database import Database
from bot.store.tables import feedback


@dataclass(frozen=True, slots=True)
class Rating:
    turn: str
    thread: ThreadId
    user: str
    value: str
    """`good` or `bad`."""
    text: str
    at: float


class Feedback:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def rate(self, turn: str, thread: ThreadId, user: str, value: str, text: str = "") -> None:
        """One of each person for each answer: the newest."""
        changing = {"value": value, "text": text, "at": time.time()}
        adding = self._database.insert(feedback).values(turn=turn, thread=thread, user=user, **changing)

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(
                adding.on_conflict_do_update(index_elements=["turn", "user"], set_=changing)
            )

        await self._database.write(work)

    async def newest(  # noqa: PLR0913  # what one may look for
        self,
        *,
        since: float = 0,
        value: str = "",
        team: str = "",
        thread: str = "",
        user: str = "",
        limit: int = 100,
    ) -> list[Rating]:
        """In the order in which they came."""
        wanted = [
            column == given
            for column, given in (
                (feedback.c.value, value),
                (feedback.c.thread, thread),
                (feedback.c.user, user),
            )
            if given
        ]
        if team:
            wanted.append(feedback.c.thread.startswith(f"{team}/", autoescape=True))

        async def work(connection: AsyncConnection) -> list[Rating]:
            found = await connection.execute(
                select(feedback)
                .where(feedback.c.at >= since, *wanted)
                .order_by(feedback.c.at.desc())
                .limit(limit)
            )
            return [_rating(row) for row in found][::-1]

        return await self._database.read(work)

    async def of(self, *, turn: str = "", thread: ThreadId | None = None, user: str = "") -> list[Rating]:
        wanted = [
            column == value
            for column, value in (
                (feedback.c.turn, turn),
                (feedback.c.thread, thread),
                (feedback.c.user, user),
            )
            if value
        ]

        async def work(connection: AsyncConnection) -> list[Rating]:
            found = await connection.execute(select(feedback).where(*wanted).order_by(feedback.c.at))
            return [_rating(row) for row in found]

        return await self._database.read(work)


def _rating(row: Any) -> Rating:
    return Rating(row.turn, ThreadId(row.thread), row.user, row.value, row.text, row.at)
