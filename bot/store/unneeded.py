"""Blobs that no row names any more, written down until they are gone.

Only where files are kept elsewhere: others may keep theirs in the same bucket, so nobody looks there for what is left.
"""

import time
from collections.abc import Collection, Iterator
from typing import TypeVar

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.blobs import Blob
from bot.store.database import Database
from bot.store.tables import seen

T = TypeVar("T")

UNNEEDED = "unneeded:"
"""How keys in `seen` begin; the blob's team and its hash follow. `at`: when a row last named it."""
MOST_AT_ONCE = 500
"""Rows in one statement."""


async def note(database: Database, connection: AsyncConnection, blobs: Collection[Blob]) -> None:
    """Together with the rows that named them: they go in time, even if whoever takes them away is stopped."""
    rows = [{"place": _key(blob), "position": "", "at": time.time()} for blob in sorted(blobs)]
    adding = database.insert(seen)
    again = {"at": adding.excluded.at}
    await connection.execute(adding.on_conflict_do_update(index_elements=["place"], set_=again), rows)


async def left(database: Database, before: float) -> list[Blob]:
    """Those that no row has named since."""
    noted = select(seen.c.place).where(seen.c.place.startswith(UNNEEDED, autoescape=True), seen.c.at < before)

    async def work(connection: AsyncConnection) -> list[Blob]:
        return [_blob(key) for key in await connection.scalars(noted)]

    return await database.read(work)


async def settle(database: Database, blobs: Collection[Blob], until: float) -> None:
    """They are gone, or are needed again; not those that were noted later."""

    async def work(connection: AsyncConnection) -> None:
        for some in some_at_once(sorted(map(_key, blobs))):
            await connection.execute(delete(seen).where(seen.c.place.in_(some), seen.c.at <= until))

    await database.write(work)


def some_at_once(all_of_them: list[T]) -> Iterator[list[T]]:
    for start in range(0, len(all_of_them), MOST_AT_ONCE):
        yield all_of_them[start : start + MOST_AT_ONCE]


def _key(blob: Blob) -> str:
    return UNNEEDED + "/".join(blob)


def _blob(key: str) -> Blob:
    team, _, sha256 = key.removeprefix(UNNEEDED).rpartition("/")
    return team, sha256
