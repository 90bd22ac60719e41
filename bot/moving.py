"""A backup of the embedded store made into a store of another kind: Postgres, a bucket, or both."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Integer, String, cast, func, insert, null, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.backups import DATABASE, BackupRefused
from bot.folders import folder_name
from bot.store.database import Database, sqlite_url
from bot.store.store import Store
from bot.store.tables import files, metadata, threads, turns

ROWS = 500
"""Copied at once."""
NOT_MOVED = {"workers"}
"""Nobody works in a backup."""


async def into(store: Store, folder: Path) -> dict[str, int]:
    """Rows and files of the backup into a store that is empty. Whatever was at work then is ended.

    Raises `BackupRefused`, `StoreUnavailable`.
    """
    if not (folder / DATABASE).exists():
        raise BackupRefused(f"{folder} is no backup: it lacks {DATABASE}.")
    if await store.database.read(lambda c: c.scalar(select(func.count()).select_from(threads))):
        raise BackupRefused("The store that the settings name is not empty.")
    with tempfile.TemporaryDirectory() as copies:
        # Opening it brings it up to date; the backup stays as it is.
        shutil.copyfile(folder / DATABASE, Path(copies) / DATABASE)
        async with Database.opened(sqlite_url(Path(copies))) as source:
            blobs = await _blobs(source)
            # First: rows name nothing then that is not there.
            moved = [await _add(store, folder, team, sha256) for team, sha256 in blobs]
            counts = await _copy(source, store.database)
    return {"files": sum(moved), "rows": sum(counts.values()), "ended": await _end_what_was_at_work(store)}


async def _add(store: Store, folder: Path, team: str, sha256: str) -> bool:
    path = folder / "blobs" / folder_name(team) / sha256
    if not path.exists():
        return False
    found, _ = await store.blobs.add(team, path)
    if found != sha256:
        raise BackupRefused(f"A file of the backup is not what it was: {sha256}.")
    return True


async def _blobs(source: Database) -> list[tuple[str, str]]:
    named = select(files.c.team, files.c.sha256).distinct()

    async def work(connection: AsyncConnection) -> list[tuple[str, str]]:
        return [(row.team, row.sha256) for row in await connection.execute(named)]

    return await source.read(work)


async def _copy(source: Database, target: Database) -> Mapping[str, int]:
    """All tables in one transaction: all of them or nothing."""

    async def read(connection: AsyncConnection) -> dict[str, list[dict[str, Any]]]:
        return {
            table.name: [dict(row) for row in (await connection.execute(select(table))).mappings()]
            for table in metadata.sorted_tables
            if table.name not in NOT_MOVED
        }

    rows = await source.read(read)

    async def write(connection: AsyncConnection) -> None:
        for table in metadata.sorted_tables:
            those = rows.get(table.name, [])
            for start in range(0, len(those), ROWS):
                await connection.execute(insert(table), those[start : start + ROWS])
            if not target.is_sqlite:
                await _count_on(connection, table)
        # No value is written as JSON's null.
        is_none = cast(threads.c.session, String) == "null"
        await connection.execute(threads.update().where(is_none).values(session=null()))

    await target.write(write)
    return {name: len(those) for name, those in rows.items()}


async def _count_on(connection: AsyncConnection, table: Any) -> None:
    """What counts upwards by itself goes on behind the copied rows."""
    for column in table.primary_key.columns:
        counts_up = column.autoincrement is True and isinstance(column.type, Integer)
        if counts_up and (most := await connection.scalar(select(func.max(column)))):
            sequence = text("SELECT setval(pg_get_serial_sequence(:table, :column), :most)")
            await connection.execute(
                sequence, {"table": table.name, "column": column.name, "most": int(most)}
            )


async def _end_what_was_at_work(store: Store) -> int:
    """It may have been brought to its end after the backup was made; nothing is posted a second time."""

    async def work(connection: AsyncConnection) -> int:
        ended = await connection.execute(
            turns.update()
            .where(turns.c.state != "ended")
            .values(state="ended", outcome="cancelled", worker=None)
        )
        return ended.rowcount

    return await store.database.write(work)
