"""An installation that has outgrown its machine: its backup becomes a store in Postgres."""

import asyncio
from pathlib import Path

import pytest

from bot import backups, moving
from bot.backups import BackupRefused
from bot.messages import ThreadId
from bot.store.store import Store
from tests.store.filled import PNG, THREAD, asked_and_answered, doing
from tests.stores import prepare


@pytest.fixture
async def kept(tmp_path: Path) -> Path:
    folder = tmp_path / "backup"
    async with Store.opened(prepare(tmp_path / "small")) as small:
        for number in range(3):
            await asked_and_answered(small, f"{number}", sales_csv=f"{number}".encode())
        await doing(small, "at work", thread=ThreadId("slack:T1/C1/2"))
        async with small.blobs.removing():
            await asyncio.to_thread(backups.database, small.data_dir, folder)
            await asyncio.to_thread(backups.files, small.data_dir, folder)
    return folder


async def test_all_rows_and_files_are_there_and_it_goes_on(kept: Path, store: Store) -> None:
    moved = await moving.into(store, kept)

    assert (moved["ended"], moved["files"] > 5) == (1, True)
    assert [thread for thread, _ in await store.sessions.all()] == [THREAD]
    assert len((await store.transcripts.load(THREAD)).rounds) == 9
    contents = {
        await store.blobs.read("slack:T1", each.file.sha256) for each in await store.files.held(thread=THREAD)
    }
    assert {b"2", PNG + b"0"} <= contents
    # Numbers go on behind those that came along.
    await asked_and_answered(store, "after the move")
    rows = await store.reports.turns(thread=THREAD)
    assert [row.question for row in rows] == ["0", "1", "2", "after the move"]


async def test_a_store_that_somebody_uses_is_left_alone(kept: Path, store: Store) -> None:
    await asked_and_answered(store, "here already")

    with pytest.raises(BackupRefused, match="not empty"):
        await moving.into(store, kept)


async def test_a_file_that_is_not_what_it_was_stops_it_before_any_row(kept: Path, store: Store) -> None:
    path = next(each for each in (kept / "blobs").rglob("*") if len(each.name) == 64)
    path.write_bytes(b"rotten")

    with pytest.raises(BackupRefused, match="not what it was"):
        await moving.into(store, kept)

    assert await store.reports.threads() == []
