"""Who did what, where and when: names and hashes of files, hashes of code, hosts, refusals; never what was said."""

import hashlib
import time
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Any

from sqlalchemy import and_, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.folders import team_of
from bot.messages import ThreadId
from bot.store.database import Database
from bot.store.steps import Also
from bot.store.tables import audit

LISTED = 1000


class Event(StrEnum):
    ASKED = auto()
    """A turn began. `files`: names and hashes of what came with it; `model_host`: who reads it."""
    RAN = auto()
    """A cell. `code`: its hash; `outcome`, `seconds`; `hosts` that it reached or was refused."""
    ANSWERED = auto()
    """A turn ended: `status`, `model`, names and hashes of `files` that were posted."""
    REFUSED = auto()
    """`rule`: by which."""
    CLICKED = auto()
    """`act`: on which button or command."""
    DECIDED = auto()
    """About a host that code wants to reach: `host`, `decision`."""
    CHANGED = auto()
    """A setting or a switch: `name`, `value`."""
    DELETED = auto()
    """`what`, and how much of it."""
    LOOKED = auto()
    """Somebody who runs this bot looked at what people said: `command`."""
    EXPORTED = auto()


@dataclass(frozen=True, slots=True)
class Entry:
    at: float
    kind: str
    team: str
    thread: str
    turn: str
    user: str
    facts: dict[str, Any]


class Audit:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(
        self,
        event: Event,
        *,
        thread: ThreadId | None = None,
        team: str = "",
        turn: str = "",
        user: str = "",
        **facts: Any,
    ) -> None:
        """`user` is who did it; for what is done at this machine's terminal, `operator:` and a login."""
        await self._database.write(
            noted(event, thread=thread, team=team, turn=turn, user=user, facts=facts),
        )

    async def entries(  # noqa: PLR0913  # what one may look for
        self,
        *,
        since: float = 0,
        event: str = "",
        team: str = "",
        thread: str = "",
        user: str = "",
        limit: int = LISTED,
    ) -> list[Entry]:
        """The newest, in the order in which they came."""
        wanted = [
            column == value
            for column, value in (
                (audit.c.kind, event),
                (audit.c.team, team),
                (audit.c.thread, thread),
                (audit.c.user, user),
            )
            if value
        ]

        async def work(connection: AsyncConnection) -> list[Entry]:
            found = await connection.execute(
                select(audit)
                .where(and_(audit.c.at >= since, *wanted))
                .order_by(audit.c.number.desc())
                .limit(limit)
            )
            return [
                Entry(row.at, row.kind, row.team, row.thread, row.turn, row.user, row.facts) for row in found
            ][::-1]

        return await self._database.read(work)


def noted(  # noqa: PLR0913  # an entry
    event: Event,
    *,
    thread: ThreadId | None = None,
    team: str = "",
    turn: str = "",
    user: str = "",
    facts: dict[str, Any] | None = None,
) -> Also:
    """Writes the entry along with something else, or not at all."""
    row = {
        "at": time.time(),
        "kind": str(event),
        "team": team or (team_of(thread) if thread else ""),
        "thread": thread or "",
        "turn": turn,
        "user": user,
        "facts": facts or {},
    }

    async def write(connection: AsyncConnection) -> None:
        await connection.execute(_ADDING, row)

    return write


_ADDING = insert(audit)


def hash_of(code: str) -> str:
    """What stands for code: the same code has the same one."""
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()


def together(*several: Also | None) -> Also:
    async def write(connection: AsyncConnection) -> None:
        for each in several:
            if each:
                await each(connection)

    return write
