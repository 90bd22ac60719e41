"""Which files are needed, by which thread, turn and person, so that all others can go.

A row is written together with whatever names the file: a step of a turn, or the record of a session. It goes with the
turn, with the thread, or once the session names the file no more; a blob goes once no row of its team names it.
"""

import asyncio
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.blobs import Blob, Blobs
from bot.folders import folder_name, team_of
from bot.messages import ThreadId
from bot.store import unneeded
from bot.store.database import Database
from bot.store.named_files import File, in_session, in_step
from bot.store.tables import files, turns
from bot.store.unneeded import some_at_once

OF_SESSION = ("session", "package")
"""Kinds that belong to a session. The others belong to a turn: `upload`, `artifact`, `picture`."""


@dataclass(frozen=True, slots=True)
class Held:
    """A file as a row has it."""

    thread: ThreadId
    turn: str
    user: str
    at: float
    file: File


class Files:
    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._database = database
        self._blobs = blobs

    async def used(self, *, thread: ThreadId | None = None, team: str = "", user: str = "") -> int:
        """Bytes of a thread, of a person in a team, or of all; each content is counted once."""
        where: ColumnElement[bool] = literal(value=True)
        if thread is not None:
            where = files.c.thread == thread
        elif user:
            where = and_(files.c.team == team, files.c.user == user)
        each = (
            select(func.max(files.c.size_bytes).label("size_bytes"))
            .where(where)
            .group_by(files.c.team, files.c.sha256)
            .subquery()
        )

        async def work(connection: AsyncConnection) -> int:
            return int(await connection.scalar(select(func.sum(each.c.size_bytes))) or 0)

        return await self._database.read(work)

    async def held(self, *, thread: ThreadId | None = None, team: str = "", user: str = "") -> list[Held]:
        where = (
            files.c.thread == thread
            if thread is not None
            else and_(files.c.team == team, files.c.user == user)
        )

        async def work(connection: AsyncConnection) -> list[Held]:
            found = await connection.execute(select(files).where(where).order_by(files.c.at))
            return [
                Held(
                    ThreadId(row.thread),
                    row.turn,
                    row.user,
                    row.at,
                    File(row.sha256, row.kind, row.name, row.size_bytes),
                )
                for row in found
            ]

        return await self._database.read(work)

    async def who_works_in(self, thread: ThreadId) -> str:
        """Whose turn it is there at the moment; empty where nobody's."""
        return await self._database.read(lambda connection: _who_works_in(connection, thread))

    async def note_unneeded(self, connection: AsyncConnection, candidates: Collection[Blob]) -> None:
        """Together with the rows that named them. On this machine, what no row names is found without that."""
        if self._blobs.is_remote and candidates:
            await unneeded.note(self._database, connection, candidates)

    async def remove_unneeded(
        self, candidates: Collection[Blob], unless_added_since: float | None = None
    ) -> int:
        """How many of these blobs went: those that no row names any more. Their content cannot be had again.

        Who has added one of them since, or since this began, will name it in a moment: it stays.
        """
        began = time.time()
        since = began if unless_added_since is None else unless_added_since
        removed, needed = [], []
        async with self._blobs.removing():
            for blob in candidates:
                if await self._is_needed(*blob):
                    needed.append(blob)
                elif await self._blobs.remove(*blob, since):
                    removed.append(blob)
        if self._blobs.is_remote:
            await unneeded.settle(self._database, [*removed, *needed], began)
        return len(removed)

    async def remove_left(self, before: float) -> int:
        """How many blobs went that no row has named since before then."""
        return await self.remove_unneeded(await unneeded.left(self._database, before), before)

    async def remove_orphans(self, before: float) -> int:
        """How many blobs went from this machine that are older and that no row names: their makers have died.

        Where files are kept elsewhere, all old copies go.
        """
        removed = 0
        async with self._blobs.removing():
            teams = {folder_name(team): team for team in await self._teams()}
            for folder, names in (await asyncio.to_thread(self._blobs.older_than, before)).items():
                needed: set[str] = set()
                if folder in teams and not self._blobs.is_remote:
                    needed = await self._needed(teams[folder], names)
                await asyncio.to_thread(self._blobs.drop_copies, folder, names - needed)
                removed += len(names - needed)
        return removed

    # What others write, in their own transactions

    async def keep_for_turn(self, connection: AsyncConnection, turn: str, step: str, result: Any) -> None:
        """Rows for the files that the result of a step names."""
        named = in_step(step, result)
        if not named:
            return
        found = await connection.execute(select(turns.c.thread, turns.c.user).where(turns.c.id == turn))
        row = found.one()
        await self._add(connection, ThreadId(row.thread), turn, row.user, named)

    async def keep_for_session(
        self, connection: AsyncConnection, thread: ThreadId, record: dict[str, Any]
    ) -> None:
        """Rows for just the files that the record names: what it names no more is not needed for it any more."""
        named = {(file.sha256, file.kind): file for file in in_session(record)}
        ours = and_(files.c.thread == thread, files.c.kind.in_(OF_SESSION), files.c.turn == "")
        found = await connection.execute(select(files.c.sha256, files.c.kind).where(ours))
        there = {(row.sha256, row.kind) for row in found}
        away = there - named.keys()
        await self.note_unneeded(connection, {(team_of(thread), sha256) for sha256, _ in away})
        for some in some_at_once(list(away)):
            gone = or_(*(and_(files.c.sha256 == sha256, files.c.kind == kind) for sha256, kind in some))
            await connection.execute(delete(files).where(ours, gone))
        new = [named[key] for key in named.keys() - there]
        if new:
            await self._add(connection, thread, "", await _who_works_in(connection, thread), new)

    async def _add(
        self, connection: AsyncConnection, thread: ThreadId, turn: str, user: str, named: Iterable[File]
    ) -> None:
        now, team = time.time(), team_of(thread)
        rows = [
            {
                "team": team,
                "sha256": file.sha256,
                "thread": thread,
                "kind": file.kind,
                "turn": turn,
                "user": user,
                "name": file.name,
                # Not all who name a file say its size.
                "size_bytes": file.size_bytes or await self._blobs.size(team, file.sha256),
                "at": now,
            }
            for file in named
        ]
        await connection.execute(self._database.insert(files).on_conflict_do_nothing(), rows)

    async def _teams(self) -> list[str]:
        async def work(connection: AsyncConnection) -> list[str]:
            return list(await connection.scalars(select(files.c.team).distinct()))

        return await self._database.read(work)

    async def _needed(self, team: str, hashes: Collection[str]) -> set[str]:
        async def work(connection: AsyncConnection) -> set[str]:
            needed: set[str] = set()
            for some in some_at_once(list(hashes)):
                named = select(files.c.sha256).where(files.c.team == team, files.c.sha256.in_(some))
                needed.update(await connection.scalars(named))
            return needed

        return await self._database.read(work)

    async def _is_needed(self, team: str, sha256: str) -> bool:
        async def work(connection: AsyncConnection) -> bool:
            found = await connection.execute(
                select(literal(1)).where(files.c.team == team, files.c.sha256 == sha256).limit(1)
            )
            return found.first() is not None

        return await self._database.read(work)


async def _who_works_in(connection: AsyncConnection, thread: ThreadId) -> str:
    """Whose turn it is there at the moment."""
    found = await connection.scalar(
        select(turns.c.user).where(turns.c.thread == thread, turns.c.state == "running").limit(1)
    )
    return str(found or "")


def blobs_of(where: ColumnElement[bool]) -> Select[Any]:
    """Which blobs these rows name."""
    return select(files.c.team, files.c.sha256).where(where).distinct()
