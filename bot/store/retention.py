"""What goes by itself: all of a thread once nobody has said anything there for long enough.

The thread's own row stays, and says since when it is empty: whoever asks there again hears of it.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import and_, delete, exists, null, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.blobs import Blob
from bot.messages import ThreadId
from bot.store.database import Database
from bot.store.files import Files, blobs_of
from bot.store.memory import forget_about
from bot.store.tables import OPEN, feedback, files, notes, refused_pictures, rounds, threads, turns

AT_ONCE = 50
"""Threads; between them, others may write."""
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Retention:
    database: Database
    files: Files

    async def expire(self, days: int) -> list[ThreadId]:
        """Empty the threads that nobody has used for so long; which these were. At most a few at once."""
        before = time.time() - days * DAY_SECONDS
        is_open = exists().where(turns.c.thread == threads.c.id, turns.c.state.in_(OPEN))
        old = (
            select(threads.c.id)
            .where(threads.c.used_at < before, threads.c.expired_at.is_(None), ~is_open)
            .order_by(threads.c.used_at)
            .limit(AT_ONCE)
        )

        async def find(connection: AsyncConnection) -> list[ThreadId]:
            return [ThreadId(each) for each in await connection.scalars(old)]

        return [thread for thread in await self.database.read(find) if await self._expire(thread, before)]

    async def _expire(self, thread: ThreadId, before: float) -> bool:
        async def work(connection: AsyncConnection) -> set[Blob] | None:
            # Somebody may have said something meanwhile.
            marked = await connection.execute(
                update(threads)
                .where(threads.c.id == thread, threads.c.used_at < before)
                # Who has the session at this moment, say because a bot that died left it, writes nothing back.
                .values(expired_at=time.time(), session=null(), box_epoch=threads.c.box_epoch + 1)
            )
            if not marked.rowcount:
                return None
            return await empty(connection, self.files, thread, keeps_root=True)

        blobs = await self.database.write(work)
        if blobs is None:
            return False
        await self.files.remove_unneeded(blobs)
        return True


def revived(thread: ThreadId) -> Callable[[AsyncConnection], Awaitable[None]]:
    """Writes that the thread is in use again."""

    async def write(connection: AsyncConnection) -> None:
        await connection.execute(
            update(threads)
            .where(and_(threads.c.id == thread, threads.c.expired_at.is_not(None)))
            .values(expired_at=None)
        )

    return write


async def empty(
    connection: AsyncConnection, kept: Files, thread: ThreadId, *, keeps_root: bool = False
) -> set[Blob]:
    """Takes everything out of a thread but its own row; which blobs may not be needed any more."""
    blobs = {(row.team, row.sha256) for row in await connection.execute(blobs_of(files.c.thread == thread))}
    await kept.note_unneeded(connection, blobs)
    asked = await connection.scalars(select(turns.c.key).where(turns.c.thread == thread).distinct())
    await forget_about(connection, {thread, *asked}, keeps_roots=keeps_root)
    for table in (files, rounds, notes, refused_pictures, feedback, turns):
        await connection.execute(delete(table).where(table.c.thread == thread))
    return blobs
