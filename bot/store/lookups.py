"""What adapters ask of threads and turns: whose, which were last, what runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, cast, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.messages import ThreadId
from bot.store.database import Database
from bot.store.memory import mark_of
from bot.store.tables import seen, steps, threads, turns

RECENT = 40
ASKED = 60
"""Revisions of questions."""


@dataclass(frozen=True, slots=True)
class Lookups:
    database: Database

    async def asker(self, turn: str) -> str | None:
        """By the turn's id, or by its source without a revision: then of the newest."""

        async def work(connection: AsyncConnection) -> str | None:
            found: str | None = await connection.scalar(
                select(turns.c.user)
                .where((turns.c.id == turn) | (turns.c.key == turn))
                .order_by(turns.c.number.desc())
                .limit(1)
            )
            return found

        return await self.database.read(work)

    async def askers(self, thread: ThreadId) -> set[str]:
        """Of what is open in the thread."""

        async def work(connection: AsyncConnection) -> set[str]:
            found = await connection.scalars(
                select(turns.c.user).where(turns.c.thread == thread, turns.c.state != "ended")
            )
            return set(found)

        return await self.database.read(work)

    async def is_known(self, thread: ThreadId) -> bool:
        """Whether anything was ever asked there, be it long ago: a thread that was emptied for its age is known."""
        asked = exists().where(turns.c.thread == thread)
        emptied = exists().where(threads.c.id == thread, threads.c.expired_at.is_not(None))

        async def work(connection: AsyncConnection) -> bool:
            return bool(await connection.scalar(select(or_(asked, emptied))))

        return await self.database.read(work)

    async def has_heard(self, turn: str, key: str) -> bool:
        """Whether there was such a turn, or another revision of it."""

        async def work(connection: AsyncConnection) -> bool:
            asked = exists().where(turns.c.key == key)
            deleted = exists().where(seen.c.place == mark_of(turn))
            return bool(await connection.scalar(select(or_(asked, deleted))))

        return await self.database.read(work)

    async def messages(self, thread: ThreadId) -> list[tuple[dict[str, Any], bool]]:
        """What people said there: the newest revision of each question, and what was read above one; whether it is a
        question."""

        async def work(connection: AsyncConnection) -> list[tuple[dict[str, Any], bool]]:
            asked = (
                select(turns.c.key, turns.c.message).where(turns.c.thread == thread).order_by(turns.c.number)
            )
            questions = {row.key: row.message["message"] for row in await connection.execute(asked)}
            reading = (
                select(steps.c.result)
                .join(turns, steps.c.turn == turns.c.id)
                .where(turns.c.thread == thread, steps.c.name == "above")
            )
            above = {
                each["id"]: each
                for result in await connection.scalars(reading)
                for each in result["messages"]
                # Somebody has taken back what has no author any more.
                if each["author"]["id"]
            }
            return [
                *((each, True) for each in questions.values()),
                *((each, False) for each in above.values()),
            ]

        return await self.database.read(work)

    async def recent(self, team: str) -> Sequence[tuple[ThreadId, str]]:
        """The team's threads, the most recently used first, each with the id of its newest turn."""
        others = turns.alias()
        newest = select(func.max(others.c.number)).where(others.c.thread == threads.c.id).scalar_subquery()

        async def work(connection: AsyncConnection) -> Sequence[tuple[ThreadId, str]]:
            found = await connection.execute(
                select(threads.c.id, turns.c.id)
                .select_from(threads)
                .join(turns, turns.c.number == newest)
                .where(threads.c.team == team)
                .order_by(threads.c.used_at.desc())
                .limit(RECENT)
            )
            return [(ThreadId(row[0]), str(row[1])) for row in found]

        return await self.database.read(work)

    async def asked(self, team: str) -> list[dict[str, Any]]:
        """What the team's newest turns were made from, the newest first; of each question its newest revision."""

        async def work(connection: AsyncConnection) -> list[dict[str, Any]]:
            found = await connection.execute(
                select(turns.c.key, turns.c.message)
                .join(threads, threads.c.id == turns.c.thread)
                .where(threads.c.team == team)
                .order_by(turns.c.number.desc())
                .limit(ASKED)
            )
            by_key: dict[str, dict[str, Any]] = {}
            for row in found:
                by_key.setdefault(row.key, row.message)
            return list(by_key.values())

        return await self.database.read(work)

    async def threads_in_channel(self, team: str, channel: str) -> list[ThreadId]:
        """Those in which somebody asked from there."""

        async def work(connection: AsyncConnection) -> list[ThreadId]:
            found = await connection.execute(
                select(turns.c.thread, turns.c.message)
                .join(threads, threads.c.id == turns.c.thread)
                .where(threads.c.team == team, cast(turns.c.message, Text).contains(channel, autoescape=True))
            )
            asked_from = {
                row.thread for row in found if (row.message.get("visit") or {}).get("channel") == channel
            }
            return [ThreadId(each) for each in sorted(asked_from)]

        return await self.database.read(work)

    async def turns_with_file(self, team: str, file: str) -> list[str]:
        """Sources of the turns whose message came with a file of that id in its address."""

        async def work(connection: AsyncConnection) -> list[str]:
            found = await connection.execute(
                select(turns.c.key, turns.c.message)
                .join(threads, threads.c.id == turns.c.thread)
                .where(threads.c.team == team, cast(turns.c.message, Text).contains(file, autoescape=True))
                .order_by(turns.c.number.desc())
            )
            return [
                row.key
                for row in found
                if any(file in each["url"] for each in row.message["message"]["attachments"])
            ]

        return await self.database.read(work)

    async def threads_with_file_above(self, team: str, file: str) -> list[ThreadId]:
        """In which a question was asked below somebody's message with a file of that id in its address."""

        async def work(connection: AsyncConnection) -> list[ThreadId]:
            found = await connection.scalars(
                select(turns.c.thread)
                .join(threads, threads.c.id == turns.c.thread)
                .join(steps, steps.c.turn == turns.c.id)
                .where(threads.c.team == team, steps.c.name == "above")
                .where(cast(steps.c.result, Text).contains(file, autoescape=True))
                .distinct()
            )
            return [ThreadId(each) for each in found]

        return await self.database.read(work)
