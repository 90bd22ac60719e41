"""Where each thread's session is, and what is kept of it: for `sandbox`, which knows what the record says."""

import time
from typing import Any

from sqlalchemy import ColumnElement, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.folders import team_of
from bot.messages import ThreadId
from bot.store.database import Database
from bot.store.fence import Hold
from bot.store.files import Files
from bot.store.tables import threads, turns


class Sessions:
    def __init__(self, database: Database, files: Files) -> None:
        self._database = database
        self._files = files

    async def load(self, thread: ThreadId) -> dict[str, Any] | None:
        async def work(connection: AsyncConnection) -> dict[str, Any] | None:
            found: dict[str, Any] | None = await connection.scalar(
                select(threads.c.session).where(threads.c.id == thread)
            )
            return found

        return await self._database.read(work)

    async def held(self, thread: ThreadId) -> tuple[dict[str, Any] | None, int]:
        """The same, and the epoch of whoever owns the session."""

        async def work(connection: AsyncConnection) -> tuple[dict[str, Any] | None, int]:
            query = select(threads.c.session, threads.c.box_epoch).where(threads.c.id == thread)
            found = (await connection.execute(query)).first()
            return (found.session, found.box_epoch) if found else (None, 0)

        return await self._database.read(work)

    async def save(self, thread: ThreadId, record: dict[str, Any], epoch: int | None = None) -> bool:
        """Whether it still was its to say, where somebody says it as the owner of that epoch."""
        saving = self._upserting(thread, {"session": record})
        if epoch is not None:
            ours = (threads.c.id == thread, threads.c.box_epoch == epoch)
            saving = update(threads).where(*ours).values(session=record)

        async def work(connection: AsyncConnection) -> bool:
            if not (await connection.execute(saving)).rowcount:
                return False
            await self._files.keep_for_session(connection, thread, record)
            return True

        return await self._database.write(work)

    async def all(self) -> list[tuple[ThreadId, dict[str, Any]]]:
        """Of every thread that may still have a container."""

        async def work(connection: AsyncConnection) -> list[tuple[ThreadId, dict[str, Any]]]:
            found = await connection.execute(
                select(threads.c.id, threads.c.session).where(threads.c.session.is_not(None))
            )
            return [(ThreadId(row.id), row.session) for row in found]

        return await self._database.read(work)

    async def own(
        self, thread: ThreadId, hold: Hold | None = None
    ) -> tuple[dict[str, Any] | None, int] | None:
        """What `held` would say then: an epoch higher than any before, with which the session is one's own.

        What earlier owners say is not heard any more. None where somebody else works in that thread: whose turn it is
        says `hold`.
        """
        works = select(literal(1)).select_from(turns).where(turns.c.state == "running")
        may: ColumnElement[bool]
        if hold:
            may = works.where(turns.c.id == hold.turn, turns.c.epoch == hold.epoch).exists()
        else:
            # On one machine, locks keep apart whoever has no turn.
            may = ~works.where(turns.c.thread == thread, turns.c.lease_until > self._now()).exists()
        raised = threads.c.box_epoch + 1
        owning = self._upserting(thread, {"box_epoch": raised}, {"box_epoch": 1}, where=may)

        owning = owning.returning(threads.c.session, threads.c.box_epoch)

        async def work(connection: AsyncConnection) -> tuple[dict[str, Any] | None, int] | None:
            found = (await connection.execute(owning)).first()
            return (found.session, found.box_epoch) if found else None

        return await self._database.write(work)

    @property
    def are_shared(self) -> bool:
        """Whether other machines may use them too."""
        return not self._database.is_sqlite

    def _now(self) -> Any:
        return time.time() if self._database.is_sqlite else func.extract("epoch", func.clock_timestamp())

    def _upserting(
        self,
        thread: ThreadId,
        changed: dict[str, Any],
        new: dict[str, Any] | None = None,
        where: ColumnElement[bool] | None = None,
    ) -> Any:
        """Code may run in a thread before anybody has asked anything there."""
        now = time.time()
        row = {"id": thread, "team": team_of(thread), "created_at": now, "used_at": now}
        adding = self._database.insert(threads).values({**row, **(new or changed)})
        return adding.on_conflict_do_update(index_elements=["id"], set_=changed, where=where)
