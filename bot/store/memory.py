"""What adapters remember, by keys of their own: which of the platform's messages a post became, and the like."""

import hashlib
import time
from collections.abc import Collection

from sqlalchemy import delete, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.reception import ROOT
from bot.store.database import Database
from bot.store.revisions import key_of, revision_of
from bot.store.tables import seen

GONE = "gone:"
"""How keys begin that say: this was deleted, up to the revision that stands there."""
EVERY = "inf"
"""The revision of what was deleted before any was known."""
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
    """Turns that are not to be taken in again, nor older revisions: the platform may still have what was asked."""
    rows = [
        {"place": mark_of(each), "position": str(revision_of(each)), "at": time.time()}
        for each in sorted(ids, key=revision_of)
    ]
    if rows:
        adding = database.insert(seen)
        newest = {name: adding.excluded[name] for name in ("position", "at")}
        await connection.execute(adding.on_conflict_do_update(index_elements=["place"], set_=newest), rows)


async def note_gone_unheard(database: Database, connection: AsyncConnection, key: str) -> None:
    """No turn of that key is to be taken in any more."""
    adding = database.insert(seen).values(place=mark_of(key), position=EVERY, at=time.time())
    # What was there before goes on as its mark says: an edit may follow what was deleted here alone.
    await connection.execute(adding.on_conflict_do_nothing(index_elements=["place"]))


async def drop_old_marks(database: Database) -> None:
    async def work(connection: AsyncConnection) -> None:
        is_mark = seen.c.place.startswith(GONE, autoescape=True)
        await connection.execute(delete(seen).where(is_mark, seen.c.at < time.time() - GONE_SECONDS))

    await database.write(work)


def is_gone(position: str | None, turn: str) -> bool:
    """By the position that stands at the turn's mark, None where there is none."""
    return position is not None and revision_of(turn) <= float(position or 0)


def mark_of(turn: str) -> str:
    """The same for all its revisions. Nobody can read from it whose it was, or where."""
    return f"{GONE}{hashlib.sha256(key_of(turn).encode()).hexdigest()}"
