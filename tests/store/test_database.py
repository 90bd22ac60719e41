"""What the store does where it is locked, full, or gone for a while."""

import asyncio
import gc
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import StoreUnavailable
from bot.messages import ThreadId
from bot.store import database
from bot.store.database import Database, sqlite_url
from bot.store.memory import Memory
from bot.store.store import Store
from bot.store.turns import CLAIM_LOCK
from tests.store.postgres import Cluster
from tests.store.test_turns import ask, claim
from tests.stores import prepare

THREAD = ThreadId("test:T1/C1/1")


async def until_held(held: asyncio.Event, connection: AsyncConnection) -> None:
    await connection.execute(text(f"SELECT pg_advisory_xact_lock({CLAIM_LOCK})"))
    held.set()
    await asyncio.Event().wait()


async def test_a_worker_that_stands_still_in_a_transaction_does_not_keep_the_others(
    postgres: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "STANDSTILL_SECONDS", 0.5)
    address = await postgres.new_store()
    async with Store.opened(tmp_path, address) as frozen, Store.opened(tmp_path, address) as other:
        held = asyncio.Event()
        standing = asyncio.create_task(frozen.database.write(lambda connection: until_held(held, connection)))
        await held.wait()
        await ask(other, "q")
        began = time.monotonic()

        assert await claim(other, lease_seconds=10)
        assert time.monotonic() - began < 3
        standing.cancel()
        await asyncio.gather(standing, return_exceptions=True)


async def test_what_stood_still_is_done_anew(
    postgres: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "STANDSTILL_SECONDS", 0.3)
    tries = 0

    async def work(connection: AsyncConnection) -> int:
        nonlocal tries
        tries += 1
        await connection.execute(text("SELECT 1"))
        await asyncio.sleep(0.8 if tries == 1 else 0)
        await connection.execute(text("SELECT 1"))
        return tries

    async with Database.opened(await postgres.new_store()) as opened:
        assert await opened.write(work) == 2


async def test_options_of_the_address_are_kept(postgres: Cluster) -> None:
    url = f"{await postgres.new_store()}&options=-c%20application_name%3Dmine"
    async with Database.opened(url) as opened:
        name = await opened.read(lambda connection: connection.scalar(text("SHOW application_name")))
        idle = await opened.read(
            lambda connection: connection.scalar(text("SHOW idle_in_transaction_session_timeout"))
        )

    assert (name, idle) == ("mine", "4s")


async def test_a_server_that_vanishes_is_noticed_as_soon_as_the_address_says(postgres: Cluster) -> None:
    url = f"{await postgres.new_store()}&tcp_user_timeout=3000"
    async with Database.opened(url) as opened:

        async def ways(connection: AsyncConnection) -> dict[str, str]:
            raw = await connection.get_raw_connection()
            return dict(raw.driver_connection.info.get_parameters())  # type: ignore[union-attr]  # psycopg's

        found = await opened.read(ways)

    assert (found["tcp_user_timeout"], found["keepalives_idle"]) == ("3000", "5")


async def test_a_database_without_an_encoding_keeps_text_as_it_is(postgres: Cluster) -> None:
    url = postgres.new_database("template0", "--encoding=SQL_ASCII", "--locale=C")
    for value in ("Fünf 五 🙂", "Sechs"):
        async with Database.opened(url) as opened:
            memory = Memory(opened)
            await memory.note("slack:T1:place", value)
            assert await memory.recall("slack:T1:place") == value


async def test_a_write_waits_for_another_process_that_has_locked_the_file(tmp_path: Path) -> None:
    async with Store.opened(prepare(tmp_path)) as store:
        with sqlite3.connect(tmp_path / "plotline.db", isolation_level=None) as other:
            other.execute("BEGIN EXCLUSIVE")
            asking = asyncio.create_task(ask(store, "q"))
            await asyncio.sleep(0.5)
            assert not asking.done()
            # What is there can be read all the same.
            assert await store.turns.workers() == set()
            other.execute("COMMIT")
        other.close()

        assert await asking


async def test_work_waits_for_a_server_that_is_started_again(
    own_cluster: Callable[[], Cluster], tmp_path: Path
) -> None:
    cluster = own_cluster()
    async with Store.opened(tmp_path, await cluster.new_store()) as store:
        await ask(store, "before")
        await asyncio.to_thread(cluster.stop)
        asking = asyncio.create_task(ask(store, "meanwhile"))
        await asyncio.sleep(1)
        assert not asking.done()
        await asyncio.to_thread(cluster.start)

        assert await asking
        found = await claim(store, lease_seconds=10)
        assert found
        assert found.id == "before"


async def test_patience_has_an_end(own_cluster: Callable[[], Cluster], tmp_path: Path) -> None:
    cluster = own_cluster()
    async with Store.opened(tmp_path, await cluster.new_store(), patience_seconds=0.5) as store:
        await asyncio.to_thread(cluster.stop)

        with pytest.raises(StoreUnavailable):
            await ask(store, "q")


async def test_a_full_disk_is_said_at_once(tmp_path: Path) -> None:
    url = sqlite_url(prepare(tmp_path))

    async def work(connection: AsyncConnection) -> None:
        await connection.execute(text("PRAGMA max_page_count = 1"))
        await connection.execute(text("CREATE TABLE filler AS SELECT randomblob(1000000) AS bytes"))

    async with Database.opened(url) as opened:
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            await opened.write(work)

    assert time.monotonic() - began < 5


async def test_it_closes_once_nobody_works_with_it_any_more(tmp_path: Path) -> None:
    begun, done = asyncio.Event(), list[int]()

    async def slow(connection: AsyncConnection) -> None:
        begun.set()
        await asyncio.sleep(0.05)
        done.append(await connection.scalar(text("SELECT 1")) or 0)

    async with Database.opened(sqlite_url(tmp_path)) as database:
        reading = asyncio.create_task(database.read(slow))
        await begun.wait()

    assert done == [1]
    await reading
    # Whoever comes late leaves no connection open either: that would be a warning, and so an error.
    await database.read(slow)
    gc.collect()
    assert done == [1, 1]
