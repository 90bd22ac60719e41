"""A backup made while others write fits together, and a bot goes on from it elsewhere."""

import asyncio
import contextlib
import json
from pathlib import Path

import pytest

from bot import backups, forgetting
from bot.backups import BackupRefused
from bot.messages import ThreadId
from bot.store.store import Store
from tests.store.filled import PNG, THREAD, asked_and_answered, doing
from tests.stores import prepare


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return prepare(tmp_path / "data")


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "backup"


async def back_up(store: Store, folder: Path) -> dict[str, int]:
    async with store.blobs.removing():
        await asyncio.to_thread(backups.database, store.data_dir, folder)
        return await asyncio.to_thread(backups.files, store.data_dir, folder)


async def test_all_of_it_is_there_again_elsewhere(data: Path, kept: Path, tmp_path: Path) -> None:
    async with Store.opened(data) as store:
        await asked_and_answered(store, "a", sales_csv=b"1,2,3")
        facts = await back_up(store, kept)
        rounds = (await store.transcripts.load(THREAD)).rounds

    backups.restore(kept, tmp_path / "new")

    async with Store.opened(tmp_path / "new") as store:
        assert (await store.transcripts.load(THREAD)).rounds == rounds
        held = await store.files.held(thread=THREAD)
        contents = [await store.blobs.read("slack:T1", each.file.sha256) for each in held]
    assert facts["missing"] == 0
    assert {b"1,2,3", PNG + b"a"} <= set(contents)
    assert None not in contents


async def test_it_fits_together_while_others_write_and_forget(data: Path, kept: Path, tmp_path: Path) -> None:
    async with Store.opened(data) as store:

        async def busy() -> None:
            number = 0
            while True:
                thread = ThreadId(f"slack:T1/C1/{number}")
                await asked_and_answered(store, f"{number}", thread=thread, x_csv=f"{number}".encode())
                if number % 3 == 0:
                    await forgetting.forget_thread(store, thread, "test")
                number += 1

        working = asyncio.create_task(busy())
        await asyncio.sleep(0.5)
        for number in range(5):
            folder = kept / str(number)
            facts = await back_up(store, folder)
            assert facts["missing"] == 0
            backups.restore(folder, tmp_path / f"new-{number}")
        assert not working.done()
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
    assert facts["files"] > 3


async def test_a_second_backup_copies_only_what_is_new(data: Path, kept: Path) -> None:
    async with Store.opened(data) as store:
        first = await asked_and_answered(store, "a")
        await back_up(store, kept)
        path = kept / "blobs" / "slack%3AT1" / first.blobs["chart_png"]
        written = path.stat().st_mtime_ns
        await asked_and_answered(store, "b")
        await back_up(store, kept)

    assert path.stat().st_mtime_ns == written
    assert len(list((kept / "blobs").rglob("*"))) > 3


async def test_what_was_at_work_is_not_done_again_after_a_restore(
    data: Path, kept: Path, tmp_path: Path
) -> None:
    async with Store.opened(data) as store:
        await doing(store, "a")
        await back_up(store, kept)

    done = backups.restore(kept, tmp_path / "new")

    async with Store.opened(tmp_path / "new") as store:
        (row,) = await store.reports.turns()
    assert (row.state, row.outcome, done["ended"]) == ("ended", "cancelled", 1)


async def test_a_store_that_is_there_is_not_written_over(data: Path, kept: Path) -> None:
    async with Store.opened(data) as store:
        await back_up(store, kept)

    with pytest.raises(BackupRefused, match="holds a store already"):
        backups.restore(kept, data)


async def test_a_file_that_has_changed_stops_the_restore_before_it_begins(
    data: Path, kept: Path, tmp_path: Path
) -> None:
    async with Store.opened(data) as store:
        turn = await asked_and_answered(store, "a")
        await back_up(store, kept)
    (kept / "blobs" / "slack%3AT1" / turn.blobs["chart_png"]).write_bytes(b"rotten")

    with pytest.raises(BackupRefused, match="1 files of the backup"):
        backups.restore(kept, tmp_path / "new")

    assert not (tmp_path / "new" / "plotline.db").exists()


async def test_a_backup_of_a_newer_version_is_refused(data: Path, kept: Path, tmp_path: Path) -> None:
    async with Store.opened(data) as store:
        await back_up(store, kept)
    facts = json.loads((kept / "backup.json").read_text())
    (kept / "backup.json").write_text(json.dumps({**facts, "revision": "9999"}))

    with pytest.raises(BackupRefused, match="newer version"):
        backups.restore(kept, tmp_path / "new")


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackupRefused, match="no whole backup"):
        backups.restore(tmp_path, tmp_path / "new")


def test_without_a_store_nothing_is_backed_up(tmp_path: Path) -> None:
    with pytest.raises(BackupRefused, match="nothing to back up"):
        backups.database(tmp_path / "none", tmp_path / "backup")


async def test_a_disk_that_cannot_take_it_is_named(
    data: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path) -> Path:
        return folder / "not" / "there"

    monkeypatch.setattr(backups.atomic, "incoming_in", refuse)
    async with Store.opened(data):
        with pytest.raises(BackupRefused, match="could not be copied to"):
            backups.database(data, kept)
