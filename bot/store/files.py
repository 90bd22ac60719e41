"""Which files are needed, by which thread, turn and person, so that all others can go.

A row is written together with whatever names the file: a step of a turn, or the record of a session. It goes with the
turn, with the thread, or once the session names the file no more; a blob goes once no row of its team names it.
"""

import asyncio
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.blobs import Blobs
from bot.folders import folder_name, team_of
from bot.messages import ThreadId
from bot.store.database import Database
from bot.store.tables import files, seen, turns

MOST_AT_ONCE = 500
"""Rows in one statement."""
UNNEEDED = "unneeded:"
"""How keys in `seen` begin that say: no row named this blob at that time. Its team and its hash follow."""
OF_SESSION = ("session", "package")
"""Kinds that belong to a session. The others belong to a turn: `upload`, `artifact`, `picture`."""


@dataclass(frozen=True, slots=True)
class File:
    sha256: str
    kind: str
    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Held:
    """A file as a row has it."""

    thread: ThreadId
    turn: str
    user: str
    at: float
    file: File


Blob = tuple[str, str]
"""Team and hash."""


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

    async def note_unneeded(self, connection: AsyncConnection, candidates: Iterable[Blob]) -> None:
        """Together with the rows that named them: they go in time, even if whoever takes them away is stopped."""
        await _note_unneeded(self._database, connection, self._blobs, candidates)

    async def remove_unneeded(
        self, candidates: Collection[Blob], unless_added_since: float | None = None
    ) -> int:
        """How many of these blobs went: those that no row names any more. Their content cannot be had again.

        Who has added one of them since, or since this began, will name it in a moment: it stays.
        """
        began = time.time()
        since = began if unless_added_since is None else unless_added_since
        removed, settled = 0, []
        async with self._blobs.removing():
            for blob in candidates:
                is_needed = await self._is_needed(*blob)
                if is_needed or await self._blobs.remove(*blob, since):
                    removed += not is_needed
                    settled.append(_mark_of(blob))
        if self._blobs.is_remote:
            await self._drop_marks(sorted(settled), began)
        return removed

    async def remove_left(self, before: float) -> int:
        """How many blobs went that no row has named since before then."""
        left = select(seen.c.place).where(_is_mark(), seen.c.at < before)

        async def work(connection: AsyncConnection) -> list[str]:
            return list(await connection.scalars(left))

        return await self.remove_unneeded(
            [_blob_of(mark) for mark in await self._database.read(work)], before
        )

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

    async def _drop_marks(self, marks: list[str], until: float) -> None:
        async def work(connection: AsyncConnection) -> None:
            for some in _some_at_once(marks):
                await connection.execute(delete(seen).where(seen.c.place.in_(some), seen.c.at <= until))

        await self._database.write(work)

    async def _teams(self) -> list[str]:
        async def work(connection: AsyncConnection) -> list[str]:
            return list(await connection.scalars(select(files.c.team).distinct()))

        return await self._database.read(work)

    async def _needed(self, team: str, hashes: Collection[str]) -> set[str]:
        async def work(connection: AsyncConnection) -> set[str]:
            needed: set[str] = set()
            for some in _some_at_once(list(hashes)):
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


# What others write, in their own transactions


async def keep_for_turn(  # noqa: PLR0913, PLR0917  # a step, and where to write
    database: Database, connection: AsyncConnection, blobs: Blobs, turn: str, step: str, result: Any
) -> None:
    """Rows for the files that the result of a step names."""
    named = in_step(step, result)
    if not named:
        return
    found = await connection.execute(select(turns.c.thread, turns.c.user).where(turns.c.id == turn))
    row = found.one()
    named = await _sized(blobs, team_of(ThreadId(row.thread)), named)
    await _add(database, connection, ThreadId(row.thread), turn, row.user, named)


async def keep_for_session(
    database: Database,
    connection: AsyncConnection,
    blobs: Blobs,
    thread: ThreadId,
    record: dict[str, Any],
) -> None:
    """Rows for just the files that the record names: what it names no more is not needed for it any more."""
    team = team_of(thread)
    named = {(file.sha256, file.kind): file for file in in_session(record)}
    ours = and_(files.c.thread == thread, files.c.kind.in_(OF_SESSION), files.c.turn == "")
    found = await connection.execute(select(files.c.sha256, files.c.kind).where(ours))
    there = {(row.sha256, row.kind) for row in found}
    away = there - named.keys()
    await _note_unneeded(database, connection, blobs, {(team, sha256) for sha256, _ in away})
    for some in _some_at_once(list(away)):
        gone = or_(*(and_(files.c.sha256 == sha256, files.c.kind == kind) for sha256, kind in some))
        await connection.execute(delete(files).where(ours, gone))
    new = [named[key] for key in named.keys() - there]
    if not new:
        return
    sized = await _sized(blobs, team, new)
    await _add(database, connection, thread, "", await _who_works_in(connection, thread), sized)


def in_step(step: str, result: Any) -> list[File]:
    """The files that a step has brought in."""
    found = [_file(each) for each in _mentions(result)]
    if step == "prompt":
        # It names every upload of the thread; those that came with it have been looked into.
        new = {profile.get("name") for profile in result["taken"]["profiles"]}
        return [file for file in found if file.kind != "upload" or file.name in new]
    return [file for file in found if file.kind != "upload"]


def in_session(record: dict[str, Any]) -> list[File]:
    kept = [
        File(each["sha256"], "session", name, each["size_bytes"])
        for name, each in record.get("files", {}).items()
    ]
    packages = record.get("packages", {}).items()
    return [*kept, *(File(sha256, "package", name, 0) for name, sha256 in packages)]


def _mentions(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("sha256"), str) and "name" in value:
            yield value
            return
        value = list(value.values())
    if isinstance(value, list | tuple):
        for each in value:
            yield from _mentions(each)


def _file(named: dict[str, Any]) -> File:
    kind = "upload" if "uploaded_at" in named else "artifact" if "path" in named else "picture"
    return File(named["sha256"], kind, named["name"], named.get("size_bytes") or 0)


async def _sized(blobs: Blobs, team: str, named: list[File]) -> list[File]:
    """With the sizes that whoever named them did not say."""
    return [
        file if file.size_bytes else replace(file, size_bytes=await blobs.size(team, file.sha256))
        for file in named
    ]


async def _who_works_in(connection: AsyncConnection, thread: ThreadId) -> str:
    """Whose turn it is there at the moment."""
    found = await connection.scalar(
        select(turns.c.user).where(turns.c.thread == thread, turns.c.state == "running").limit(1)
    )
    return str(found or "")


async def _add(  # noqa: PLR0913, PLR0917  # a row
    database: Database,
    connection: AsyncConnection,
    thread: ThreadId,
    turn: str,
    user: str,
    named: Iterable[File],
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
            "size_bytes": file.size_bytes,
            "at": now,
        }
        for file in named
    ]
    adding = database.insert(files).on_conflict_do_nothing()
    if rows:
        await connection.execute(adding, rows)


async def _note_unneeded(
    database: Database, connection: AsyncConnection, blobs: Blobs, candidates: Iterable[Blob]
) -> None:
    """On this machine, what no row names is found by itself. Elsewhere, others may keep theirs beside ours."""
    rows = [{"place": _mark_of(blob), "position": "", "at": time.time()} for blob in sorted(candidates)]
    if rows and blobs.is_remote:
        adding = database.insert(seen)
        again = {"at": adding.excluded.at}
        await connection.execute(adding.on_conflict_do_update(index_elements=["place"], set_=again), rows)


def _is_mark() -> ColumnElement[bool]:
    condition: ColumnElement[bool] = seen.c.place.startswith(UNNEEDED, autoescape=True)
    return condition


def _mark_of(blob: Blob) -> str:
    return UNNEEDED + "/".join(blob)


def _blob_of(mark: str) -> Blob:
    team, _, sha256 = mark.removeprefix(UNNEEDED).rpartition("/")
    return team, sha256


def blobs_of(where: ColumnElement[bool]) -> Select[Any]:
    """Which blobs these rows name."""
    return select(files.c.team, files.c.sha256).where(where).distinct()


def _some_at_once(all_of_them: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(all_of_them), MOST_AT_ONCE):
        yield all_of_them[start : start + MOST_AT_ONCE]
