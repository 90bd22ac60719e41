"""What was said in each thread, in the store: by rounds, each of them there once."""

import hashlib
import json
from collections.abc import Callable, Collection
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Text, bindparam, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.blobs import Blobs
from bot.execution import Picture
from bot.folders import team_of
from bot.messages import ThreadId
from bot.store.database import Database
from bot.store.fence import Hold, insert_fenced
from bot.store.steps import Also
from bot.store.tables import refused_pictures, rounds, turns
from bot.transcript import (
    Entry,
    Prompt,
    Reply,
    Round,
    ToolCall,
    ToolResult,
    Transcript,
    Upload,
    Usage,
    without_pictures,
)

GONE = b""
"""What is left of a picture that was refused or whose blob is not kept any more."""
KEPT, SHORT = 2000, 4000
"""Rounds whose making is remembered, and most characters of each: long threads consist of short ones. What is deleted
in the store is not found there, and so not asked for."""
NEVER_SAID = ("superseded", "deleted")
"""Outcomes of turns that count as if nobody had asked."""


# Made once: to make them takes longer than to ask them.
_UNSAID = select(turns.c.id).where(turns.c.thread == bindparam("in_thread"), turns.c.outcome.in_(NEVER_SAID))
_SAID = (
    select(cast(rounds.c.entries, Text).label("entries"))
    .where(rounds.c.thread == bindparam("in_thread"), rounds.c.turn != bindparam("but"))
    .where(rounds.c.turn.not_in(_UNSAID))
    .order_by(rounds.c.number)
    .subquery()
)
# One round to a line, since JSON has none inside: a long thread has many, and each row of a result costs.
_ALL_SAID = select(func.aggregate_strings(_SAID.c.entries, "\n"))
_REFUSED = select(refused_pictures.c.sha256).where(refused_pictures.c.thread == bindparam("in_thread"))


class Transcripts:
    """Pictures are blobs; a round names them."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._database = database
        self._blobs = blobs

    async def load(self, thread: ThreadId, *, but: str = "") -> Transcript:
        """All rounds of the thread, without those of the turn `but`: it goes through its own once more."""

        async def work(connection: AsyncConnection) -> str | None:
            return await connection.scalar(_ALL_SAID, {"in_thread": thread, "but": but})

        said = await self._database.read(work)
        found = said.split("\n") if said else []
        made: list[Round | None] = [_made(written) if len(written) <= SHORT else None for written in found]
        rest = [json.loads(written) for written, round_ in zip(found, made, strict=True) if round_ is None]
        picture = await self._pictures(thread, rest)
        others = (tuple(_from_json(entry, picture) for entry in entries) for entries in rest)
        return Transcript([round_ or next(others) for round_ in made])

    async def append(self, thread: ThreadId, hold: Hold, part: int, entries: Round) -> None:
        """Part after part; one that is there already is left as it is. Pictures are stored first.

        Raises `Fenced`.
        """
        await self._database.write(await self.appending(thread, hold, part, entries))

    async def appending(self, thread: ThreadId, hold: Hold, part: int, entries: Round) -> Also:
        """The same, to be written along with something else."""
        for picture in (each for entry in entries for each in entry.pictures):
            await self._blobs.add(team_of(thread), picture.data)
        row = {
            "thread": thread,
            "turn": hold.turn,
            "part": part,
            "entries": [_to_json(each) for each in entries],
        }

        async def write(connection: AsyncConnection) -> None:
            await insert_fenced(self._database, connection, rounds.c.part, [row], hold)

        return write

    async def refuse(self, thread: ThreadId, pictures: Collection[Picture]) -> None:
        """Leave these pictures out whenever the thread is loaded again: the endpoint won't take them."""
        adding = self._database.insert(refused_pictures).values(
            [{"thread": thread, "sha256": _sha256(picture)} for picture in pictures]
        )

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(adding.on_conflict_do_nothing())

        await self._database.write(work)

    async def _refused(self, thread: ThreadId) -> set[str]:
        async def work(connection: AsyncConnection) -> set[str]:
            return set(await connection.scalars(_REFUSED, {"in_thread": thread}))

        return await self._database.read(work)

    async def _pictures(self, thread: ThreadId, found: list[Any]) -> Callable[[dict[str, Any]], Picture]:
        named = {
            each["sha256"] for entries in found for entry in entries for each in entry.get("pictures", ())
        }
        refused = await self._refused(thread) if named else set()
        data = {sha256: await self._blobs.read(team_of(thread), sha256) for sha256 in named - refused}

        def picture(reference: dict[str, Any]) -> Picture:
            content = data.get(reference["sha256"]) or GONE
            return Picture(reference["name"], reference["media_type"], content)

        return picture


@lru_cache(KEPT)
def _made(written: str) -> Round | None:
    """A round from what was written down. None where it has pictures, which may be gone by now."""
    entries = json.loads(written)
    if any(entry.get("pictures") for entry in entries):
        return None
    return tuple(_from_json(entry, _no_picture) for entry in entries)


def _no_picture(reference: dict[str, Any]) -> Picture:
    raise AssertionError(f"a round without pictures has {reference}")


def _to_json(entry: Entry) -> dict[str, Any]:
    match entry:
        case Prompt():
            uploads = [
                {**asdict(each), "uploaded_at": each.uploaded_at.isoformat()} for each in entry.uploads
            ]
            return {
                "kind": "prompt",
                "text": entry.text,
                "pictures": [_reference(picture) for picture in entry.pictures],
                "uploads": uploads,
                "data": entry.data,
            }
        case Reply():
            return {"kind": "reply", **asdict(entry)}
        case ToolResult():
            return {
                "kind": "tool_result",
                "call_id": entry.call_id,
                "text": entry.text,
                "pictures": [_reference(picture) for picture in entry.pictures],
            }
        case _:
            raise TypeError(f"{type(entry).__name__} is made for one request and not kept")


def _from_json(record: dict[str, Any], picture: Callable[[dict[str, Any]], Picture]) -> Entry:
    facts = dict(record)
    match facts.pop("kind"):
        case "prompt":
            facts["uploads"] = tuple(
                Upload(each["name"], each["sha256"], datetime.fromisoformat(each["uploaded_at"]))
                for each in facts["uploads"]
            )
            facts["pictures"] = tuple(map(picture, facts["pictures"]))
            return _without_gone(Prompt(**facts))
        case "tool_result":
            facts["pictures"] = tuple(map(picture, facts["pictures"]))
            return _without_gone(ToolResult(**facts))
        case "reply":
            facts["tool_calls"] = tuple(ToolCall(**each) for each in facts["tool_calls"])
            facts["usage"] = Usage(**facts["usage"])
            facts["raw"] = tuple(facts["raw"])
            return Reply(**facts)
        case kind:
            raise ValueError(f"a transcript entry of kind {kind!r}")


def _without_gone(entry: Prompt | ToolResult) -> Entry:
    gone = [picture for picture in entry.pictures if picture.data == GONE]
    return without_pictures(entry, gone) if gone else entry


def _reference(picture: Picture) -> dict[str, str]:
    return {"name": picture.name, "media_type": picture.media_type, "sha256": _sha256(picture)}


def _sha256(picture: Picture) -> str:
    return hashlib.sha256(picture.data).hexdigest()
