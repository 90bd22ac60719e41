"""What adapters remember, by keys of their own: which of the platform's messages a post became, and the like."""

import hashlib
import time
from collections.abc import Collection

from sqlalchemy import bindparam, delete, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.reception import ROOT
from bot.store.database import Database
from bot.store.tables import seen

GONE = "gone:"
"""How keys begin that say: this turn was deleted."""
GONE_SECONDS = 48 * 3600.0
"""For so long: twice what adapters look back after they were away."""
AT_ONCE = 100
"""Names in one statement: SQLite bounds its depth."""


class Memory:
    """`bot.reception.Journal`, in the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def recall(self, key: str) -> str | None:
        async def work(connection: AsyncConnection) -> str | None:
            found: str | None = await connection.scalar(select(seen.c.position).where(seen.c.place == key))
            return found

        return await self._database.read(work)

    async def note(self, key: str, value: str) -> None:
        noted = {"position": value, "at": time.time()}
        adding = self._database.insert(seen).values(place=key, **noted)

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(adding.on_conflict_do_update(index_elements=["place"], set_=noted))

        await self._database.write(work)


async def forget_about(
    connection: AsyncConnection, names: Collection[str], *, keeps_roots: bool = False
) -> None:
    """All that is remembered under keys with these threads or messages in them."""
    kept = [seen.c.place.startswith(GONE, autoescape=True)]
    if keeps_roots:
        kept.append(seen.c.place.endswith(ROOT, autoescape=True))
    left = sorted(names)
    while left:
        some, left = left[:AT_ONCE], left[AT_ONCE:]
        about = or_(*(seen.c.place.contains(name, autoescape=True) for name in some))
        await connection.execute(delete(seen).where(about, not_(or_(*kept))))


async def note_gone(database: Database, connection: AsyncConnection, ids: Collection[str]) -> None:
    """Turns that are not to be taken in again: the platform may still have what was asked."""
    now = time.time()
    await connection.execute(
        delete(seen).where(seen.c.place.startswith(GONE, autoescape=True), seen.c.at < now - GONE_SECONDS)
    )
    for each in ids:
        adding = database.insert(seen).values(place=_mark(each), position="", at=now)
        await connection.execute(adding.on_conflict_do_nothing(index_elements=["place"]))


async def is_gone(connection: AsyncConnection, turn: str) -> bool:
    return await connection.scalar(_AT, {"mark": _mark(turn)}) is not None


_AT = select(seen.c.at).where(seen.c.place == bindparam("mark"))


def _mark(turn: str) -> str:
    """Of which nobody can read whose it was, or where."""
    return f"{GONE}{hashlib.sha256(turn.encode()).hexdigest()}"
